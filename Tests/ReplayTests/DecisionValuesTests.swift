// What decisions are worth, from the project file.

import Core
import Features
import Measure
import Replay
import TestSupport
import Testing

@Suite struct DecisionValuesTests {
  private func values(_ list: String) throws -> (HistoryReplay, DecisionValues) {
    let schema = try World.schema()
    let outcome = try Outcome(
      try ConfigNode.member(World.outcome), asking: 1, schema: schema)
    let values = try DecisionValues(
      try ConfigNode.member("{ m: \(list) }"), asking: 1, outcome: outcome, schema: schema)
    return (try World().replay(), values)
  }

  @Test func theFirstThatHoldsCounts() throws {
    let (replay, values) = try values(
      """
      [ { if: "decision == 'act' && outcome", value: 60 }, { if: "decision == 'act'", value: -40 },
        { if: "outcome", value: "-score * 100" } ]
      """)
    let worth = replay.values(values)
    #expect(!values.readsMembers)
    for (arm, trace) in replay.traces.enumerated() {
      for question in replay.times.indices {
        guard case .bool(let outcome) = replay.outcome(question) else {
          Issue.record("every question has an outcome")
          continue
        }
        let expected: Double =
          trace.rules[question] == 0 ? (outcome ? 60 : -40) : (outcome ? -10 : 0)
        #expect(worth[arm][question] == expected)
      }
    }
    #expect(values.uses.allSatisfy { $0 > 0 })
  }

  @Test func whatADelayCostsIsCounted() throws {
    let schema = try World.schema()
    let outcome = try Outcome(try ConfigNode.member(World.outcome), asking: 1, schema: schema)
    let values = try DecisionValues(
      try ConfigNode.member(
        """
        { m: [ { if: "decision == 'act' && outcome", value: "60 - delay / 60" },
               { if: "decision == null", value: -1000 } ] }
        """), asking: 1, outcome: outcome, schema: schema)
    var world = World()
    // Decided after none, five and ten minutes, the last after the outcome.
    world.arms = [
      ReplayArm(), ReplayArm(runs: .every(.minutes(10)), decidesAtRun: true),
      ReplayArm(
        name: "late", runs: .every(.minutes(10)), publishDelay: .minutes(5), decidesAtRun: true),
    ]
    let replay = try world.replay()
    let worth = replay.values(values)
    for question in replay.times.indices {
      guard case .bool(let outcome) = replay.outcome(question) else {
        Issue.record("every question has an outcome")
        continue
      }
      #expect(worth.map { $0[question] } == [outcome ? 60 : 0, outcome ? 55 : 0, -1000])
    }
  }

  @Test(arguments: [
    ("[]", "lists no value"),
    ("{}", "expected a list"),
    ("[ { if: 'outcome' } ]", "the key 'value' is missing"),
    ("[ { value: true } ]", "expected a string"),
    ("[ { value: \"'much'\" } ]", "double"),
    ("[ { if: 'decison == 1', value: 1 } ]", "decison"),
    ("[ { if: 'outcome > 3', value: 1 } ]", "bool"),
    ("[ { if: 'outcome', worth: 1 } ]", "unknown key 'worth'"),
  ])
  func refusesWhatMakesNoSense(_ list: String, _ message: String) throws {
    let schema = try World.schema()
    let outcome = try Outcome(
      try ConfigNode.member(World.outcome), asking: 1, schema: schema)
    let failure = #expect(throws: Failure.self) {
      try DecisionValues(
        try ConfigNode.member("{ m: \(list) }"), asking: 1, outcome: outcome, schema: schema)
    }
    #expect(failure?.message.contains(message) == true, "\(failure?.message ?? "")")
  }
}
