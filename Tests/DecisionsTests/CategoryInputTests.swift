// Inputs that are texts: mapped as the library that made the model maps them, from tables and from
// JSON alike.

import Core
import Decisions
import Foundation
import Models
import TestSupport
import Testing

@Suite struct CategoryInputTests {
  private struct Expected: Decodable {
    let margin: [Double]
  }

  private func decider(_ folder: String, _ file: String) throws -> Decider {
    let model = try Fixtures.bytes("models/\(folder)/\(file)").withBytes {
      (bytes) throws(Failure) in try ModelLoader.load(bytes, source: folder)
    }
    return try Decider(
      ModelDefinition(name: "m", uri: "m"), model: model, schema: RequestSchema())
  }

  private func table(_ path: String) throws -> [[String]] {
    let reader = CSVReader(LineReader(ChunkedSource(try Fixtures.bytes(path))))
    var lines: [[String]] = []
    while let row = try reader.next() { lines.append(try row.get().cells.map(\.string)) }
    return lines
  }

  @Test(arguments: [
    ("xgboost-json/data-frame", "model.json", "texts.csv", "expected-texts.ndjson"),
    ("lightgbm/data-frame", "model.txt", "texts.csv", "expected-texts.ndjson"),
    ("lightgbm/ordered-categories", "model.txt", "texts.csv", "expected-texts.ndjson"),
    ("lightgbm/categories-and-codes", "model.txt", "texts.csv", "expected-texts.ndjson"),
    ("lightgbm/codes-beside-categories", "model.txt", "texts.csv", "expected-texts.ndjson"),
    ("catboost/ctr", "model.json", "rows.csv", "expected.ndjson"),
    ("catboost/ctr-combinations", "model.json", "rows.csv", "expected.ndjson"),
    ("catboost/one-hot", "model.json", "rows.csv", "expected.ndjson"),
  ])
  func textsScoreAsTheLibraryScoresThem(
    _ folder: String, _ file: String, _ rows: String, _ expected: String
  ) throws {
    let decider = try decider(folder, file)
    let lines = try table("models/\(folder)/\(rows)")
    let wanted = try Fixtures.text("models/\(folder)/\(expected)").split(separator: "\n").map {
      try JSONDecoder().decode(Expected.self, from: Data($0.utf8)).margin
    }
    #expect(lines.count == wanted.count + 1)
    func rounded(_ margins: [Double]) -> [Double] {
      decider.model.precision == .float32 ? margins.map { Double(Float($0)) } : margins
    }
    for (line, wanted) in zip(lines.dropFirst(), wanted) {
      // An empty text is a category of its own in the data frames, but in a table nothing is there.
      if folder.hasPrefix("catboost") || !line[1].isEmpty {
        let decision = try decider.decide(cells: line, columns: lines[0])
        #expect(decision.margins == rounded(wanted), "\(line)")
      }
      guard !line.contains(where: { $0.hasSuffix("inf") }) else { continue }
      let members = zip(lines[0], line).map { name, cell in
        let isText = name == "carrier" || name == "tail"
        return "\"\(name)\":\(isText ? "\"\(cell)\"" : cell.isEmpty ? "null" : cell)"
      }
      let decision = try decider.decide("{\(members.joined(separator: ","))}")
      #expect(decision.margins == rounded(wanted), "\(line)")
    }
  }

  @Test func aCellOfACategoryIsTakenAsItIsWritten() throws {
    let decider = try decider("catboost/ctr", "model.json")
    let columns = ["delay", "carrier", "gate", "distance", "tail"]
    _ = try decider.decide(cells: ["1", "nan", "007", "1", "true"], columns: columns)
    guard case .text(let carrier) = decider.decision.inputs[1],
      case .text(let gate) = decider.decision.inputs[2],
      case .text(let tail) = decider.decision.inputs[4]
    else {
      Issue.record("\(decider.decision.inputs)")
      return
    }
    #expect(carrier == "nan" && gate == "007" && tail == "true")
  }

  @Test func whatIsNoCategoryIsRefused() throws {
    let decider = try decider("catboost/ctr", "model.json")
    for (line, words) in [
      (
        #"{"carrier":0.5}"#, "the input 'carrier' is no category, which is a text or a whole number"
      ),
      (#"{"delay":"UA"}"#, "the input 'delay' is not a number: 'UA'"),
    ] {
      let failure = #expect(throws: BadRecord.self) { try decider.decide(line) }
      #expect(failure?.reason.contains(words) == true, "\(failure?.reason ?? "")")
    }
  }

  /// A word that the training has not seen is a missing value; a number is a code where all
  /// categories are texts.
  @Test func wordsThatTheTrainingHasNotSeen() throws {
    let decider = try decider("lightgbm/data-frame", "model.txt")
    func margins(_ carrier: String) throws -> [Double] {
      try [-2.0, -1, 0, 1, 2].map { delay in
        try decider.decide(#"{"delay":\#(delay),"distance":0,"gate":7,"carrier":\#(carrier)}"#)
          .margins[0]
      }
    }
    #expect(try margins(#""unseen""#) == margins("null"))
    #expect(try margins(#""DL""#) == margins("3"))
    #expect(try margins(#""DL""#) == margins(#""3""#))
    #expect(try margins(#""DL""#) != margins(#""ÉÉ""#))
  }
}
