// Real models under declarations that a test writes, and a decision in one call.

import Core
import Decisions
import Foundation
import Models
import TestSupport

enum Deciding {
  /// A model of the fixtures; with `names`, as if its file named its inputs.
  static func model(_ fixture: String, names: [String] = []) throws -> Model {
    var text = try Fixtures.text("models/xgboost-json/\(fixture)/model.json")
    if !names.isEmpty {
      let list = names.map { "\"\($0)\"" }.joined(separator: ",")
      text = text.replacingOccurrences(
        of: "\"feature_names\":[]", with: "\"feature_names\":[\(list)]")
    }
    return try Array(text).withBytes { (bytes) throws(Failure) in
      try ModelLoader.load(bytes, source: fixture)
    }
  }

  /// The first rows of a fixture, as the texts of their cells.
  static func rows(_ fixture: String, _ count: Int = 12) throws -> [[String]] {
    try Fixtures.text("models/xgboost-json/\(fixture)/rows.csv").split(separator: "\n").dropFirst()
      .prefix(count).map {
        $0.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
      }
  }

  /// - Parameter text: the members of the declaration, behind `uri`.
  static func decider(
    _ text: String, _ model: Model, schema: RequestSchema = RequestSchema()
  ) throws(Failure) -> Decider {
    let member = try ConfigNode.member("{ m: { uri: 'model.json', \(text) } }")
    return try Decider(try ModelDefinition(member), model: model, schema: schema)
  }
}

extension Decider {
  /// Takes a line all the way to its decision.
  func decide(_ line: String) throws(BadRecord) -> Decision {
    let kind = try read(Bytes(lasting: line))
    try gather(kind)
    judge()
    conclude(kind)
    return decision
  }

  func decide(cells: [String], columns: [String]) throws(BadRecord) -> Decision {
    try read(cells: cells.map { Bytes(lasting: $0) }, slots: slots(ofColumns: columns))
    try gather(.plain)
    judge()
    conclude(.plain)
    return decision
  }

  /// What the rule that holds decides.
  var verdict: String? { decision.rule.map { decisions[$0] } }
}
