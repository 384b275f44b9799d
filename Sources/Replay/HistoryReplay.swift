// History once more: one pass over its events, in the order of their time, in which every question is decided by each
// arm with the features that it would have had.
//
//     events ─▶ reorder ─▶ moment by moment ─┬─ questions: for each arm  features as of … ─▶ model ─▶ rules
//                                            └─ then what happens in it: features, outcomes
//
// One engine answers for all arms: a question about an earlier time is the same question, and the engine keeps what the
// oldest arm may still ask for. A question that any arm cannot decide is left out of all: arms are compared on the same
// questions. Memory: the state of the features, and for each question 12 bytes an arm, its time, cluster and outcome
// (and its line, where values or a file of decisions need it).

public import Core
public import Decisions
public import Events
public import Features

public final class HistoryReplay {
  /// What a replay is about.
  public struct Subject {
    /// The event type that asks.
    public let asking: Int
    /// Nil: nobody knows what turned out.
    public let outcome: Outcome?
    /// Questions with the same value hang together; nil: those of one day, UTC.
    public let cluster: Expression?
    /// Questions with the same value are a segment; nil: nobody asks where differences come from.
    public let segment: Expression?
    /// Whether questions are needed again when all is over.
    public let keepsLines: Bool

    public init(
      asking: Int, outcome: Outcome?, cluster: Expression?, segment: Expression? = nil,
      keepsLines: Bool
    ) {
      self.asking = asking
      self.outcome = outcome
      self.cluster = cluster
      self.segment = segment
      self.keepsLines = keepsLines
    }
  }

  public private(set) var traces: [ArmTrace]
  /// Of the questions that every arm decided.
  public private(set) var times: [Timestamp] = []
  /// By question, dense from 0.
  public private(set) var clusters: [Int] = []
  /// By question, dense from 0; empty where nobody asks for segments.
  public private(set) var segments: [Int] = []
  /// By question, as it stood; empty unless the subject keeps lines.
  public private(set) var lines: [[UInt8]] = []
  /// Questions, those that were left out included.
  public private(set) var askedCount = 0

  private let subject: Subject
  private let schema: EventSchema
  private let engine: FeatureEngine
  private let decider: Decider
  /// By arm: each counts for itself what its guards see.
  private let plans: [RequestPlan]
  private let featureSlots: [Int?]
  private let collector: OutcomeCollector?
  private let clusterKeys = ByteTable()
  private let segmentKeys = ByteTable()
  private let stack = ExpressionStack()
  private let ageMax: TimeSpan
  private let rejects: Rejects
  private let trustsMarks: Bool
  private var decoder: EventDecoder?
  private var waiting = ReorderBuffer()
  /// Events of one time.
  private var moment: [WaitingEvent] = []
  private var order: Int64 = 0
  private var values: [Scalar] = []
  private let row = OutputBuffer(MemorySink())
  private var firstInputs: [Double] = []
  /// By arm, of the question at hand.
  private var answers: [(score: Double, rule: Int32)] = []
  private var staleInputs: [[Int]] = []

  /// - Parameters:
  ///   - arms: the first is the one that others are compared with.
  ///   - trustsMarks: as for the intake that the events come from.
  public init(
    _ subject: Subject, arms: [ReplayArm], features: FeatureDefinitions, schema: EventSchema,
    decider: Decider, rejects: Rejects, trustsMarks: Bool
  ) {
    let engine = FeatureEngine(features, schema: schema)
    self.subject = subject
    self.schema = schema
    self.engine = engine
    self.decider = decider
    self.rejects = rejects
    self.trustsMarks = trustsMarks
    plans = arms.map { _ in engine.plan(requestsOf: subject.asking, schema: schema) }
    featureSlots = decider.slots(ofFeatures: plans[0].answers.map(\.name))
    collector = subject.outcome.map { OutcomeCollector($0) }
    ageMax = arms.map(\.ageMax).max() ?? .zero
    traces = arms.map { ArmTrace($0, inputCount: decider.inputNames.count) }
  }

  /// By rule, what it decides.
  var decisionNames: [String] { decider.decisions }
  var inputNames: [String] { decider.inputNames }

  // MARK: Events

  /// Takes the next event.
  ///
  /// - Parameter watermark: no earlier one will come.
  public func take(_ event: WaitingEvent, watermark: Timestamp) throws(Failure) {
    waiting.insert(event)
    while let event = waiting.next(before: watermark) { try order(event) }
  }

  /// Takes what is still open, when there are no more events.
  public func finish() throws(Failure) {
    while let event = waiting.next() { try order(event) }
    try live()
  }

  private func order(_ event: WaitingEvent) throws(Failure) {
    if let first = moment.first, first.time < event.time { try live() }
    moment.append(event)
  }

  /// Every question of a moment first, then what happens in it: an outcome may come at the question's own time.
  private func live() throws(Failure) {
    let decoder = decoder ?? EventDecoder(schema, trustsMarks: trustsMarks)
    self.decoder = decoder
    for waiting in moment {
      try waiting.line.withBytes { (line) throws(Failure) in
        let event = decoder.decodeAccepted(line)
        if event.type == subject.asking { try ask(event, decoder, waiting) }
      }
    }
    for waiting in moment {
      waiting.line.withBytes { line in
        let event = decoder.decodeAccepted(line)
        collector?.observe(type: event.type, decoder.scalars, at: event.time)
        engine.apply(
          type: event.type, decoder.scalars, at: event.time, order: order,
          watermark: event.time - ageMax)
      }
      order += 1
    }
    moment.removeAll(keepingCapacity: true)
  }

