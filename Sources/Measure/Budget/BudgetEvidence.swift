// What was measured, gathered from records of several kinds in flat memory, and what it says of each clause.

public import Core

public struct BudgetEvidence: Sendable {
  /// One request, or one decision.
  public struct Observation: Sendable {
    /// Nil where it did not take a time that says anything, as of a refused connection.
    public var latency: UInt64?
    public var service: UInt64?
    public var isError = false
    /// Says how long it took, and not whether a request failed.
    public private(set) var isDecision = false
    public var due: Timestamp?
    public var layers = LayerTiming()

    public init() {}

    /// A decision takes as long as its layers together.
    public init(decision layers: LayerTiming) {
      latency = (0..<LayerTiming.count).reduce(0) { $0 &+ layers.nanoseconds[$1] }
      isDecision = true
      self.layers = layers
    }
  }

  private var latency = BatchedLatencies()
  private var service = BatchedLatencies()
  private var layers: [BatchedLatencies?] = .init(repeating: nil, count: LayerTiming.count)
  private var outcomes = BatchedErrors()
  private var tail = TailAttribution()
  private var hasTail = false
  private let needs: Needs
  private var firstDue = Timestamp.distantFuture
  private var lastDue = Timestamp.distantPast
  /// Requests by the seconds of runs whose samples are not here.
  private var summarySeconds = 0.0
  private var summaryRequests = 0
  private var decisions = 0
  private var windows: [WindowTally?]
  /// One kind of times of many requests, on their way to a histogram.
  private var column: [UInt64] = []
  private let clauses: [Clause]
  private let confidence: Double
  private let allowedErrors: Double
  public private(set) var invalidity: String?
  public private(set) var isClosedLoop = false

  /// - Parameters:
  ///   - confidence: of each interval, as in 0.95.
  ///   - allowedErrors: share that `burn` counts against.
  public init(_ clauses: [Clause], confidence: Double, allowedErrors: Double) {
    self.clauses = clauses
    self.confidence = confidence
    self.allowedErrors = max(allowedErrors, 1e-9)
    windows = clauses.map { $0.window.map(WindowTally.init) }
    needs = Needs(clauses)
  }

  public var count: Int { outcomes.count + decisions }

  // MARK: Taking up

  public mutating func record(_ observation: Observation) {
    count(observation)
    guard let total = observation.latency else { return }
    if needs.latency { latency.record(total) }
    if needs.service, let own = observation.service { service.record(own) }
    guard observation.layers.isPresent else { return }
    if needs.tail { recordTail(total, observation.layers) }
    for index in needs.layers {
      guard let nanoseconds = observation.layers[index] else { continue }
      if layers[index] == nil { layers[index] = BatchedLatencies() }
      layers[index]!.record(nanoseconds)
    }
  }

  /// Many in their order, as one after another: times go to their histograms column by column, each in a loop of its own.
  public mutating func record(contentsOf observations: ArraySlice<Observation>) {
    observations.withUnsafeBufferPointer { observations in
      for observation in observations {
        count(observation)
        guard needs.tail, observation.layers.isPresent, let total = observation.latency else {
          continue
        }
        recordTail(total, observation.layers)
      }
      if needs.latency {
        fill(observations) { $0.latency }
        column.withUnsafeBufferPointer { latency.record(contentsOf: $0) }
      }
      if needs.service {
        fill(observations) { $0.latency == nil ? nil : $0.service }
        column.withUnsafeBufferPointer { service.record(contentsOf: $0) }
      }
      for index in needs.layers {
        fill(observations) { $0.latency == nil ? nil : $0.layers[index] }
        guard !column.isEmpty else { continue }
        if layers[index] == nil { layers[index] = BatchedLatencies() }
        column.withUnsafeBufferPointer { layers[index]!.record(contentsOf: $0) }
      }
    }
  }

  @inline(__always)
  private mutating func fill(
    _ observations: UnsafeBufferPointer<Observation>, _ time: (Observation) -> UInt64?
  ) {
    column.removeAll(keepingCapacity: true)
    for observation in observations {
      if let time = time(observation) { column.append(time) }
    }
  }

  @inline(__always)
  private mutating func count(_ observation: Observation) {
    if observation.isDecision {
      decisions += 1
    } else {
      outcomes.record(isError: observation.isError)
    }
    guard let due = observation.due else { return }
    firstDue = min(firstDue, due)
    lastDue = max(lastDue, due)
    if needs.windows { recordInWindows(observation, due) }
  }

