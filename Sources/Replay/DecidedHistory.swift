// History as it was decided: questions with the decisions that were made at the time, what turned out, and on which side
// of a switch each stands. Nothing is decided again; outcomes are those of the decisions that were made, so they are
// known whether or not they depend on them.
//
//     events ─▶ reorder ─▶ moment by moment ─┬─ questions: their logged decision, whether they are treated
//                                            └─ then what happens in it: outcomes
//
// Memory: the logged decisions, and for each question about 100 bytes (and its line, where values read it).

public import Core
public import Events
import Features

public final class DecidedHistory {
  public struct Question: Sendable {
    public let time: Timestamp
    public let isTreated: Bool
    /// From the question to its decision.
    public let delay: TimeSpan
    /// Dense from 0.
    public let day: Int
    /// Dense from 0; nil where days alone are clusters.
    public let entity: Int?
    /// Dense from 0; nil where nobody asks.
    public let segment: Int?
    /// Nil where none is logged.
    let score: Double?
    /// Among the decisions' names; nil: no rule held.
    let decision: Int?
    /// Empty unless values read members.
    let line: [UInt8]
  }

  /// Those that have a logged decision and stand on either side.
  public private(set) var questions: [Question] = []
  /// Questions, those that were left out included, but for those whose id has asked before.
  public private(set) var askedCount = 0
  /// Those left out: of which no decision is logged, and of which it is not known whether they are treated.
  public private(set) var unloggedCount = 0
  public private(set) var unassignedCount = 0

  private let subject: HistoryReplay.Subject
  private let treated: Expression?
  private let logged: LoggedDecisions
  private let decoder: EventDecoder
  private let collector: OutcomeCollector?
  private let names = ByteTable()
  private let days = QuestionKeys(nil)
  private let entities: QuestionKeys?
  private let segments: QuestionKeys?
  private let stack = ExpressionStack()
  private var waiting = ReorderBuffer()
  /// Events of one time.
  private var moment: [WaitingEvent] = []

  /// - Parameters:
  ///   - subject: its cluster is the entity beside the day.
  ///   - treated: whether a question is of those that switched; nil: all are.
  ///   - trustsMarks: as for the intake that the events come from.
  public init(
    _ subject: HistoryReplay.Subject, treated: Expression?, logged: LoggedDecisions,
    schema: EventSchema, trustsMarks: Bool
  ) {
    self.subject = subject
    self.treated = treated
    self.logged = logged
    decoder = EventDecoder(schema, trustsMarks: trustsMarks)
    collector = subject.outcome.map { OutcomeCollector($0) }
    entities = subject.cluster.map { QuestionKeys($0) }
    segments = subject.segment.map { QuestionKeys($0) }
  }

  // MARK: Events

  /// Takes the next event.
  ///
  /// - Parameter watermark: no earlier one will come.
  public func take(_ event: WaitingEvent, watermark: Timestamp) {
    waiting.insert(event)
    while let event = waiting.next(before: watermark) { order(event) }
  }

  /// Takes what is still open, when there are no more events.
  public func finish() {
    while let event = waiting.next() { order(event) }
    live()
  }

  private func order(_ event: WaitingEvent) {
    if let first = moment.first, first.time < event.time { live() }
    moment.append(event)
  }

  /// Every question of a moment first: an outcome may come at the question's own time.
  private func live() {
    for waiting in moment {
      waiting.line.withBytes { line in
        let event = decoder.decodeAccepted(line)
        if event.type == subject.asking { ask(event, waiting.line) }
      }
    }
    for waiting in moment {
      waiting.line.withBytes { line in
        let event = decoder.decodeAccepted(line)
        collector?.observe(type: event.type, decoder.scalars, at: event.time)
      }
    }
    moment.removeAll(keepingCapacity: true)
  }

  private func ask(_ event: Event, _ line: [UInt8]) {
    let found: LoggedDecisions.Found
    switch logged.take(id: event.id) {
    case .alreadyTaken: return
    case .unlogged:
      askedCount += 1
      unloggedCount += 1
      return
    case .decision(let own): found = own
    }
    askedCount += 1
    guard let isTreated = isTreated() else {
      unassignedCount += 1
      return
    }
    collector?.ask(decoder.scalars, at: event.time)
    questions.append(
      Question(
        time: event.time, isTreated: isTreated,
        delay: TimeSpan(
          microseconds: max(0, (found.time ?? event.time).microseconds - event.time.microseconds)),
        day: days.number(decoder.scalars, at: event.time),
        entity: entities?.number(decoder.scalars, at: event.time),
        segment: segments?.number(decoder.scalars, at: event.time),
        score: found.score, decision: found.decision.map { names.insert($0).index },
        line: subject.keepsLines ? line : []))
  }

  /// Nil where that is not known.
  private func isTreated() -> Bool? {
    guard let treated else { return true }
    defer { stack.reset() }
    guard case .bool(let isTreated) = treated.evaluate(decoder.scalars, stack) else { return nil }
    return isTreated
  }

  /// What a segment's questions have in common, as JSON.
  public func segmentName(_ segment: Int) -> String { segments?.name(segment) ?? "" }

  // MARK: What came of it

  /// Null where there is none, or not for good. Text is valid as long as this object.
  public func outcome(_ question: Int) -> Scalar { collector?.value(question) ?? .null }

  public func hasMatured(_ question: Int) -> Bool { collector?.hasMatured(question) ?? false }

  /// A decision that was there no earlier than its outcome is none.
  public func isTooLate(_ question: Int) -> Bool {
    let asked = questions[question]
    guard asked.delay > .zero, let known = collector?.time(question) else { return false }
    return known <= asked.time + asked.delay
  }

  private func decision(_ question: Int) -> Bytes? {
    isTooLate(question) ? nil : questions[question].decision.map { names[$0] }
  }

  /// What each decision was worth; nil where that is not known.
  ///
  /// - Precondition: the subject keeps lines, if the values read members.
  public func values(_ declared: DecisionValues) -> [Double?] {
    questions.indices.map { index -> Double? in
      let (question, outcome) = (questions[index], outcome(index))
      guard !outcome.isNull, !(declared.readsScore && question.score == nil) else { return nil }
      if declared.readsMembers { question.line.withBytes { _ = decoder.decodeAccepted($0) } }
      return declared.value(
        decision: decision(index), outcome: outcome, score: question.score ?? .nan,
        delay: question.delay,
        members: decoder.scalars)
    }
  }

  /// 1 for a right guess of the outcome, 0 for a wrong one or one that came too late; nil where there is no outcome.
  ///
  /// - Parameter idle: what is decided where nothing is to be done; any other decision is a guess that it is true.
  public func rightGuesses(idle: String) -> [Double?] {
    let idle = Bytes(owning: idle)
    return questions.indices.map { index -> Double? in
      guard case .bool(let outcome) = outcome(index) else { return nil }
      let guess = decision(index).map { !($0 == idle) } ?? false
      return guess == outcome && !isTooLate(index) ? 1 : 0
    }
  }
}