  // MARK: Questions

  private func ask(
    _ event: Event, _ decoder: EventDecoder, _ waiting: WaitingEvent
  ) throws(Failure) {
    askedCount += 1
    do throws(BadRecord) {
      try readRequest(event, decoder)
    } catch {
      return try rejects.add(
        error.reason, source: "offset", line: Int(waiting.offset), byte: 0,
        raw: decoder.scanner.line)
    }
    guard decideInEveryArm(event, decoder) else { return }
    for arm in traces.indices {
      traces[arm].scores.append(answers[arm].score)
      traces[arm].rules.append(answers[arm].rule)
      for input in staleInputs[arm] { traces[arm].staleInputs[input] += 1 }
    }
    times.append(event.time)
    clusters.append(cluster(of: event, decoder))
    if let expression = subject.segment {
      segments.append(number(of: expression, decoder, in: segmentKeys))
    }
    if subject.keepsLines { lines.append(waiting.line) }
    collector?.ask(decoder.scalars, at: event.time)
  }

  /// What asks is told to the decider as a features record without features.
  private func readRequest(_ event: Event, _ decoder: EventDecoder) throws(BadRecord) {
    row.rewind(to: 0)
    row.append("{\"kind\":\"features\",\"time\":")
    row.appendQuoted(event.time)
    row.append(",\"request\":")
    row.append(decoder.scanner.line)
    row.append(",\"features\":{}}")
    _ = try decider.read(row.pending)
  }

  /// - Returns: false where an arm could not.
  private func decideInEveryArm(_ event: Event, _ decoder: EventDecoder) -> Bool {
    answers.removeAll(keepingCapacity: true)
    staleInputs = traces.map { _ in [] }
    var isComplete = true
    for arm in traces.indices {
      engine.lookUp(
        plans[arm], decoder.scalars, at: traces[arm].arm.asOf(event.time), into: &values)
      guard decide(arm) else {
        traces[arm].refusedCount += 1
        isComplete = false
        continue
      }
      let rule = decider.decision.rule.map { Int32($0) } ?? -1
      answers.append((decider.decision.scores.max() ?? 0, rule))
      if isComplete { compareInputs(arm) }
    }
    return isComplete
  }

  private func decide(_ arm: Int) -> Bool {
    let breaksGuard = engine.broken.contains {
      $0.consequence == .reject
    }
    guard !breaksGuard else { return false }
    decider.take(features: values, slots: featureSlots)
    do throws(BadRecord) {
      try decider.gather(.features)
    } catch {
      return false
    }
    decider.judge()
    decider.conclude(.features)
    return true
  }

  private func compareInputs(_ arm: Int) {
    let inputs = decider.gathered
    if arm == 0 {
      firstInputs.removeAll(keepingCapacity: true)
      firstInputs.append(contentsOf: inputs)
      return
    }
    for input in inputs.indices
    where inputs[input] != firstInputs[input]
      && !(inputs[input].isNaN && firstInputs[input].isNaN)
    {
      staleInputs[arm].append(input)
    }
  }

  private func cluster(of event: Event, _ decoder: EventDecoder) -> Int {
    if let expression = subject.cluster { return number(of: expression, decoder, in: clusterKeys) }
    row.rewind(to: 0)
    row.append(event.time.roundedDown(to: .days(1)))
    return clusterKeys.insert(row.pending).index
  }

  /// Of the value, as JSON.
  private func number(
    of expression: Expression, _ decoder: EventDecoder, in keys: ByteTable
  ) -> Int {
    row.rewind(to: 0)
    row.append(expression.evaluate(decoder.scalars, stack))
    stack.reset()
    return keys.insert(row.pending).index
  }

  /// What a segment's questions have in common, as JSON.
  public func segmentName(_ segment: Int) -> String { segmentKeys[segment].string }

  // MARK: What turned out

  /// Whether the events reach beyond the moment at which a question's outcome is known for good.
  public func hasMatured(_ question: Int) -> Bool { collector?.hasMatured(question) ?? false }

  /// Null where there is none. Text is valid as long as this object.
  public func outcome(_ question: Int) -> Scalar { collector?.value(question) ?? .null }

  /// What each question's decision was worth, by arm; nil where that is not known.
  ///
  /// - Precondition: the subject keeps lines, if the values read members.
  public func values(_ declared: DecisionValues) -> [[Double?]] {
    let decoder = decoder ?? EventDecoder(schema, trustsMarks: trustsMarks)
    let names = decider.decisions.map { Bytes(owning: $0) }
    var result = traces.map { _ in [Double?]() }
    for question in times.indices {
      let outcome = outcome(question)
      if declared.readsMembers {
        lines[question].withBytes { _ = decoder.decodeAccepted($0) }
      }
      for (arm, trace) in traces.enumerated() {
        let rule = Int(trace.rules[question])
        result[arm].append(
          outcome.isNull
            ? nil
            : declared.value(
              decision: rule < 0 ? nil : names[rule], outcome: outcome,
              score: trace.scores[question], members: decoder.scalars))
      }
    }
    return result
  }
}
