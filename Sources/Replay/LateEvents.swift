// Features of events that come in late, each after a delay of its own: what had come in before a moment is known at that
// moment, and nothing else, whatever the order in which it happened. Windows are those of the moment; the last value is
// the last that happened among those that are there.
//
//     events ──▶ by when they come in ─┐
//                                      ├─ one after the other ─▶ FeatureEngine ─▶ an answer for each question and arm
//     questions ▶ by when they look ───┘
//
// A batch looks before its questions are asked, so the engine stays behind: as far as the oldest run that the next
// question may be told of. Held are the events of that time, and those that have happened and not come in.

import Core
import Decisions
import Events
import Features

final class LateEvents {
  /// What an arm that looked at a moment found; its model has judged.
  struct Answer {
    let score: Double
    /// -1: none held.
    let rule: Int32
    /// What the model was told.
    let inputs: [Double]
  }

  struct Question {
    let number: Int
    let arm: Int
    /// When its arm looks.
    let moment: Timestamp
    let line: [UInt8]
  }

  let delays: DelayDistribution
  let engine: FeatureEngine
  private let schema: EventSchema
  /// Their times are those at which they come in.
  private var events = ReorderBuffer()
  /// Events that have come in.
  private var order: Int64 = 0
  /// Of each arm, in the order of their moments; those before `starts` are done.
  private var questions: [[Question]]
  private var starts: [Int]
  private var answers: [Int: [Int: Answer]] = [:]

  /// - Precondition: no decoder of the schema has been made.
  init(
    _ delays: DelayDistribution, _ features: FeatureDefinitions, schema: EventSchema, armCount: Int
  ) {
    self.delays = delays
    self.schema = schema
    engine = FeatureEngine(features, schema: schema)
    questions = Array(repeating: [], count: armCount)
    starts = Array(repeating: 0, count: armCount)
  }

  /// Takes an event that has happened.
  func take(_ event: Event, _ line: [UInt8], order: Int64) {
    let delay = delays.delay(
      type: schema.types[event.type].name, id: event.id.literal, at: event.time)
    events.insert(WaitingEvent(time: event.time + delay, id: [], offset: order, line: line))
  }

  /// - Precondition: an arm's questions come in the order of their moments.
  func ask(_ question: Question) { questions[question.arm].append(question) }

  /// The answer that a question has had, once.
  func answer(_ number: Int, arm: Int) -> Answer? {
    guard var own = answers[number], let found = own.removeValue(forKey: arm) else { return nil }
    answers[number] = own.isEmpty ? nil : own
    return found
  }

  /// Lets time go on.
  ///
  /// - Parameters:
  ///   - limit: whoever looks before it has asked, and what comes in before it has happened.
  ///   - decide: tells a question's arm what the engine knows at its moment; nil: it cannot decide by that.
  func advance(
    before limit: Timestamp, _ decoder: EventDecoder,
    _ decide: (Question, EventDecoder) -> Answer?
  ) {
    while let question = next(before: limit) {
      apply(before: question.moment, decoder)
      engine.advance(to: question.moment - delays.longest, order: order)
      if let answer = decide(question, decoder) {
        answers[question.number, default: [:]][question.arm] = answer
      }
    }
    apply(before: limit, decoder)
  }

  private func next(before limit: Timestamp) -> Question? {
    var first: Question?
    for arm in questions.indices where starts[arm] < questions[arm].count {
      let own = questions[arm][starts[arm]]
      if own.moment < first?.moment ?? limit { first = own }
    }
    guard let first else { return nil }
    starts[first.arm] += 1
    // Half of them done: the others move to the front, each once in a while.
    if starts[first.arm] * 2 > questions[first.arm].count {
      questions[first.arm].removeSubrange(..<starts[first.arm])
      starts[first.arm] = 0
    }
    return first
  }

  private func apply(before limit: Timestamp, _ decoder: EventDecoder) {
    while let waiting = events.next(before: limit) {
      // Neither a question nor an event of an earlier time is to come.
      let horizon = waiting.time - delays.longest
      waiting.line.withBytes { line in
        let event = decoder.decodeAccepted(line)
        engine.apply(
          type: event.type, decoder.scalars, at: event.time, order: order, watermark: horizon)
      }
      order += 1
    }
  }
}
