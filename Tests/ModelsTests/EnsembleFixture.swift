// The models that are combined, their rows, and numpy's arithmetic on their libraries' own
// predictions. `Fixtures/models/ensemble/make.py` says how they were made.

import Core
import Foundation
import TestSupport

@testable import Models

struct EnsembleFixture {
  /// Inputs by name, NaN where the cell is empty.
  let rows: [[String: Double]]
  private let expected: [String: [[Double]]]

  init() throws {
    let lines = try Fixtures.text("models/ensemble/rows.csv").split(separator: "\n").map {
      $0.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
    }
    rows = lines.dropFirst().map { line in
      Dictionary(
        uniqueKeysWithValues: zip(lines[0], line).map { ($0, $1.isEmpty ? .nan : Double($1)!) })
    }
    expected = try JSONDecoder().decode(
      [String: [[Double]]].self, from: Data(Fixtures.bytes("models/ensemble/expected.json")))
  }

  func expected(_ name: String) -> [[Double]] { expected[name]! }

  static func member(_ name: String) throws -> EnsembleMember {
    EnsembleMember(
      name: name, model: try load(try Fixtures.bytes("models/ensemble/\(name)"), name))
  }

  static func model(
    _ names: [String], _ combination: Combination, declared: [String] = []
  ) throws -> Model {
    try Model(
      combining: try names.map { try member($0) }, by: combination, declaredInputs: declared)
  }

  static func mean(
    _ names: [String], weights: [Double]? = nil, on space: Combination.Space = .score
  ) throws -> Model {
    try model(names, .mean(weights: weights ?? names.map { _ in 1 }, on: space))
  }

  static func stack(_ top: String, _ names: [String]) throws -> Model {
    try model(names, .stack(try member(top)))
  }

  /// The rows in a model's own order; without names in that of the file of rows.
  func rows(of model: Model) -> [[Double]] {
    let names =
      model.inputNames.isEmpty ? ["distance", "hour", "delay", "carrier"] : model.inputNames
    return rows.map { row in names.map { row[$0]! } }
  }
}

/// One row's contributions after another.
func contributions(_ model: Model, _ rows: [[Double]]) throws -> [[Double]] {
  let explainer = try Explainer(model, source: "m")
  var flat = [Double](repeating: .nan, count: rows.count * explainer.width)
  rows.flatMap { $0 }.withUnsafeBufferPointer { inputs in
    flat.withUnsafeMutableBufferPointer {
      explainer.contributions(inputs, rowCount: rows.count, into: $0)
    }
  }
  return rows.indices.map { Array(flat[$0 * explainer.width..<($0 + 1) * explainer.width]) }
}
