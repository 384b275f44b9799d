// From rows to decisions, with models that XGBoost has trained.

import Core
import Decisions
import Foundation
import Models
import TestSupport
import Testing

@Suite struct DeciderTests {
  private let names = ["a", "b", "c", "d"]

  private func line(_ names: [String], _ cells: [String]) -> String {
    // JSON has no infinity; what is beyond a float's range stands for it.
    let members = zip(names, cells).map { name, cell in
      "\"\(name)\":\(cell.isEmpty ? "null" : cell.replacing("inf", with: "1e300"))"
    }
    return "{\(members.joined(separator: ","))}"
  }

  // MARK: Inputs

  @Test func inputsAreMatchedByTheNamesInTheFile() throws {
    let model = try Deciding.model("squarederror", names: names)
    let declared = try Deciding.decider("inputs: ['c', 'a', 'd', 'b']", model)
    #expect(declared.inputNames == names)
    let own = try Decider(
      ModelDefinition(name: "m", uri: "f"), model: model, schema: RequestSchema())
    let unnamed = try Deciding.decider(
      "inputs: ['a', 'b', 'c', 'd']", try Deciding.model("squarederror"))
    for cells in try Deciding.rows("squarederror") {
      let expected = try own.decide(line(names, cells)).scores
      #expect(try declared.decide(line(names, cells)).scores == expected)
      #expect(try unnamed.decide(line(names, cells)).scores == expected)
      // The row's own order makes no difference.
      #expect(try own.decide(line(names.reversed(), cells.reversed())).scores == expected)
    }
  }

  @Test func inputsWithoutNamesAreCountedFromZero() throws {
    let decider = try Decider(
      ModelDefinition(name: "m", uri: "f"), model: Deciding.model("squarederror"),
      schema: RequestSchema())
    #expect(decider.inputNames == ["f0", "f1", "f2", "f3"])
    #expect(decider.inputsMissing(inColumns: ["f0", "f2", "x"]) == ["f1", "f3"])
  }