  @inline(__always)
  private mutating func recordTail(_ total: UInt64, _ timing: LayerTiming) {
    tail.record(total, timing)
    hasTail = true
  }

  private mutating func recordInWindows(_ observation: Observation, _ due: Timestamp) {
    for (index, clause) in clauses.enumerated() where windows[index] != nil {
      switch clause.metric {
      case .percentile:
        guard let latency = observation.latency else { continue }
        windows[index]!.record(due, isOver: Double(latency) > clause.bound)
      default: windows[index]!.record(due, isOver: observation.isError)
      }
    }
  }

  /// A run's histograms in place of its samples.
  public mutating func merge(
    requests: Int, errors: Int, seconds: Double, latency: LatencyHistogram,
    service: LatencyHistogram?, layers: [LatencyHistogram?]
  ) {
    outcomes.add(requests, errors: errors)
    summaryRequests += requests
    summarySeconds += seconds
    self.latency.merge(latency)
    if let service { self.service.merge(service) }
    for (index, histogram) in layers.enumerated() {
      guard let histogram, histogram.count > 0 else { continue }
      if self.layers[index] == nil { self.layers[index] = BatchedLatencies() }
      self.layers[index]!.merge(histogram)
    }
  }

  /// What a run's summary says of it.
  public mutating func note(invalid why: String?, isClosedLoop: Bool) {
    if let why { invalidity = invalidity ?? why }
    if isClosedLoop { self.isClosedLoop = true }
  }

  // MARK: Judging

  public func verdicts() -> [Verdict] {
    clauses.indices.map { index in
      let clause = clauses[index]
      if let invalidity {
        return Verdict(
          clause, .inconclusive, value: nil, interval: nil, count: count,
          why: "the run was invalid: \(invalidity)")
      }
      if count == 0 {
        return Verdict(
          clause, .inconclusive, value: nil, interval: nil, count: 0, why: "there is no data")
      }
      if let window = windows[index] { return windowVerdict(clause, window.windows) }
      return verdict(clause)
    }
  }

  private func verdict(_ clause: Clause) -> Verdict {
    switch clause.metric {
    case .percentile(let subject, let percent):
      guard let data = data(of: subject) else { return missing(clause, subject) }
      let interval = data.interval(percent, confidence: confidence)
      var verdict = judge(
        clause, Double(data.all.percentile(percent)!), Double(interval.low),
        interval.high.map { Double($0) }, data.all.count)
      if subject == .total, hasTail {
        verdict.tail = tail.shares(above: data.all.percentile(percent)!)
      }
      return verdict
    case .mean(let subject):
      guard let data = data(of: subject) else { return missing(clause, subject) }
      guard let mean = data.mean(confidence: confidence) else {
        let value = Double(data.all.sum) / Double(data.all.count)
        return Verdict(
          clause, .inconclusive, value: value, interval: nil, count: data.all.count,
          why: "too few requests in order for an interval around the mean: 128 at least")
      }
      return judge(clause, mean.value, mean.low, mean.high, data.all.count)
    case .maximum(let subject):
      guard let data = data(of: subject) else { return missing(clause, subject) }
      let value = Double(data.all.maximum)
      return judge(clause, value, value, value, data.all.count)
    case .errors, .availability, .burn, .rate, .count: return countVerdict(clause)
    }
  }

  private func countVerdict(_ clause: Clause) -> Verdict {
    if clause.metric == .count {
      return judge(clause, Double(count), Double(count), Double(count), count)
    }
    if clause.metric == .rate {
      let span = Double(lastDue.microseconds &- firstDue.microseconds) / 1e6
      let seconds = summarySeconds + (firstDue < lastDue ? span : 0)
      let requests = summaryRequests + (firstDue < lastDue ? outcomes.count - summaryRequests : 0)
      guard seconds > 0 else { return missing(clause, "no two requests say when they were due") }
      let value = Double(requests) / seconds
      return judge(clause, value, value, value, requests)
    }
    guard outcomes.count > 0 else { return missing(clause, "decisions do not say what failed") }
    let share = Double(outcomes.errors) / Double(outcomes.count)
    let interval = outcomes.interval(confidence: confidence)
    return judge(
      clause, scaled(share, clause), scaled(interval.lowerBound, clause),
      scaled(interval.upperBound, clause), outcomes.count)
  }

  /// A share of errors in what the clause counts.
  private func scaled(_ share: Double, _ clause: Clause) -> Double {
    switch clause.metric {
    case .availability: 1 - share
    case .burn: share / allowedErrors
    default: share
    }
  }

