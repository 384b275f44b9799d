// A budget before there is one. From a target alone it is the field's split of 50 ms, scaled; from measured requests each
// layer gets its share of the target by the percentile that it was measured at. What is left is the buffer: waiting, the
// way there and back, and what no layer counts.
//
//     50 ms:  request 2 │ features 15      │ inference 20           │ post 3 │ resp 2 │ buffer 8
//
// Percentiles of layers do not add up to the percentile of the whole. Their sum is what a budget declares, and a budget
// whose layers all keep their bounds at 1 − e leaves at most as many e of requests above the sum as there are layers.

public import Core

public struct PlannedBudget: Sendable {
  /// What is known of a layer or of the whole, in microseconds.
  public struct Measured: Sendable {
    public let value: Double
    /// Where the percentile surely lies; without an upper end where there were too few requests.
    public let low: Double
    public let high: Double?
  }

  public struct Line: Sendable {
    public let layer: Layer
    public let bound: TimeSpan
    public let measured: Measured?
  }

  public let percent: Double
  public let total: TimeSpan
  public let lines: [Line]
  public let buffer: TimeSpan
  public let measured: Measured?
  /// Requests behind the figures.
  public let count: Int
  /// Whether what was measured fits into the total.
  public let answer: Verdict.Answer
  public let why: String

  /// Thousandths of the target that each layer gets where nothing is known; the rest is the buffer.
  static let usualShares: [(layer: Layer, thousandths: Int64)] = [
    (.request, 40), (.features, 300), (.inference, 400), (.postprocess, 60), (.response, 40),
  ]
  static let bufferShare = 0.16
  /// Microseconds; below it a layer's share is no whole one.
  private static let leastTotal = 100.0

  /// The field's split.
  public init(target: TimeSpan, percent: Double) {
    precondition(target > .zero, "a target is some time")
    self.percent = percent
    total = target
    let lines = PlannedBudget.usualShares.map { share in
      Line(
        layer: share.layer, bound: PlannedBudget.part(target, share.thousandths), measured: nil)
    }
    self.lines = lines
    buffer = PlannedBudget.rest(target, lines)
    (measured, count, answer) = (nil, 0, .pass)
    why = "the field's split, scaled: nothing was measured"
  }

  /// From what was measured.
  ///
  /// - Parameter target: nil for the least that what was measured fits into with a buffer.
  public init?(
    _ evidence: LayerEvidence, target: TimeSpan?, percent: Double, confidence: Double
  ) {
    guard let whole = PlannedBudget.measured(evidence.total, percent, confidence) else {
      return nil
    }
    let layers = Layer.allCases.enumerated().compactMap { index, layer in
      PlannedBudget.measured(evidence.layers[index], percent, confidence).map { (layer, $0) }
    }
    .filter { ($0.1.high ?? $0.1.value) > 0 }
    let needed = layers.reduce(0.0) { $0 + ($1.1.high ?? $1.1.value) }
    let least = max(needed, whole.high ?? whole.value) / (1 - PlannedBudget.bufferShare)
    let total = target ?? PlannedBudget.roundedUp(max(least * 1.02, PlannedBudget.leastTotal))
    let room = Double(total.microseconds) * (1 - PlannedBudget.bufferShare)
    let lines = layers.map { layer, measured in
      let share = needed > 0 ? (measured.high ?? measured.value) / needed : 0
      return Line(layer: layer, bound: PlannedBudget.rounded(room * share), measured: measured)
    }
    (self.percent, self.total, self.lines) = (percent, total, lines)
    buffer = PlannedBudget.rest(total, lines)
    (measured, count) = (whole, evidence.count)
    (answer, why) = PlannedBudget.judgement(
      whole, layers.map(\.1), room: room, total: Double(total.microseconds))
  }

  private static func judgement(
    _ whole: Measured, _ layers: [Measured], room: Double, total: Double
  ) -> (Verdict.Answer, String) {
    let sum = layers.reduce(0.0) { $0 + $1.value }
    if whole.low > total { return (.fail, "what was measured takes longer than the target") }
    if layers.reduce(0.0, { $0 + $1.low }) > room {
      return (.fail, "the layers leave no buffer: each must come down to its bound")
    }
    let isKnown = whole.high != nil && layers.allSatisfy { $0.high != nil }
    guard isKnown else { return (.inconclusive, "too few requests to know the percentile") }
    if whole.high! <= total, layers.reduce(0.0, { $0 + $1.high! }) <= room {
      return (.pass, "what was measured fits, with its buffer")
    }
    return (
      .inconclusive,
      sum > room || whole.value > total
        ? "it seems not to fit: more requests would tell"
        : "it seems to fit: more requests would tell"
    )
  }

  private static func measured(
    _ latencies: BatchedLatencies, _ percent: Double, _ confidence: Double
  ) -> Measured? {
    guard let value = latencies.all.percentile(percent) else { return nil }
    let interval = latencies.interval(percent, confidence: confidence)
    return Measured(
      value: Double(value) / 1e3, low: Double(interval.low) / 1e3,
      high: interval.high.map { Double($0) / 1e3 })
  }

  // MARK: Round numbers

  private static func part(_ span: TimeSpan, _ thousandths: Int64) -> TimeSpan {
    let (whole, rest) = span.microseconds.quotientAndRemainder(dividingBy: 1_000)
    return TimeSpan(microseconds: whole * thousandths + rest * thousandths / 1_000)
  }

  private static func rest(_ total: TimeSpan, _ lines: [Line]) -> TimeSpan {
    TimeSpan(
      microseconds: lines.reduce(total.microseconds) { $0 - $1.bound.microseconds })
  }

  /// Three digits; short times are rounded up, or whole microseconds would take a part of them away.
  private static func rounded(_ microseconds: Double) -> TimeSpan {
    let step = PlannedBudget.step(microseconds, below: 1_000)
    return TimeSpan(
      microseconds: max(1, Int64((microseconds / step).rounded(step > 1 ? .down : .up) * step)))
  }

  /// Two digits.
  private static func roundedUp(_ microseconds: Double) -> TimeSpan {
    let step = PlannedBudget.step(microseconds, below: 100)
    return TimeSpan(microseconds: Int64((microseconds / step).rounded(.up) * step))
  }

  private static func step(_ microseconds: Double, below bound: Double) -> Double {
    var step = 1.0
    while microseconds / step >= bound { step *= 10 }
    return step
  }

  // MARK: The section

  /// A project file with this budget alone; what stands in one can be pasted from it.
  ///
  /// - Parameters:
  ///   - name: without quotes or control characters.
  ///   - notes: written above it, a line each.
  public func section(name: String, notes: [String]) -> String {
    var text = notes.map { "// \($0)\n" }.joined() + "{\n  budgets: {\n"
    text += "    \"\(name)\": {\n"
    text += "      total: { p\(percent.plain): \"\(total.description)\" },\n"
    if !lines.isEmpty {
      text += "      layers: {\n"
      for line in lines {
        text += "        \(line.layer.rawValue): \"\(line.bound.description)\",\n"
      }
      text += "      },\n"
    }
    text += "      buffer: \"\(buffer.description)\",\n"
    text += "      errors: \"0.1%\", availability: \"99.9%\",\n"
    return text + "    },\n  },\n}\n"
  }
}