  @Test func scoresAreTheLibrarysOwn() throws {
    for fixture in ["squarederror", "binary-logistic", "softprob"] {
      let decider = try Decider(
        ModelDefinition(name: "m", uri: "f"), model: Deciding.model(fixture),
        schema: RequestSchema())
      let expected = try Fixtures.text("models/xgboost-json/\(fixture)/expected.ndjson").split(
        separator: "\n")
      for (cells, text) in zip(try Deciding.rows(fixture), expected) {
        let object = try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any]
        let scores = try #require(object?["score"] as? [Double])
        let found = try decider.decide(line(decider.inputNames, cells)).scores
        #expect(
          zip(found, scores).allSatisfy { abs(Double($0) - $1) < 1e-5 }
            && found.count == scores.count)
      }
    }
  }

  @Test func defaultsStandInForWhatIsMissing() throws {
    let model = try Deciding.model("squarederror", names: names)
    let decider = try Deciding.decider(
      "inputs: ['a', 'b', 'c', 'd'], defaults: { b: 2.5, d: 1, c: null }", model)
    let decision = try decider.decide(#"{"a":1,"b":null}"#)
    #expect(decision.missing == 3)
    #expect(decision.inputs.map(\.number) == [1, 2.5, nil, 1])
    let told = try decider.decide(#"{"a":1,"b":2.5,"d":1.0}"#)
    #expect(told.missing == 1 && told.scores == decision.scores)
  }

  @Test func inputsAreExpressionsOrGivenByName() throws {
    let decider = try Deciding.decider(
      "inputs: ['a * 2', 'a > 1 ? 1 : 0', 'hour(time)', 'b']", try Deciding.model("squarederror"))
    let decision = try decider.decide(#"{"a":3,"time":"2013-01-05T10:15:00Z","b":true}"#)
    #expect(decision.inputs.map(\.number) == [6, 1, 10, 1])
    // Whoever made the row may have computed an input before.
    let given = try decider.decide(#"{"a * 2":7,"a":3,"hour(time)":4}"#)
    #expect(given.inputs.map(\.number) == [7, 1, 4, nil] && given.missing == 1)
  }

  @Test(
    arguments: [
      ("inputs: ['a', 'b']", "m: lists 2 inputs, model.json takes 4"),
      ("inputs: ['a', 'b', 'c', 'e']", "m: model.json takes an input 'd' that is not listed"),
      (
        "inputs: ['a', 'b', 'c', 'd'], defaults: { e: 1 }",
        "m.defaults.e: 'e' is no input of the model"
      ),
      (
        "inputs: ['a', 'b', 'c', 'd'], defaults: { a: 'x' }",
        "m.defaults.a: expected a number, found a string"
      ),
      ("inputs: ['a', 'b', 'c', 'v:f']", "m.inputs[3]: no feature 'v:f' is declared"),
      ("inputs: ['a +', 'b', 'c', 'd']", "m.inputs[0]: `a +`"),
      ("inputs: ['a', 'b', 'c', 'time']", "m.inputs[3]: a model takes numbers, 'time' is a time"),
      ("inputs: [1]", "m.inputs[0]: expected a string"),
      ("labels: ['x', 'y']", "m: has labels, but model.json (reg:squarederror) has no classes"),
      ("rules: [{ if: 'score > ', decide: 'x' }]", "m.rules[0].if: `score > `"),
      ("rules: [{ if: 'score', decide: 'x' }]", "m.rules[0].if: `score`"),
      ("rules: [{ if: 'true' }]", "m.rules[0]: the key 'decide' is missing"),
      (
        "rules: [{ decide: 'x' }, { if: 'true', decide: 'y' }]",
        "m.rules: the rules after the one without 'if' can never be reached"
      ),
      ("rules: [{ when: 'true', decide: 'x' }]", "m.rules[0].when: unknown key 'when'"),
      ("inputz: []", "m.inputz: unknown key 'inputz'"),
    ])
  func refusesWrongDeclarations(_ text: String, _ expected: String) throws {
    let model = try Deciding.model("squarederror", names: names)
    let found = message { () throws(Failure) in _ = try Deciding.decider(text, model) }
    #expect(found.hasPrefix("test.json:1: \(expected)"), "\(found)")
  }

  @Test func labelsAreAsManyAsClasses() throws {
    let model = try Deciding.model("softprob")
    let found = message { () throws(Failure) in _ = try Deciding.decider("labels: ['x']", model) }
    #expect(found == "test.json:1: m: lists 1 labels, model.json has 3 classes")
  }

  // MARK: Labels and rules

  @Test func theLabelIsTheClassOfTheLargestScore() throws {
    let labels = ["x", "y", "z"]
    let many = try Deciding.decider(
      "labels: ['x', 'y', 'z'], rules: [{ if: 'label == \"y\"', decide: 'is y' }]",
      try Deciding.model("softprob"))
    let single = try Deciding.decider("labels: ['x', 'y', 'z']", try Deciding.model("softmax"))
    var seen: Set<Int> = []
    for cells in try Deciding.rows("softprob", 50) {
      let text = line(many.inputNames, cells)
      let decision = try many.decide(text)
      let label = try #require(decision.label)
      #expect(decision.scores[label] == decision.scores.max() && decision.scores.count == 3)
      #expect(many.verdict == (labels[label] == "y" ? "is y" : nil))
      let own = try single.decide(text)
      #expect(own.scores.count == 1 && own.label == Int(own.scores[0]))
      seen.insert(label)
    }
    #expect(seen.count > 1, "the rows tell classes apart")
  }

  @Test(arguments: ["binary-logistic", "binary-logitraw", "binary-hinge"])
  func aYesOrNoIsSplitInTheMiddle(_ fixture: String) throws {
    let decider = try Deciding.decider("labels: ['no', 'yes']", try Deciding.model(fixture))
    var seen: Set<Int> = []
    for cells in try Deciding.rows(fixture, 50) {
      let decision = try decider.decide(line(decider.inputNames, cells))
      #expect(decision.label == (decision.margins[0] > 0 ? 1 : 0))
      seen.insert(decision.label!)
    }
    #expect(seen == [0, 1])
    #expect(try Deciding.decider("", try Deciding.model("squarederror")).decide("{}").label == nil)
  }

  @Test func theFirstRuleThatHoldsDecides() throws {
    let rules = """
      rules: [ { if: 'a > 10', decide: 'large' }, { if: 'absent < 5', decide: 'never' },
        { if: 'a > 1 && score < 1e9', decide: 'some' }, { decide: 'rest' } ]
      """
    let decider = try Deciding.decider(
      "inputs: ['a', 'b', 'c', 'd'], \(rules)", try Deciding.model("squarederror"))
    for (row, expected) in [
      (#"{"a":11}"#, "large"), (#"{"a":2}"#, "some"), (#"{"a":1}"#, "rest"), ("{}", "rest"),
      (#"{"absent":1}"#, "never"), (#"{"a":11,"absent":1}"#, "large"),
      (#"{"absent":null}"#, "rest"),
    ] {
      _ = try decider.decide(row)
      #expect(decider.verdict == expected, "\(row)")
    }
    let open = try Deciding.decider(
      "rules: [{ if: 'f0 > 1', decide: 'x' }]", try Deciding.model("squarederror"))
    _ = try open.decide("{}")
    #expect(open.verdict == nil, "no rule, no decision; null does not hold")
  }

  // MARK: Layouts

  private let schema = RequestSchema(
    fields: [
      Field(name: "a", type: .number), Field(name: "b", type: .integer),
      Field(name: "when", type: .time, isOptional: true), Field(name: "s", type: .string),
    ], features: ["v:f", "v:g"])

  @Test func everyLayoutOfARowGivesTheSameDecision() throws {
    let model = try Deciding.model("squarederror", names: ["a", "v__f", "b", "v__g"])
    let declared = try Deciding.decider(
      "inputs: ['a', 'b', 'v:f', 'v:g'], rules: [{ if: 'v__f > 0.0', decide: 'up' }, { decide: 'down' }]",
      model, schema: schema)
    let own = try Decider(
      ModelDefinition(name: "m", uri: "f"), model: model, schema: RequestSchema())
    for (number, cells) in try Deciding.rows("squarederror").enumerated() {
      let (a, f, g) = (
        cells[0].isEmpty ? "null" : cells[0], cells[1].isEmpty ? "null" : cells[1],
        cells[3].isEmpty ? "null" : cells[3]
      )
      let rows = [
        #"{"kind":"features","request":{"a":\#(a),"b":\#(number)},"features":{"v:f":\#(f),"v:g":\#(g)}}"#,
        #"{"kind":"features","request":{"a":\#(a),"b":\#(number)},"features":{"v__f":\#(f),"v__g":\#(g)}}"#,
        #"{"a":\#(a),"b":\#(number),"v:f":\#(f),"v:g":\#(g)}"#,
        #"{"v__g":\#(g),"v__f":\#(f),"b":\#(number),"a":\#(a)}"#,
      ]
      let expected = try declared.decide(rows[0])
      let verdict = declared.verdict
      for row in rows {
        for decider in [declared, own] {
          let found = try decider.decide(row)
          #expect(found.scores == expected.scores && found.missing == expected.missing, "\(row)")
        }
        #expect(declared.verdict == verdict)
      }
      for columns in [["a", "b", "v:f", "v:g"], ["a", "b", "v__f", "v__g"]] {
        let texts = [cells[0], "\(number)", cells[1], cells[3]]
        #expect(try declared.decide(cells: texts, columns: columns).scores == expected.scores)
        #expect(declared.inputsMissing(inColumns: columns).isEmpty)
        #expect(try own.decide(cells: texts, columns: columns).scores == expected.scores)
      }
    }
  }

  @Test(
    arguments: [
      ("nope", "not JSON: byte 0"), ("[]", "not JSON: byte 0: a record is an object"),
      (#"{"kind":"decision"}"#, "a 'decision' record, not a features record or a row"),
      (#"{"a":"x"}"#, "the member 'a' is not a number: \"x\""),
      (#"{"b":1.5}"#, "the member 'b' is not an integer: 1.5"),
      (#"{"v:f":"text"}"#, "the input 'v:f' is not a number: 'text'"),
      (#"{"v:f":1e999}"#, "the member 'v:f' is beyond the range of a double: 1e999"),
      (
        #"{"kind":"features","request":{"a":[]},"features":{"v:f":"x"}}"#,
        "the member 'request.a' is an array, not a value: []"
      ), (#"{"time":"noon"}"#, "the member 'time' is not an RFC 3339 time"),
    ])
  func badRowsAreRefusedWithTheirReason(_ row: String, _ expected: String) throws {
    let decider = try Deciding.decider(
      "inputs: ['a', 'b', 'v:f', 'hour(time)']", try Deciding.model("squarederror"), schema: schema)
    let found = failure { () throws(BadRecord) in _ = try decider.decide(row) }?.reason ?? "none"
    #expect(found.hasPrefix(expected), "\(found)")
  }

  @Test func aRowOfAnUnknownKindIsARow() throws {
    let decider = try Deciding.decider("", try Deciding.model("squarederror"))
    #expect(try decider.decide(#"{"kind":"flight","f0":1}"#).missing == 3)
  }

  // MARK: The record

  @Test func theRecordTellsWhatTheModelSaw() throws {
    let decider = try Deciding.decider(
      "inputs: ['a', 'b', 'c', 'd'], labels: ['no', 'yes'], rules: [{ decide: 'keep' }]",
      try Deciding.model("binary-logistic"))
    let decision = try decider.decide(
      #"{"id":"x\"1","time":"2013-01-05T10:15:00Z","a":1,"b":0.5,"_rt":{"offset":7,"watermark":"2013-01-05T10:00:00Z","layers_us":{"request":1.5,"features":2}}}"#
    )
    #expect(decider.earlierLayers == (1_500, 2_000))
    let output = OutputBuffer(MemorySink())
    decider.openRecord(
      on: output, .plain, DecisionMarks(model: "m", version: "v1", layers: [1, 2, 3, 4_567]),
      withMargin: true)
    decider.closeRecord(on: output, responseNanoseconds: 89)
    let object = try #require(
      try JSONSerialization.jsonObject(with: Data(output.pending.copy())) as? [String: Any])
    #expect(object["kind"] as? String == "decision" && object["id"] as? String == "x\"1")
    #expect(
      object["time"] as? String == "2013-01-05T10:15:00Z" && object["decision"] as? String == "keep"
    )
    #expect((object["score"] as? Double).map { Float($0) } == Float(decision.scores[0]))
    #expect((object["margin"] as? Double).map { Float($0) } == Float(decision.margins[0]))
    #expect(object["label"] as? String == (decision.scores[0] > 0.5 ? "yes" : "no"))
    let inputs = try #require(object["inputs"] as? [String: Any])
    #expect(inputs["a"] as? Int == 1 && inputs["b"] as? Double == 0.5 && inputs["c"] is NSNull)
    let marks = try #require(object["_rt"] as? [String: Any])
    #expect(marks["offset"] as? Int == 7 && marks["missing"] as? Int == 2)
    #expect(marks["features_watermark"] == nil, "only a features record has one")
    let layers = try #require(marks["layers_us"] as? [String: Double])
    #expect(
      layers == [
        "request": 0.001, "features": 0.002, "inference": 0.003, "postprocess": 4.567,
        "response": 0.089,
      ])
  }
}
