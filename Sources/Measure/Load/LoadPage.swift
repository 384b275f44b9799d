// A run as one page that needs nothing else: percentiles with their intervals, latency by time, by percentile, the layers
// stacked, the slowest requests. A table's cell holds its exact figure in microseconds in `data-us`, as the records say it.

public import Core

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

public enum LoadPage {
  public static func append(
    _ tally: LoadTally, _ plan: LoadPlan, epoch: Timestamp, to output: OutputBuffer
  ) {
    let why = tally.invalidity(plan)
    let p99 = tally.latency.percentile(99).map(LayerTimes.readable) ?? "unknown"
    Page.open(
      title: "\(plan.url): p99 \(p99)", answer: why == nil ? "pass" : "fail",
      heading: why == nil ? "p99 \(p99)" : "Invalid run",
      lead: [plan.url, LoadReport.describe(plan.load), why].compactMap { $0 }.joined(
        separator: "; "),
      to: output)
    Page.append(facts(tally, plan), to: output)
    appendPercentiles(tally, to: output)
    output.append("<div class=\"pair\">")
    byTime(tally)?.append(to: output)
    byPercentile(tally)?.append(to: output)
    throughput(tally)?.append(to: output)
    layers(tally)?.append(to: output)
    output.append("</div>")
    appendWorst(tally, epoch, to: output)
    Page.close(
      footer: "Latency counts from when a request was due, service from when it was sent."
        + " Intervals are 95 %, by order statistics. \(plan.machine.processor),"
        + " \(plan.machine.cores) cores, \(plan.machine.kernel), rtinfer \(plan.machine.build).",
      to: output)
  }

  private static func facts(_ tally: LoadTally, _ plan: LoadPlan) -> [(String, String)] {
    let seconds = tally.elapsedSeconds
    var facts = [
      ("requests", tally.requests.grouped), ("seconds", seconds.fixed(1)),
      ("a second", seconds > 0 ? (Double(tally.requests) / seconds).fixed(1) : "0"),
      ("errors", tally.errors.grouped), ("seed", "\(plan.seed)"),
    ]
    if let lag = tally.lag.percentile(99) {
      facts.append(("send lag p99", LayerTimes.readable(lag)))
    }
    return facts
  }

  // MARK: Tables

  static func cell(_ nanoseconds: UInt64?) -> String {
    guard let nanoseconds else { return "<td>unknown</td>" }
    let exact = (Double(nanoseconds) / 1e3).plain
    return "<td data-us=\"\(exact)\">\(LayerTimes.readable(nanoseconds))</td>"
  }

  private static func appendPercentiles(_ tally: LoadTally, to output: OutputBuffer) {
    guard tally.latency.count > 0 else { return }
    output.append("<div class=\"wide figures\"><table id=\"percentiles\"><thead><tr><th></th>")
    output.append("<th>latency</th><th>from</th><th>to</th><th>service</th></tr></thead><tbody>")
    for percent in LoadTally.shownPercentiles {
      let interval = QuantileInterval.interval(of: tally.latency, percent, confidence: 0.95)
      output.append("<tr><td>p\(percent.plain)</td>" as String)
      for value in [
        tally.latency.percentile(percent), interval.low, interval.high,
        tally.service.percentile(percent),
      ] { output.append(cell(value)) }
      output.append("</tr>")
    }
    output.append("<tr><td>max</td>\(cell(tally.latency.maximum))<td></td><td></td>" as String)
    output.append("\(cell(tally.service.maximum))</tr></tbody></table></div>" as String)
  }

  private static func appendWorst(
    _ tally: LoadTally, _ epoch: Timestamp, to output: OutputBuffer
  ) {
    guard !tally.worst.isEmpty else { return }
    output.append(
      "<section><h2>The slowest</h2><div class=\"wide figures\"><table id=\"worst\"><thead><tr>")
    output.append("<th>due</th><th>latency</th><th>service</th><th>status</th></tr></thead><tbody>")
    for sample in tally.worst {
      output.append("<tr><td>\(LoadSample.wall(sample.due, epoch).rfc3339)</td>" as String)
      output.append(cell(sample.latency) + cell(sample.service))
      output.append("<td>\((sample.fault ?? "\(sample.status)").escapedXML)</td></tr>" as String)
    }
    output.append("</tbody></table></div></section>")
  }

  // MARK: Charts

  /// At most so many points across: of several seconds that share one, the worst.
  private static let pointsMax = 240

