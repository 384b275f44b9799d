// What bench search found, as one page: the answer, latency against rate, and a table of every rate that was tried.

public import Core

public enum SearchPage {
  /// One rate that was tried.
  public struct Step: Sendable {
    /// Requests a second.
    public let rate: Double
    /// kept, broken or invalid.
    public let answer: String
    public let isConfirming: Bool
    /// Nanoseconds; nil where nothing was answered.
    public let p50: UInt64?
    public let p99: UInt64?
    public let requests: Int
    public let errors: Int

    public init(
      rate: Double, answer: String, isConfirming: Bool, p50: UInt64?, p99: UInt64?, requests: Int,
      errors: Int
    ) {
      (self.rate, self.answer, self.isConfirming) = (rate, answer, isConfirming)
      (self.p50, self.p99, self.requests, self.errors) = (p50, p99, requests, errors)
    }
  }

  /// - Parameters:
  ///   - kept: the answer, in requests a second; nil: no rate kept the promise.
  ///   - isLimited: the generator, not the server, was the limit.
  public static func append(
    _ steps: [Step], url: String, promise: String, kept: Double?, isLimited: Bool,
    machine: Machine, to output: OutputBuffer
  ) {
    let heading = isLimited ? "No answer" : kept.map { "\($0.fixed(0))/s" } ?? "No rate"
    let lead =
      isLimited
      ? "the generator was the limit, not the server"
      : kept == nil ? "keeps \(promise)" : "is the highest rate that keeps \(promise)"
    Page.open(
      title: "\(url): \(heading)",
      answer: isLimited ? "inconclusive" : kept == nil ? "fail" : "pass", heading: heading,
      lead: "\(lead); \(url)", to: output)
    Page.append(
      [
        ("promise", promise), ("rates tried", "\(steps.count)"),
        ("requests", steps.reduce(0) { $0 + $1.requests }.grouped),
      ], to: output)
    output.append("<div class=\"pair\">")
    chart(steps)?.append(to: output)
    output.append("</div>")
    appendTable(steps, to: output)
    Page.close(
      footer: "Filled points kept the promise, open ones broke it. Latency counts from when a"
        + " request was due. \(machine.processor), \(machine.cores) cores, \(machine.kernel),"
        + " rtinfer \(machine.build).", to: output)
  }

  private static func chart(_ steps: [Step]) -> PageChart? {
    let answered = steps.filter { $0.p50 != nil && $0.p99 != nil && $0.answer != "invalid" }
      .sorted { $0.rate < $1.rate }
    guard let most = answered.last?.rate else { return nil }
    var series: [PageChart.Series] = []
    let measures: [(String, (Step) -> UInt64?)] = [
      ("p50", { $0.p50 }), ("p99", { $0.p99 }),
    ]
    for (colour, (name, value)) in measures.enumerated() {
      func points(_ chosen: [Step]) -> [(x: Double, y: Double)] {
        chosen.map { (x: $0.rate, y: Double(value($0)!)) }
      }
      series += [
        .init(name: name, colour: colour, shape: .line, points: points(answered)),
        .init(
          name: "\(name), kept", colour: colour, shape: .marks,
          points: points(answered.filter { $0.answer == "kept" })),
        .init(
          name: "\(name), broken", colour: colour, shape: .openMarks,
          points: points(answered.filter { $0.answer == "broken" })),
      ]
    }
    return PageChart(
      title: "Latency against rate", x: .linear("requests a second", through: most),
      y: .latency(series.flatMap { $0.points.map(\.y) }),
      series: series.filter { !$0.points.isEmpty })
  }

  private static func appendTable(_ steps: [Step], to output: OutputBuffer) {
    output.append(
      "<div class=\"wide figures\"><table id=\"steps\"><thead><tr><th>rate</th><th>promise</th>")
    output.append("<th>p50</th><th>p99</th><th>errors</th><th>requests</th></tr></thead><tbody>")
    for step in steps {
      let answer =
        step.answer == "kept" ? "pass" : step.answer == "broken" ? "fail" : "insufficient"
      output.append("<tr><td>\(step.rate.fixed(0))/s</td><td><b class=\"\(answer)\">" as String)
      output.append("\(step.answer)\(step.isConfirming ? ", once more" : "")</b></td>" as String)
      output.append(LoadPage.cell(step.p50) + LoadPage.cell(step.p99))
      output.append(
        "<td>\(step.errors.grouped)</td><td>\(step.requests.grouped)</td></tr>" as String)
    }
    output.append("</tbody></table></div>")
  }
}
