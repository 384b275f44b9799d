// Microseconds read as whole nanoseconds: the eight-byte reading against the one by way of a double, through the scanner.

import Testing

@testable import Core

@Suite struct ThousandthsTests {
  private func check(_ literals: [String]) throws {
    var plan = FieldPlan()
    let slot = plan.slot(["a"])
    let scanner = RecordScanner(plan)
    for literal in literals {
      // With room behind the line, and without.
      for padding in [0, 32] {
        let text = Array("{\"a\":\(literal)}".utf8) + [UInt8](repeating: 0x37, count: padding)
        let (fast, slow) = try text.withBytes { (bytes) throws(JSONError) in
          try scanner.scan(bytes[0..<bytes.count - padding], padding: padding)
          return (scanner.thousandths(slot), scanner.slowThousandths(slot))
        }
        #expect(fast == slow, "\(literal)")
      }
    }
  }

  @Test func equalsTheWayByADouble() throws {
    var random = SplitMix64(seed: 11)
    var literals: [String] = []
    for _ in 0..<20_000 {
      let whole = Int.random(in: 0...(1 << Int.random(in: 0...48, using: &random)), using: &random)
      let decimals = Int.random(in: 0...6, using: &random)
      let fraction = (0..<decimals).map { _ in String(Int.random(in: 0...9, using: &random)) }
      literals.append(decimals == 0 ? "\(whole)" : "\(whole).\(fraction.joined())")
    }
    try check(literals)
  }

  @Test func whatIsNoSuchNumberIsToldByTheSlowOne() throws {
    try check([
      "0", "0.0", "-0", "-0.0", "-1", "-1.5", "1e3", "1.5E-2", "0.0005", "0.0004", "1e15",
      "999999999999999", "1e400", "null", "true", "\"12\"", "[1]", "{\"b\":1}", "99999.99",
      "9999.999", "10000.000", "12345.1e5", "123456.7E1", "1234567.1e2", "12345678.125",
    ])
    var plan = FieldPlan()
    let slot = plan.slot(["a"])
    let scanner = RecordScanner(plan)
    let cases: [(text: String, expected: UInt64?)] = [
      ("{\"a\":12.345}", 12_345), ("{\"a\":7}", 7_000), ("{\"a\":0.0005}", 1),
      ("{\"a\":-1}", nil), ("{}", nil), ("{\"a\":\"1\"}", nil), ("{\"a\":1e15}", nil),
    ]
    for (text, expected) in cases {
      let padded = Array(text.utf8) + [UInt8](repeating: 0, count: 32)
      let found = try padded.withBytes { (bytes) throws(JSONError) in
        try scanner.scan(bytes[0..<text.utf8.count], padding: 32)
        return scanner.thousandths(slot)
      }
      #expect(found == expected, "\(text)")
    }
  }
}