  private static func byTime(_ tally: LoadTally) -> PageChart? {
    let seconds = tally.seconds
    guard seconds.count > 1 else { return nil }
    let step = (seconds.count + pointsMax - 1) / pointsMax
    func points(_ value: (LoadTally.Second) -> UInt64) -> [(x: Double, y: Double)] {
      stride(from: 0, to: seconds.count, by: step).map { start in
        let group = seconds[start..<min(start + step, seconds.count)]
        return (x: Double(group[start].index), y: Double(group.map(value).max()!))
      }
    }
    let series = [
      PageChart.Series(name: "p50", colour: 0, shape: .line, points: points(\.p50)),
      .init(name: "p99", colour: 1, shape: .line, points: points(\.p99)),
      .init(name: "max", colour: 2, shape: .line, points: points(\.maximum)),
    ]
    return PageChart(
      title: "Latency by time",
      x: .linear("seconds", through: Double(seconds.last!.index), unit: " s"),
      y: .latency(series.flatMap { $0.points.map(\.y) }), series: series)
  }

  /// Percentiles spread by how many requests lie beyond them: 90, 99, 99.9 are equally far apart.
  private static func byPercentile(_ tally: LoadTally) -> PageChart? {
    guard tally.latency.count > 1 else { return nil }
    let last = Double(tally.latency.count)
    let nines = log10(last)
    // Eight places for each power of ten.
    let beyond = stride(from: 0.0, through: nines * 8, by: 1).map { pow(10, $0 / 8) }
    func points(_ histogram: LatencyHistogram) -> [(x: Double, y: Double)] {
      var points = beyond.map { place in
        (x: place, y: Double(histogram.percentile((1 - 1 / place) * 100) ?? 0))
      }
      points.append((x: last, y: Double(histogram.maximum)))
      return points
    }
    let series = [
      PageChart.Series(name: "latency", colour: 0, shape: .line, points: points(tally.latency)),
      .init(name: "service", colour: 1, shape: .line, points: points(tally.service)),
    ]
    let names = ["p0", "p90", "p99", "p99.9", "p99.99", "p99.999", "p99.9999"]
    let ticks = names.enumerated().map { (value: pow(10, Double($0.offset)), text: $0.element) }
    return PageChart(
      title: "Latency by percentile",
      x: PageChart.Axis(
        label: "percentile, on a log scale", isLogarithmic: true,
        ticks: ticks.filter { $0.value <= last }, low: 1, high: max(10, last)),
      y: .latency(series.flatMap { $0.points.map(\.y) }), series: series)
  }

  private static func throughput(_ tally: LoadTally) -> PageChart? {
    let seconds = tally.seconds
    guard seconds.count > 1 else { return nil }
    let step = (seconds.count + pointsMax - 1) / pointsMax
    func points(_ value: (LoadTally.Second) -> Int) -> [(x: Double, y: Double)] {
      stride(from: 0, to: seconds.count, by: step).map {
        (x: Double(seconds[$0].index), y: Double(value(seconds[$0])))
      }
    }
    return PageChart(
      title: "Replies and errors by time",
      x: .linear("seconds", through: Double(seconds.last!.index), unit: " s"),
      y: .linear("a second", through: Double(seconds.map(\.count).max()!)),
      series: [
        .init(name: "replies a second", colour: 0, shape: .line, points: points(\.count)),
        .init(name: "errors a second", colour: 4, shape: .line, points: points(\.errors)),
      ])
  }

  private static func layers(_ tally: LoadTally) -> StackedBars? {
    guard !tally.layers.isEmpty else { return nil }
    let names = LayerTiming.names + ["elsewhere"]
    var known = tally.layers.map { $0.count > 0 ? Double($0.sum) / Double($0.count) : 0 }
    let whole = Double(tally.latency.sum) / Double(max(1, tally.latency.count))
    known.append(max(0, whole - known.reduce(0, +)))
    var rows = [StackedBars.Row(name: "mean of all", parts: known)]
    for sample in tally.worst.prefix(5) where sample.layers.isPresent {
      var parts = (0..<LayerTiming.count).map { Double(sample.layers.nanoseconds[$0]) }
      parts.append(max(0, Double(sample.latency) - parts.reduce(0, +)))
      rows.append(.init(name: "slow", parts: parts))
    }
    return StackedBars(title: "Where the time goes, by layer", names: names, rows: rows)
  }
}
