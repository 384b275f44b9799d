// The loop over a record's fields against each field's own word.

import TestSupport
import Testing

@testable import Core

@Suite struct FieldChecksTests {
  private static let fields: [Field] =
    FieldType.allCases.flatMap { type in
      [false, true].flatMap { isOptional in
        [(nil, nil), (-5.0, 100.5), (0.0, nil)].compactMap { (minimum, maximum) -> Field? in
          if minimum != nil, type != .integer, type != .number { return nil }
          return Field(
            name: "x", type: type, isOptional: isOptional, minimum: minimum, maximum: maximum)
        }
      }
    }
    + [
      #"{x: {type: "string", enum: ["x", "é"]}}"#,
      #"{x: {type: "string", optional: true, max_length: 1}}"#,
    ]
    .compactMap { text in (try? ConfigNode.member(text)).flatMap { try? Field($0) } }

  private static let values = [
    "", "null", "true", "false", "0", "-0", "-0.0", "3", "-5", "-6", "100.5", "100.50001", "101",
    "3.0", "1e2",
    "1E400", "12345678", "123456789", "-1234567", "-12345678", "9007199254740993",
    "18446744073709551615", "99999999999999999999", "0.1", "-4.999999", "\"x\"", "\"\"",
    "\"a\\n\"", "\"é\"", "\"1970-01-01T00:00:01Z\"", "[1]", "{}", "{\"a\":1}",
  ]

  private func text(_ body: () throws(BadRecord) -> Scalar) -> String {
    do throws(BadRecord) {
      switch try body() {
      case .text(let text): return "text \(text.string)"
      case .double(let number): return "double \(number) \(number.sign)"
      case let other: return "\(other)"
      }
    } catch {
      return error.reason
    }
  }

  @Test(arguments: [0, LineReader.padding])
  func agreesWithTheFields(_ padding: Int) throws {
    for field in Self.fields {
      var plan = FieldPlan()
      let slot = plan.slot(["x"])
      let scanner = RecordScanner(plan)
      let checks = FieldChecks([(field: field, slot: slot)])
      let scalars = UnsafeMutablePointer<Scalar>.allocate(capacity: plan.paths.count)
      scalars.initialize(repeating: .null, count: plan.paths.count)
      defer { scalars.deallocate() }
      for value in Self.values {
        let line = value.isEmpty ? "{\"y\":1}" : "{\"x\":\(value),\"y\":1}"
        let bytes = Array(line.utf8) + [UInt8](repeating: 0x20, count: padding)
        try bytes.withBytes { padded in
          try scanner.scan(padded[0..<line.utf8.count], padding: padding)
          let found = text { () throws(BadRecord) in
            try checks.convert(scanner, into: scalars)
            return scalars[slot]
          }
          let expected = text { () throws(BadRecord) in
            try field.convert(scanner.scalar(slot), scanner.raw(slot))
          }
          #expect(found == expected, "\(field.type) \(value)")
        }
      }
    }
  }
}
