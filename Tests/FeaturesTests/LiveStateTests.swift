// The state that is asked by many threads while one tells it what happens: the answers are the engine's own, and a question
// about a time that has been folded away is answered without harm and says so.

import Core
import Events
import Foundation
import Synchronization
import TestSupport
import Testing

@testable import Features

@Suite struct LiveStateTests {
  private static let views = """
    { v: { entity: ['k'], from: 'e', features: {
        n: { count: '*', window: '1h', every: 'exact' }, mean: { mean: 'x', window: '1h' },
        top: { max: 'x', window: '2h' }, last: { last: 's', window: '1h' },
        kinds: { count_distinct: 's', window: '3h' } } } }
    """

  /// A schema of its own, with what is declared on it.
  private func declared() throws -> (schema: EventSchema, definitions: FeatureDefinitions) {
    let fields = [
      Field(name: "k", type: .string), Field(name: "x", type: .number),
      Field(name: "s", type: .string),
    ]
    let schema = EventSchema(types: [EventType(name: "e", fields: fields)])
    return (schema, try FeatureDefinitions(try ConfigNode.members(Self.views), schema: schema))
  }

  private static let start = Timestamp("2024-05-01T00:00:00Z")

  private func line(_ index: Int, _ second: Int) -> Bytes {
    let time = Self.start + .seconds(Int64(second))
    return Bytes(
      owning: #"{"type":"e","id":\#(index),"time":"\#(time.rfc3339)","k":"k\#(index % 3)","#
        + #""x":\#(index % 17),"s":"text \#(index % 5)"}"#)
  }

  private func text(_ values: [Scalar]) -> String {
    let text = OutputBuffer(MemorySink())
    for value in values {
      text.append(value)
      text.append(UInt8(ascii: " "))
    }
    return text.pending.string
  }

  @Test func answersAreTheEnginesOwnAndEarlyQuestionsDoNoHarm() throws {
    let (schema, definitions) = try declared()
    let live = LiveState(definitions, schema: schema)
    let (twinSchema, twinDefinitions) = try declared()
    let engine = FeatureEngine(twinDefinitions, schema: twinSchema)
    let twinPlan = engine.plan(requestsOf: 0, schema: twinSchema)
    let (decoder, twinDecoder) = (EventDecoder(schema), EventDecoder(twinSchema))
    let reader = LiveReader(live)
    let plan = reader.plan(requestsOf: 0).plan
    var random = SplitMix64(seed: 11)
    var (values, twinValues): ([Scalar], [Scalar]) = ([], [])
    var early = 0
    for index in 0..<4_000 {
      // An hour and more between the first and the last of them for every hundred.
      let second = index * 45 - Int.random(in: 0..<300, using: &random)
      let watermark = Self.start + .seconds(Int64(index * 45 - 400))
      let bytes = line(index, second)
      let event = decoder.decodeAccepted(bytes)
      _ = twinDecoder.decodeAccepted(bytes)
      let asked = event.time + .seconds(Int64.random(in: -20_000..<4_000, using: &random))
      reader.lookUp(plan, decoder.scalars, at: asked, into: &values)
      if index > 0, reader.outcome.ahead > 0 { early += 1 }
      if asked >= watermark {
        engine.lookUp(twinPlan, twinDecoder.scalars, at: asked, into: &twinValues)
        #expect(text(values) == text(twinValues))
        #expect(reader.outcome.ahead == 0)
      }
      live.apply(
        type: 0, decoder.scalars, at: event.time, offset: Int64(index), watermark: watermark)
      engine.apply(
        type: 0, twinDecoder.scalars, at: event.time, order: Int64(index), watermark: watermark)
    }
    #expect(early > 1_000)
    #expect(live.extent.entities == 3 && live.extent.offset == 3_999)
  }

  /// Each thread's texts are its own, whatever the others ask and the engine forgets.
  @Test func threadsDoNotSeeEachOthersAnswers() throws {
    let (schema, definitions) = try declared()
    let live = LiveState(definitions, schema: schema)
    let decoder = EventDecoder(schema)
    for index in 0..<30 {
      let event = decoder.decodeAccepted(line(index, index))
      live.apply(
        type: 0, decoder.scalars, at: event.time, offset: Int64(index), watermark: Self.start)
    }
    // By k: the last s.
    let lasts = ["text 2", "text 3", "text 4"]
    let tally = Tally(running: lasts.count)
    // A decoder for each, made before its thread: the schema is not to be shared while it grows.
    for thread in 0..<3 {
      let asker = Asker(live, EventDecoder(schema), line(thread, 100), lasts[thread])
      Thread.detachNewThread {
        tally.end(wrong: asker.ask(2_000))
      }
    }
    for index in 30..<2_030 {
      // What happens later changes nothing of what was.
      let event = decoder.decodeAccepted(line(index, 200 + index))
      live.apply(
        type: 0, decoder.scalars, at: event.time, offset: Int64(index), watermark: Self.start)
    }
    #expect(tally.wrong == 0)
  }
}

/// What all threads have found.
private final class Tally: Sendable {
  private let state: Mutex<(running: Int, wrong: Int)>

  init(running: Int) { state = Mutex((running, 0)) }

  func end(wrong: Int) {
    state.withLock { state in
      state.wrong += wrong
      state.running -= 1
    }
  }

  /// Once all have ended.
  var wrong: Int {
    while state.withLock({ $0.running > 0 }) { usleep(1_000) }
    return state.withLock { $0.wrong }
  }
}

/// One thread's questions. Handed over to it whole.
private final class Asker: @unchecked Sendable {
  private let reader: LiveReader
  private let decoder: EventDecoder
  private let line: Bytes
  private let expected: String

  init(_ state: LiveState, _ decoder: EventDecoder, _ line: Bytes, _ expected: String) {
    reader = LiveReader(state)
    self.decoder = decoder
    self.line = line
    self.expected = expected
  }

  /// How many of so many answers are wrong.
  func ask(_ count: Int) -> Int {
    let event = decoder.decodeAccepted(line)
    let plan = reader.plan(requestsOf: 0).plan
    var values: [Scalar] = []
    var wrong = 0
    for _ in 0..<count {
      reader.lookUp(plan, decoder.scalars, at: event.time, into: &values)
      guard case .text(let last) = values[3], last.string == expected else {
        wrong += 1
        continue
      }
    }
    return wrong
  }
}
