// A fixture of a model: the file, rows of inputs, and what the library itself made of them.
// `Fixtures/models/make.py` says how they were made.

import Core
import Foundation
import Models
import TestSupport

struct ModelFixture {
  /// One for each folder of fixtures.
  enum Format: String, CaseIterable {
    case xgboostJSON = "xgboost-json"
    case xgboostUBJSON = "xgboost-ubjson"
    case lightgbm
    case catboost
    case onnx

    /// In which the library itself gave margins and scores.
    var precision: Model.Precision {
      switch self {
      case .xgboostJSON, .xgboostUBJSON, .onnx: .float32
      case .lightgbm, .catboost: .float64
      }
    }

    var fileName: String {
      switch self {
      case .xgboostJSON: "model.json"
      case .xgboostUBJSON: "model.ubj"
      case .lightgbm: "model.txt"
      case .catboost: "model.json"
      case .onnx: "model.onnx"
      }
    }

    /// As the loader calls it.
    var name: String { self == .catboost ? "catboost-json" : rawValue }

    /// How far scores may lie from the library's, in floats of its precision: they come from the exp
    /// of the C library at hand, and CatBoost has a faster one of its own.
    var scoreBound: Int { self == .catboost ? 16 : 1 }

    var folder: String { "models/\(rawValue)" }

    /// The names of all fixtures.
    var names: [String] {
      let path = Fixtures.root.appending(path: folder).path()
      return (try? FileManager.default.contentsOfDirectory(atPath: path))?
        .filter { $0 != "make.py" }.sorted() ?? []
    }
  }

  struct Row {
    let margin: [Double]
    let score: [Double]
    /// The class, where the library was asked.
    var label: Int?
  }

  private struct WideRow: Decodable {
    let margin: [Double]
    let score: [Double]
  }

  /// As decimals, rounded once: a double in between could round twice.
  private struct FloatRow: Decodable {
    let margin: [Decimal]
    let score: [Decimal]
    let label: Int?
  }

  let name: String
  let format: Format
  let file: [UInt8]
  let inputNames: [String]
  let rows: [[Double]]

  init(_ name: String, _ format: Format = .xgboostJSON) throws {
    self.name = name
    self.format = format
    file = try Fixtures.bytes("\(format.folder)/\(name)/\(format.fileName)")
    let lines = try Self.table("\(format.folder)/\(name)/rows.csv")
    inputNames = lines[0]
    let codes = format == .catboost ? try load(file, name) : nil
    rows = lines.dropFirst().map { line in
      line.enumerated().map { input, cell in
        // The library saw an empty text where there is no text.
        if let categories = codes?.categories(ofInput: input) {
          return Double(Array(cell.utf8).withBytes { categories.code(of: $0) }!)
        }
        guard !cell.isEmpty else { return .nan }
        // What comes as a double and is compared as a float is rounded by the model.
        return format == .lightgbm || format == .onnx ? Double(cell)! : Double(Float(cell)!)
      }
    }
  }

  /// The cells of a file of rows, header and all.
  private static func table(_ path: String) throws -> [[String]] {
    let reader = CSVReader(LineReader(ChunkedSource(try Fixtures.bytes(path))))
    var lines: [[String]] = []
    while let row = try reader.next() { lines.append(try row.get().cells.map(\.string)) }
    return lines
  }

  /// What the library gave, with `choice` of iterations; nil where it was not asked.
  func expected(_ choice: String = "") throws -> [ModelFixture.Row]? {
    let path = "\(format.folder)/\(name)/expected\(choice).ndjson"
    guard FileManager.default.fileExists(atPath: Fixtures.root.appending(path: path).path()) else {
      return nil
    }
    return try Fixtures.text(path).split(separator: "\n").map { line in
      let data = Data(line.utf8)
      guard format.precision == .float32 else {
        let row = try JSONDecoder().decode(WideRow.self, from: data)
        return Row(margin: row.margin, score: row.score)
      }
      let row = try JSONDecoder().decode(FloatRow.self, from: data)
      func floats(_ values: [Decimal]) -> [Double] { values.map { Double(Float("\($0)")!) } }
      return Row(margin: floats(row.margin), score: floats(row.score), label: row.label)
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
  func margins(_ rows: [[Double]]) -> [[Double]] {
    var flat = [Double](repeating: .nan, count: rows.count * outputCount)
    rows.flatMap { $0 }.withUnsafeBufferPointer { inputs in
      flat.withUnsafeMutableBufferPointer { margins(inputs, rowCount: rows.count, into: $0) }
    }
    return rows.indices.map { Array(flat[$0 * outputCount..<($0 + 1) * outputCount]) }
  }

  /// One row's scores.
  func scores(_ margins: [Double]) -> [Double] {
    var values = margins
    values.withUnsafeMutableBufferPointer { transform($0) }
    return Array(values[..<scoreCount])
  }
}

/// Floats of a precision between two values; 0 when they are equal, signs of zero included.
func ulps(_ left: Double, _ right: Double, _ precision: Model.Precision) -> Int {
  func line(_ value: Double) -> Int {
    let bits =
      precision == .float32
      ? Int(Float(value.magnitude).bitPattern) : Int(bitPattern: UInt(value.magnitude.bitPattern))
    return value.sign == .minus ? -bits - 1 : bits
  }
  return abs(line(left) - line(right))
}