  private func data(of subject: Clause.Subject) -> BatchedLatencies? {
    let data: BatchedLatencies? =
      switch subject {
      case .total: latency
      case .service: service
      case .layer(let index): layers[index]
      }
    guard let data, data.all.count > 0 else { return nil }
    return data
  }

  private func missing(_ clause: Clause, _ subject: Clause.Subject) -> Verdict {
    missing(clause, "'\(subject.name)' was not measured: no record has it")
  }

  private func missing(_ clause: Clause, _ why: String) -> Verdict {
    Verdict(clause, .inconclusive, value: nil, interval: nil, count: 0, why: why)
  }

  /// Pass where the whole interval keeps the bound, fail where none of it does.
  private func judge(
    _ clause: Clause, _ value: Double, _ low: Double, _ high: Double?, _ count: Int
  ) -> Verdict {
    let ends = (min(low, high ?? low), high.map { max(low, $0) })
    let answer: Verdict.Answer
    if clause.isUpperBound {
      answer =
        (high.map { $0 <= clause.bound } ?? false)
        ? .pass : low > clause.bound ? .fail : .inconclusive
    } else {
      let worst = ends.0
      answer =
        worst >= clause.bound ? .pass : (ends.1 ?? .infinity) < clause.bound ? .fail : .inconclusive
    }
    let why =
      switch answer {
      case .pass: ""
      case .fail: "the whole interval is beyond the bound"
      case .inconclusive:
        high == nil
          ? "too few requests: nothing is known above the largest"
          : "the bound lies within the interval: more requests would tell"
      }
    return Verdict(clause, answer, value: value, interval: ends, count: count, why: why)
  }

  // MARK: Windows

  /// Every window on its own, at a confidence that allows for how many there are; the worst one is shown. A window
  /// with too few requests says nothing against the clause, and alone nothing for it.
  private func windowVerdict(_ clause: Clause, _ windows: [WindowTally.Window]) -> Verdict {
    guard !windows.isEmpty else { return missing(clause, "no record says when it was due") }
    let tail = (1 - confidence) / Double(windows.count)
    let share = WindowShare(clause, allowedErrors: allowedErrors)
    var worst: (window: WindowTally.Window, value: Double)?
    var (failed, passed) = (0, 0)
    for window in windows {
      let value = Double(window.over) / Double(window.count)
      if worst == nil || value > worst!.value { worst = (window, value) }
      let interval = BinomialDistribution.interval(
        window.over, of: window.count, confidence: 1 - tail)
      if interval.lowerBound > share.allowed { failed += 1 }
      if interval.upperBound <= share.allowed { passed += 1 }
    }
    let answer: Verdict.Answer =
      failed > 0 ? .fail : passed == windows.count ? .pass : .inconclusive
    let start = Timestamp(microseconds: worst!.window.start).rfc3339
    let what = share.isOfLatency ? "above the bound" : "failed"
    return Verdict(
      clause, answer, value: share.isOfLatency ? nil : scaled(worst!.value, clause), interval: nil,
      count: worst!.window.count,
      why: "of \(windows.count.grouped) windows \(failed.grouped) break it and \(passed.grouped)"
        + " keep it for sure; the worst, from \(start): \(worst!.window.over.grouped) of"
        + " \(worst!.window.count.grouped) \(what)")
  }
}

/// What the clauses read of a request; the rest of it need not be counted.
private struct Needs {
  var latency = false
  var service = false
  /// Indices into `LayerTiming.names`.
  var layers: [Int] = []
  /// Where the slowest spent their time is told beside percentiles of the total.
  var tail = false
  var windows = false

  init(_ clauses: [Clause]) {
    for clause in clauses {
      if clause.window != nil { windows = true }
      switch clause.metric {
      case .percentile(let subject, _):
        need(subject)
        if subject == .total { tail = true }
      case .mean(let subject), .maximum(let subject): need(subject)
      case .errors, .availability, .burn, .rate, .count: break
      }
    }
  }

  private mutating func need(_ subject: Clause.Subject) {
    switch subject {
    case .total: latency = true
    case .service: service = true
    case .layer(let index): if !layers.contains(index) { layers.append(index) }
    }
  }
}

/// Which share of a window's requests may be over.
private struct WindowShare {
  let allowed: Double
  let isOfLatency: Bool

  init(_ clause: Clause, allowedErrors: Double) {
    allowed = clause.allowedShare(errors: allowedErrors) ?? 0
    isOfLatency = clause.isLatency
  }
}
