// What every JSON parser must accept, must refuse, or may decide about (Fixtures/corpus/json), held against the
// cursor and against records: as a member that is taken, as one that is skipped, by a scanner that knows
// the line's form and by one that does not. All of them give one answer: what nobody asks for is
// checked like the rest.

import Foundation
import TestSupport
import Testing

@testable import Core

@Suite struct JSONSuiteTests {
  private static let folder = "corpus/json"

  /// Our answers where RFC 8259 leaves the choice: case, answer, value, why.
  private static let decided: [String: (isAccepted: Bool, value: String)] = {
    let table = (try? Fixtures.text("\(folder)/decided.tsv")) ?? ""
    let rows = table.split(separator: "\n").dropFirst().map {
      $0.split(separator: "\t", omittingEmptySubsequences: false).map(String.init)
    }
    return Dictionary(uniqueKeysWithValues: rows.map { ($0[0], ($0[1] == "accept", $0[2])) })
  }()

  private static let names: [String] = {
    let path = Fixtures.root.appending(path: folder).path()
    let files = (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []
    return files.filter { $0.hasSuffix(".json") }.map { String($0.dropLast(5)) }.sorted()
  }()

  private func isAccepted(_ name: String) throws -> Bool {
    switch name.first {
    case "y": true
    case "n": false
    default: try #require(JSONSuiteTests.decided[name], "\(name) has no answer").isAccepted
    }
  }

  @Test func thereAreCasesOfEveryKind() {
    let kinds = Dictionary(grouping: JSONSuiteTests.names) { $0.prefix(2) }.mapValues(\.count)
    #expect(kinds["y_"]! > 100 && kinds["n_"]! > 190 && kinds["i_"]! > 40)
    #expect(kinds["i_"] == JSONSuiteTests.decided.count)
  }

  @Test(arguments: names) func theCursorDecides(_ name: String) throws {
    let text = try Fixtures.bytes("\(JSONSuiteTests.folder)/\(name).json")
    let problem = text.withBytes { bytes in
      failure { () throws(JSONError) in
        var cursor = JSONCursor(bytes)
        try cursor.skipValue()
        try cursor.finish()
      }
    }
    #expect((problem == nil) == (try isAccepted(name)), "\(name): \(problem?.description ?? "")")
  }

  // MARK: Records

  /// Scans a line with what it may load behind it; nil if it was refused.
  private func scan(_ scanner: RecordScanner, _ line: [UInt8], behind: [UInt8]) -> JSONError? {
    (line + behind).withBytes { bytes in
      failure { () throws(JSONError) in
        try scanner.scan(bytes[0..<line.count], padding: behind.count)
      }
    }
  }

  private func scanner(taking path: [String], learned: Bool) -> RecordScanner {
    var plan = FieldPlan()
    _ = plan.slot(path)
    let scanner = RecordScanner(plan)
    let padding = [UInt8](repeating: 0, count: LineReader.padding)
    for line in [#"{"before":1,"member":"x","behind":2}"#, #"{"member":[1]}"#] where learned {
      #expect(scan(scanner, Array(line.utf8), behind: padding) == nil)
    }
    return scanner
  }

  @Test(arguments: names) func recordsDecideAlikeWhetherAMemberIsTakenOrSkipped(
    _ name: String
  ) throws {
    let text = try Fixtures.bytes("\(JSONSuiteTests.folder)/\(name).json")
    let expected = try isAccepted(name)
    let lines = [
      [UInt8](#"{"member":"#) + text + [UInt8]("}"),
      [UInt8](#"{"before":1,"member":"#) + text + [UInt8](#","behind":2}"#),
    ]
    // Text behind the line must not help: more digits, a quote that closes, the rest of a scalar.
    let behind: [[UInt8]] = [
      [], [UInt8](repeating: 0, count: 32), [UInt8](repeating: 0x31, count: 32),
      [UInt8](String(repeating: "\"}]", count: 11)), [UInt8](repeating: 0x80, count: 32),
    ]
    for path in [["member"], ["member", "a"], ["other"]] {
      for learned in [false, true] {
        for (line, bytes) in lines.flatMap({ line in behind.map { (line, $0) } }) {
          let problem = scan(scanner(taking: path, learned: learned), line, behind: bytes)
          #expect(
            (problem == nil) == expected,
            "\(name), \(path), learned \(learned): \(problem?.description ?? "accepted")")
        }
      }
    }
  }

  /// As a whole line: the same, where the text is an object.
  @Test(arguments: names) func aRecordIsATextThatIsAnObject(_ name: String) throws {
    let text = try Fixtures.bytes("\(JSONSuiteTests.folder)/\(name).json")
    let isObject = text.first { !Bytes.isBlank($0) } == UInt8(ascii: "{")
    for learned in [false, true] {
      let problem = scan(
        scanner(taking: ["a"], learned: learned), text, behind: [UInt8](repeating: 0x20, count: 32))
      #expect((problem == nil) == (isObject ? try isAccepted(name) : false), "\(name)")
    }
  }

  // MARK: Values

  @Test(arguments: decided.filter { !$0.value.value.isEmpty }.keys.sorted())
  func numbersHaveTheValueThatIsWrittenDown(_ name: String) throws {
    let text = try Fixtures.bytes("\(JSONSuiteTests.folder)/\(name).json")
    let number = text.dropFirst().dropLast()
    let expected = JSONSuiteTests.decided[name]!.value
    for padding in [0, 32] {
      let scanner = scanner(taking: ["member"], learned: padding > 0)
      let line = [UInt8](#"{"member":"#) + number + [UInt8]("}")
      (line + [UInt8](repeating: 0x31, count: padding)).withBytes { bytes in
        _ = try? scanner.scan(bytes[0..<line.count], padding: padding)
        let output = OutputBuffer(MemorySink())
        if let value = scanner.scalar(0) { output.append(value) } else { output.append("-") }
        #expect(output.pending.string == expected, "\(name)")
      }
    }
  }
}
