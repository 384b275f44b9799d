// A run for people: what was asked, percentiles with their histogram, where the time went, the worst requests.

public import Core

public enum LoadReport {
  public static func text(_ tally: LoadTally, _ plan: LoadPlan, epoch: Timestamp) -> String {
    var text = "\(plan.url)\n  \(describe(plan.load)), seed \(plan.seed)\n"
    if let why = tally.invalidity(plan) { text += "  INVALID: \(why)\n" }
    let rate = tally.elapsedSeconds > 0 ? Double(tally.requests) / tally.elapsedSeconds : 0
    text += "  \(tally.requests.grouped) requests in \(tally.elapsedSeconds.fixed(1)) s"
    text += " (\(rate.fixed(1))/s), \(tally.errors.grouped) errors\(outcomes(tally))\n"
    guard tally.latency.count > 0 else { return text }
    text += "\n" + percentiles(tally) + "\n" + histogram(tally.latency)
    if !tally.layers.isEmpty { text += "\n" + layers(tally) }
    return text + "\n" + worst(tally, epoch)
  }

  public static func describe(_ load: LoadPlan.Load) -> String {
    switch load {
    case .open(let arrivals, let stages):
      let shown = stages.map { "\($0.rate.plain)/s for \($0.duration.description)" }
      return "open loop, \(arrivals) arrivals" + (stages.isEmpty ? "" : ": ")
        + shown.joined(separator: ", then ")
    case .closed(let concurrency):
      return "CLOSED loop, \(concurrency) clients: a slow server is asked less, so these"
        + " percentiles are kinder than what users see at a given rate"
    }
  }

  private static func outcomes(_ tally: LoadTally) -> String {
    var parts: [String] = []
    for status in tally.statuses.keys.sorted() where status >= 400 {
      parts.append("status \(status): \(tally.statuses[status]!.grouped)")
    }
    for fault in tally.faults.keys.sorted() {
      parts.append("\(fault): \(tally.faults[fault]!.grouped)")
    }
    if tally.waitedForConnection > 0 {
      parts.append("\(tally.waitedForConnection.grouped) waited for a connection")
    }
    return parts.isEmpty ? "" : " (\(parts.joined(separator: ", ")))"
  }

  private static func percentiles(_ tally: LoadTally) -> String {
    var text = "             latency     service        95 % interval of latency\n"
    for percent in LoadTally.shownPercentiles {
      let interval = QuantileInterval.interval(of: tally.latency, percent, confidence: 0.95)
      text += Help.padded("  p\(percent.plain)", 10)
      text += LayerTimes.readable(tally.latency.percentile(percent)!).leftPadded(10)
      text += LayerTimes.readable(tally.service.percentile(percent)!).leftPadded(12)
      let low = LayerTimes.readable(interval.low)
      let high = interval.high.map(LayerTimes.readable) ?? "unknown: too few requests"
      text += "        \(low) … \(high)\n"
    }
    text += "  max     " + LayerTimes.readable(tally.latency.maximum).leftPadded(10)
    text += LayerTimes.readable(tally.service.maximum).leftPadded(12) + "\n"
    if let late = tally.lag.percentile(99) {
      text += "  send lag p99 \(LayerTimes.readable(late)), max "
      text += "\(LayerTimes.readable(tally.lag.maximum))\n"
    }
    return text
  }

  /// Bars between the smallest value and the largest, each step half as wide again as the one before it.
  static func histogram(_ histogram: LatencyHistogram) -> String {
    var bars: [(bound: UInt64, count: Int)] = []
    histogram.forEachBucket { _, highest, count in
      if let last = bars.last, highest <= last.bound {
        bars[bars.count - 1].count += count
      } else {
        var bound = bars.last?.bound ?? LoadReport.firstBound(highest)
        while bound < highest {
          let next = bound + max(1, bound / 2)
          if bound > 0, let last = bars.last, last.bound < bound { bars.append((bound, 0)) }
          bound = next
        }
        bars.append((bound, count))
      }
    }
    let most = bars.map(\.count).max() ?? 1
    return bars.map { bar in
      let length = max(bar.count > 0 ? 1 : 0, bar.count * 40 / most)
      let share = (Double(bar.count) * 100 / Double(histogram.count)).fixed(2)
      return "  ≤ " + LayerTimes.readable(bar.bound).leftPadded(8) + " "
        + Help.padded(String(repeating: "█", count: length), 41) + share.leftPadded(7) + " %\n"
    }.joined()
  }

  private static func firstBound(_ value: UInt64) -> UInt64 { value + value / 8 }

  private static func layers(_ tally: LoadTally) -> String {
    var text = "  layer (as the server says)      p50       p99       max\n"
    for (index, histogram) in tally.layers.enumerated() where histogram.count > 0 {
      text += Help.padded("  \(LayerTiming.names[index])", 27)
      for value in [histogram.percentile(50)!, histogram.percentile(99)!, histogram.maximum] {
        text += LayerTimes.readable(value).leftPadded(10)
      }
      text += "\n"
    }
    return text
  }

  private static func worst(_ tally: LoadTally, _ epoch: Timestamp) -> String {
    var text = "  the slowest\n"
    for sample in tally.worst.prefix(5) {
      let due = LoadSample.wall(sample.due, epoch).rfc3339
      text += "    \(due)  \(LayerTimes.readable(sample.latency).leftPadded(8))"
      text += sample.fault.map { "  \($0)" } ?? "  status \(sample.status)"
      if sample.layers.isPresent {
        let layers = (0..<LayerTiming.count).map { sample.layers.nanoseconds[$0] }
        let most = layers.indices.max { layers[$0] < layers[$1] }!
        text += ", \(LayerTiming.names[most]) \(LayerTimes.readable(layers[most]))"
      }
      text += "\n"
    }
    return text
  }

  /// One line while it runs: the last whole second, and a small histogram of all so far.
  public static func liveLine(_ tally: LoadTally, since begin: UInt64, now: UInt64) -> String {
    guard let second = tally.seconds.last else { return "warming up" }
    let bars = Array(" ▁▂▃▄▅▆▇█")
    var counts = [Int](repeating: 0, count: 16)
    let (low, high) = (tally.latency.percentile(0.1) ?? 1, max(tally.latency.maximum, 2))
    let width = Double(max(high / max(low, 1), 2))
    tally.latency.forEachBucket { lowest, _, count in
      let place = logRatio(Double(max(lowest, 1)) / Double(max(low, 1)), width)
      counts[min(15, max(0, Int(place * 16)))] += count
    }
    let most = max(counts.max()!, 1)
    let shape = String(counts.map { bars[$0 == 0 ? 0 : max(1, $0 * 8 / most)] })
    let seconds = Int((now - min(begin, now)) / 1_000_000_000)
    return "\(seconds) s  \(second.count.grouped)/s  p50 \(LayerTimes.readable(second.p50))"
      + "  p99 \(LayerTimes.readable(second.p99))  \(tally.errors.grouped) errors  [\(shape)]"
  }

  private static func logRatio(_ ratio: Double, _ width: Double) -> Double {
    // The whole part by the exponent, the rest linear: near enough for sixteen bars.
    func log2(_ value: Double) -> Double {
      guard value > 0 else { return 0 }
      return Double(value.exponent) + value.significand - 1
    }
    return log2(ratio) / max(log2(width), 1)
  }
}
