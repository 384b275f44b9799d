// A fixture of a model: the file, rows of inputs, and what the library itself made of them.
// `Fixtures/models/make.py` says how they were made.

import Core
import Foundation
import Models
import TestSupport

struct ModelFixture {
  struct Row: Decodable {
    let margin: [Float]
    let score: [Float]

    init(from decoder: any Decoder) throws {
      // As decimals, rounded once: a double in between could round twice.
      let container = try decoder.container(keyedBy: Keys.self)
      margin = try container.decode([Decimal].self, forKey: .margin).map { Float("\($0)")! }
      score = try container.decode([Decimal].self, forKey: .score).map { Float("\($0)")! }
    }
    enum Keys: String, CodingKey { case margin, score }
  }

  static let folder = "models/xgboost-json"

  /// The names of all fixtures.
  static let names: [String] = {
    let path = Fixtures.root.appending(path: folder).path()
    return (try? FileManager.default.contentsOfDirectory(atPath: path))?.sorted() ?? []
  }()

  let name: String
  let file: [UInt8]
  let inputNames: [String]
  let rows: [[Float]]

  init(_ name: String) throws {
    self.name = name
    file = try Fixtures.bytes("\(Self.folder)/\(name)/model.json")
    let lines = try Fixtures.text("\(Self.folder)/\(name)/rows.csv").split(separator: "\n")
    inputNames = lines[0].split(separator: ",").map(String.init)
    rows = lines.dropFirst().map { line in
      line.split(separator: ",", omittingEmptySubsequences: false).map {
        $0.isEmpty ? Float.nan : Float($0)!
      }
    }
  }

  /// What the library gave, with `choice` of iterations; nil where it was not asked.
  func expected(_ choice: String = "") throws -> [ModelFixture.Row]? {
    let path = "\(Self.folder)/\(name)/expected\(choice).ndjson"
    guard FileManager.default.fileExists(atPath: Fixtures.root.appending(path: path).path()) else {
      return nil
    }
    return try Fixtures.text(path).split(separator: "\n").map {
      try JSONDecoder().decode(Row.self, from: Data($0.utf8))
    }
  }

  func model(_ iterations: ModelOptions.Iterations = .automatic) throws(Failure) -> Model {
    try load(file, name, iterations)
  }
}

func load(
  _ file: [UInt8], _ source: String = "model.json",
  _ iterations: ModelOptions.Iterations = .automatic
) throws(Failure) -> Model {
  try file.withBytes { (bytes) throws(Failure) in
    try ModelLoader.load(bytes, source: source, options: ModelOptions(iterations: iterations))
  }
}

extension Model {
  /// Margins of rows, one array a row.
  func margins(_ rows: [[Float]]) -> [[Float]] {
    var flat = [Float](repeating: .nan, count: rows.count * outputCount)
    rows.flatMap { $0 }.withUnsafeBufferPointer { inputs in
      flat.withUnsafeMutableBufferPointer { margins(inputs, rowCount: rows.count, into: $0) }
    }
    return rows.indices.map { Array(flat[$0 * outputCount..<($0 + 1) * outputCount]) }
  }

  /// One row's scores.
  func scores(_ margins: [Float]) -> [Float] {
    var values = margins
    values.withUnsafeMutableBufferPointer { transform($0) }
    return Array(values[..<scoreCount])
  }
}

/// Floats between two floats; 0 when they are equal, signs of zero included.
func ulps(_ left: Float, _ right: Float) -> Int {
  func line(_ value: Float) -> Int {
    let magnitude = Int(value.bitPattern & 0x7FFF_FFFF)
    return value.sign == .minus ? -magnitude - 1 : magnitude
  }
  return abs(line(left) - line(right))
}
