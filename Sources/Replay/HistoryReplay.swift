// History once more: one pass over its events, in the order of their time, in which every question is decided by each
// arm with the features that it would have had.
//
//     events ─▶ reorder ─▶ moment by moment ─┬─ questions: for each arm  features as of … ─▶ its model ─▶ its rules
//                                            └─ then what happens in it: features, outcomes
//
// One engine answers for all arms: a question about an earlier time is the same question, and the engine keeps what the
// oldest arm may still ask for. So a question waits, where an arm decides at its run, until that run has come, and then
// every arm decides it. Where events have delays of their own an arm is answered by another engine, to which they come in
// as late (`LateEvents`). Arms that look at one moment, with one model, decide alike and are asked once. A question that any arm cannot decide is left out of all: arms are compared on the same
// questions. Memory: the state of the features, the questions that wait, and for each question 12 bytes an arm, its
// time, cluster and outcome (and its line, where values or a file of decisions need it).

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
  /// By number of a model.
  private let deciders: [Decider]
  /// By arm: each counts for itself what its guards see.
  private let plans: [RequestPlan]
  /// By model and answer of a plan.
  private let featureSlots: [[Int?]]
  /// By model and input: where the first arm's model is told the same; nil: it is not.
  private let firstPlaces: [[Int?]]
  /// What rules decide, each once, and by model and rule its number there.
  let actionNames: [String]
  let actions: [[Int]]
  let collector: OutcomeCollector?
  private let clusterKeys: QuestionKeys
  private let segmentKeys: QuestionKeys?
  private let lookBackMax: TimeSpan
  private let waitMax: TimeSpan
  /// Whether any arm asks the engine itself.
  private let isAsked: Bool
  /// By distinct distribution of delays, and by arm which of them is its own.
  private let late: [LateEvents]
  private let lateOfArm: [Int?]
  /// How much longer a question waits until arms that look back have been answered by `late`.
  private let lag: TimeSpan
  private let clock: (any Clock)?
  private let rejects: Rejects
  private let trustsMarks: Bool
  private var decoder: EventDecoder?
  private var waiting = ReorderBuffer()
  /// In the order of their time, which is also that of the runs that they wait for; those before `openStart` are done.
  private var open: [OpenQuestion] = []
  private var openStart = 0
  /// By question, its number at the collector, who is asked before it is known whether every arm can decide.
  var collected: [Int] = []
  /// Events of one time.
  private var moment: [WaitingEvent] = []
  private var order: Int64 = 0
  /// How far the events reach.
  private var latest = Timestamp.distantPast
  private var values: [Scalar] = []
  private let row = OutputBuffer(MemorySink())
  private var firstInputs: [Double] = []
  /// By arm, of the question at hand; nil: it could not decide.
  private var answers: [(score: Double, rule: Int32)?] = []
  /// By arm, of the question at hand: what it is told otherwise, and by how much.
  private var staleInputs: [[(input: Int, difference: Double)]]
  /// By arm, where it looks.
  private var moments: [Timestamp] = []

  private struct OpenQuestion {
    let line: [UInt8]
    let offset: Int64
    let time: Timestamp
    /// When all that any arm may know of has happened.
    let due: Timestamp
    /// At the collector.
    let number: Int
  }

  /// - Parameters:
  ///   - arms: the first is the one that others are compared with.
  ///   - deciders: all of the asking event type; arms name them by number.
  ///   - trustsMarks: as for the intake that the events come from.
  ///   - clock: times one decision in `measuredEvery` of each arm, from its features to its rules; nil: none.
  public init(
    _ subject: Subject, arms: [ReplayArm], deciders: [Decider], features: FeatureDefinitions,
    schema: EventSchema, rejects: Rejects, trustsMarks: Bool,
    measuringWith clock: (any Clock)? = nil
  ) {
    let engine = FeatureEngine(features, schema: schema)
    var late: [LateEvents] = []
    for case let delays? in arms.map(\.drawnDelay)
    where !late.contains(where: { $0.delays == delays }) {
      late.append(LateEvents(delays, features, schema: schema, armCount: arms.count))
    }
    let lateOfArm = arms.map { arm in late.firstIndex { $0.delays == arm.drawnDelay } }
    self.subject = subject
    self.schema = schema
    self.engine = engine
    self.deciders = deciders
    self.rejects = rejects
    self.trustsMarks = trustsMarks
    self.late = late
    self.lateOfArm = lateOfArm
    self.clock = clock
    isAsked = lateOfArm.contains(nil)
    let plans = lateOfArm.map {
      ($0.map { late[$0].engine } ?? engine).plan(requestsOf: subject.asking, schema: schema)
    }
    self.plans = plans
    featureSlots = deciders.map { $0.slots(ofFeatures: plans[0].answers.map(\.name)) }
    let told = deciders[arms[0].model].inputNames
    firstPlaces = deciders.map { $0.inputNames.map { told.firstIndex(of: $0) } }
    var names: [String] = []
    for name in deciders.flatMap(\.decisions) where !names.contains(name) { names.append(name) }
    actionNames = names
    actions = deciders.map { $0.decisions.map { names.firstIndex(of: $0)! } }
    collector = subject.outcome.map { OutcomeCollector($0) }
    clusterKeys = QuestionKeys(subject.cluster)
    segmentKeys = subject.segment.map { QuestionKeys($0) }
    lookBackMax = arms.map(\.lookBackMax).max() ?? .zero
    waitMax = arms.map(\.waitMax).max() ?? .zero
    lag =
      arms.filter { $0.drawnDelay != nil }.map(\.lookBackMax).max().map {
        TimeSpan(microseconds: $0.microseconds + 1)
      } ?? .zero
    staleInputs = arms.map { _ in [] }
    traces = arms.map { ArmTrace($0, inputCount: deciders[$0.model].inputNames.count) }
  }

  /// What an arm decides by.
  public func decider(_ arm: Int) -> Decider { deciders[traces[arm].arm.model] }

  // MARK: Events

  /// Takes the next event.
  ///
  /// - Parameter watermark: no earlier one will come.
  public func take(_ event: WaitingEvent, watermark: Timestamp) throws(Failure) {
    waiting.insert(event)
    while let event = waiting.next(before: watermark) { try order(event) }
  }

  /// Takes what is still open, when there are no more events. What waits for a run that has not come is not decided.
  public func finish() throws(Failure) {
    while let event = waiting.next() { try order(event) }
    try live()
    let latest = latest
    letLateEventsIn(before: latest + TimeSpan(microseconds: 1))
    try decideWhatIsDue(through: latest)
    for question in open[openStart...] {
      count(deciding: traces.map { $0.arm.asOf(question.time) <= latest })
    }
    open.removeAll()
    openStart = 0
  }

  private func order(_ event: WaitingEvent) throws(Failure) {
    if let first = moment.first, first.time < event.time { try live() }
    moment.append(event)
  }

  /// Every question of a moment first, then what happens in it: an outcome may come at the question's own time.
  private func live() throws(Failure) {
    guard let now = moment.first?.time else { return }
    latest = now
    let decoder = eventDecoder
    engine.advance(to: now, order: order)
    // What is asked from now on looks no earlier.
    letLateEventsIn(before: lateMoments(now).min() ?? now)
    try decideWhatIsDue(through: now - lag)
    for waiting in moment {
      try waiting.line.withBytes { (line) throws(Failure) in
        let event = decoder.decodeAccepted(line)
        if event.type == subject.asking { try ask(event, decoder, waiting) }
      }
    }
    // No question before these is open for longer than an arm waits.
    let horizon = now - waitMax - lookBackMax - lag
    for waiting in moment {
      waiting.line.withBytes { line in
        let event = decoder.decodeAccepted(line)
        collector?.observe(type: event.type, decoder.scalars, at: event.time)
        for late in late { late.take(event, waiting.line, order: order) }
        guard isAsked else { return }
        engine.apply(
          type: event.type, decoder.scalars, at: event.time, order: order, watermark: horizon,
          complete: now)
      }
      order += 1
    }
    moment.removeAll(keepingCapacity: true)
  }

  var eventDecoder: EventDecoder {
    let decoder = decoder ?? EventDecoder(schema, trustsMarks: trustsMarks)
    self.decoder = decoder
    return decoder
  }

  // MARK: Questions

  private func ask(
    _ event: Event, _ decoder: EventDecoder, _ waiting: WaitingEvent
  ) throws(Failure) {
    let question = OpenQuestion(
      line: waiting.line, offset: waiting.offset, time: event.time,
      due: traces.map { $0.arm.asOf(event.time) }.max() ?? event.time, number: askedCount)
    askedCount += 1
    collector?.ask(decoder.scalars, at: event.time)
    for case (let arm, let place?) in lateOfArm.enumerated() {
      late[place].ask(
        .init(
          number: question.number, arm: arm, moment: traces[arm].arm.asOf(event.time),
          line: waiting.line))
    }
    if late.isEmpty, question.due <= event.time {
      try decide(question, event, decoder)
    } else {
      open.append(question)
    }
  }

  private func decideWhatIsDue(through now: Timestamp) throws(Failure) {
    let decoder = eventDecoder
    while openStart < open.count, open[openStart].due <= now {
      let question = open[openStart]
      openStart += 1
      try question.line.withBytes { (line) throws(Failure) in
        try decide(question, decoder.decodeAccepted(line), decoder)
      }
    }
    // Half of them done: the others move to the front, each once in a while.
    if openStart * 2 > open.count {
      open.removeSubrange(..<openStart)
      openStart = 0
    }
  }

  private func decide(
    _ question: OpenQuestion, _ event: Event, _ decoder: EventDecoder
  ) throws(Failure) {
    do throws(BadRecord) {
      try readRequest(event, decoder)
    } catch {
      return try rejects.add(
        error.reason, source: "offset", line: Int(question.offset), byte: 0,
        raw: decoder.scanner.line)
    }
    guard decideInEveryArm(question, decoder) else { return }
    for case (let arm, let answer?) in answers.enumerated() {
      traces[arm].scores.append(answer.score)
      traces[arm].rules.append(answer.rule)
      for stale in staleInputs[arm] { traces[arm].inputs[stale.input].add(stale.difference) }
    }
    times.append(event.time)
    collected.append(question.number)
    clusters.append(clusterKeys.number(decoder.scalars, at: event.time))
    if let segmentKeys { segments.append(segmentKeys.number(decoder.scalars, at: event.time)) }
    if subject.keepsLines { lines.append(question.line) }
  }

  /// What asks is told to each decider as a features record without features.
  private func readRequest(_ event: Event, _ decoder: EventDecoder) throws(BadRecord) {
    row.rewind(to: 0)
    row.append("{\"kind\":\"features\",\"time\":")
    row.appendQuoted(event.time)
    row.append(",\"request\":")
    row.append(decoder.scanner.line)
    row.append(",\"features\":{}}")
    for decider in deciders { _ = try decider.read(row.pending) }
  }

  /// - Returns: false where an arm could not.
  private func decideInEveryArm(_ question: OpenQuestion, _ decoder: EventDecoder) -> Bool {
    answers.removeAll(keepingCapacity: true)
    moments.removeAll(keepingCapacity: true)
    for arm in traces.indices {
      staleInputs[arm].removeAll(keepingCapacity: true)
      moments.append(traces[arm].arm.asOf(question.time))
      answers.append(answer(arm, question, decoder))
    }
    guard !answers.allSatisfy({ $0 != nil }) else { return true }
    count(deciding: answers.map { $0 != nil })
    return false
  }

  /// Counts a question that some arm does not decide.
  private func count(deciding: [Bool]) {
    for arm in traces.indices {
      if !deciding[arm] { traces[arm].refusedCount += 1 }
      guard deciding[arm] != deciding[0] else { continue }
      if deciding[0] { traces[arm].onlyFirstCount += 1 } else { traces[arm].onlyOwnCount += 1 }
    }
  }

  /// Nil where the arm cannot decide.
  private func answer(
    _ arm: Int, _ question: OpenQuestion, _ decoder: EventDecoder
  ) -> (score: Double, rule: Int32)? {
    if let place = lateOfArm[arm] {
      guard let found = late[place].answer(question.number, arm: arm) else { return nil }
      found.inputs.withUnsafeBufferPointer { compareInputs(arm, $0) }
      return (found.score, found.rule)
    }
    let start = startOfMeasurement(question.number)
    if start == nil, let twin = twin(of: arm) {
      staleInputs[arm] = staleInputs[twin]
      return answers[twin]
    }
    engine.lookUp(plans[arm], decoder.scalars, at: moments[arm], into: &values)
    guard let found = decide(arm, engine) else { return nil }
    endMeasurement(arm, start)
    compareInputs(arm, deciders[traces[arm].arm.model].gathered)
    return found
  }

  /// An arm before this one that looks at the same moment with the same model, and so has found the same.
  private func twin(of arm: Int) -> Int? {
    (0..<arm).first {
      moments[$0] == moments[arm] && lateOfArm[$0] == nil
        && traces[$0].arm.model == traces[arm].arm.model
    }
  }

  /// Judges the values at hand; nil where guards or the model refuse them.
  private func decide(_ arm: Int, _ engine: FeatureEngine) -> (score: Double, rule: Int32)? {
    let breaksGuard = engine.broken.contains {
      $0.consequence == .reject
    }
    guard !breaksGuard else { return nil }
    let model = traces[arm].arm.model
    let decider = deciders[model]
    decider.take(features: values, slots: featureSlots[model])
    do throws(BadRecord) {
      try decider.gather(.features)
    } catch {
      return nil
    }
    decider.judge()
    decider.conclude(.features)
    return (decider.decision.scores.max() ?? 0, decider.decision.rule.map { Int32($0) } ?? -1)
  }

  /// With the same input of the first arm; what its model is not told is not compared.
  private func compareInputs(_ arm: Int, _ inputs: UnsafeBufferPointer<Double>) {
    if arm == 0 {
      firstInputs.removeAll(keepingCapacity: true)
      firstInputs.append(contentsOf: inputs)
      return
    }
    // Then the question is left out.
    guard answers[0] != nil else { return }
    let places = firstPlaces[traces[arm].arm.model]
    for input in inputs.indices {
      guard let place = places[input], inputs[input] != firstInputs[place],
        !(inputs[input].isNaN && firstInputs[place].isNaN)
      else { continue }
      staleInputs[arm].append((input, abs(inputs[input] - firstInputs[place])))
    }
  }

  // MARK: Events that come in late

  /// Of the arms that ask for such events: where they look for a question that is asked now.
  private func lateMoments(_ now: Timestamp) -> [Timestamp] {
    traces.indices.filter { lateOfArm[$0] != nil }.map { traces[$0].arm.asOf(now) }
  }

  private func letLateEventsIn(before limit: Timestamp) {
    for late in late {
      late.advance(before: limit, eventDecoder) { question, decoder in
        question.line.withBytes { line in
          let event = decoder.decodeAccepted(line)
          do throws(BadRecord) {
            try readRequest(event, decoder)
          } catch {
            // Told when the question is due.
            return nil
          }
          let start = startOfMeasurement(question.number)
          late.engine.lookUp(
            plans[question.arm], decoder.scalars, at: question.moment, into: &values)
          guard let found = decide(question.arm, late.engine) else { return nil }
          endMeasurement(question.arm, start)
          return .init(
            score: found.score, rule: found.rule,
            inputs: Array(deciders[traces[question.arm].arm.model].gathered))
        }
      }
    }
  }

  // MARK: How long a decision takes

  /// Of so many questions one is timed, so that asking the clock costs nothing.
  public static let measuredEvery = 64

  /// Nil where the question is not timed.
  private func startOfMeasurement(_ number: Int) -> UInt64? {
    number % HistoryReplay.measuredEvery == 0 ? clock?.monotonicNanoseconds() : nil
  }

  private func endMeasurement(_ arm: Int, _ start: UInt64?) {
    guard let start, let clock else { return }
    traces[arm].took.record(clock.monotonicNanoseconds() &- start)
  }

  /// What a segment's questions have in common, as JSON.
  public func segmentName(_ segment: Int) -> String { segmentKeys?.name(segment) ?? "" }
}
