// Fields: every type against every kind of value, the bounds, the short and the long form.

import Core
import TestSupport
import Testing

@Suite struct FieldTests {
  /// The converted value as text, or why there is none.
  private func convert(_ field: Field, _ json: String) -> String {
    var cursor = JSONCursor(Bytes(lasting: json))
    do {
      let raw = try cursor.rawValue()
      let value: Scalar? =
        switch raw.kind {
        case .null, .array, .object: .null
        case .bool: .bool(raw.bytes.count == 4)
        case .number: JSONNumber.scalar(raw.bytes)
        case .string: .text(raw.bytes)
        }
      switch try field.convert(value, raw) {
      case .null: return "null"
      case .bool(let flag): return "bool \(flag)"
      case .int(let number): return "int \(number)"
      case .uint(let number): return "uint \(number)"
      case .double(let number): return "double \(number)"
      case .text(let text): return "text \(text.string)"
      case .time(let time): return "time \(time.microseconds)"
      }
    } catch let error as BadRecord {
      return error.reason
    } catch {
      return "no JSON"
    }
  }

  private static let values = [
    "null", "true", "3", "3.0", "3.5", "1e999", "\"x\"", "\"1970-01-01T00:00:01Z\"", "[1]", "{}",
  ]

  /// One row a type, one column a value; "-" is a refusal.
  private static let table: [(FieldType, [String])] = [
    (.string, ["-", "-", "-", "-", "-", "-", "text x", "text 1970-01-01T00:00:01Z", "-", "-"]),
    (.integer, ["-", "-", "int 3", "int 3", "-", "-", "-", "-", "-", "-"]),
    (.number, ["-", "-", "double 3.0", "double 3.0", "double 3.5", "-", "-", "-", "-", "-"]),
    (.boolean, ["-", "bool true", "-", "-", "-", "-", "-", "-", "-", "-"]),
    (.time, ["-", "-", "-", "-", "-", "-", "-", "time 1000000", "-", "-"]),
    (
      .any,
      [
        "-", "bool true", "int 3", "double 3.0", "double 3.5", "-", "text x",
        "text 1970-01-01T00:00:01Z", "null", "null",
      ]
    ),
  ]

  @Test(arguments: FieldType.allCases) func everyTypeTakesItsOwnValues(_ type: FieldType) throws {
    let expected = try #require(Self.table.first { $0.0 == type }).1
    for (json, expected) in zip(Self.values, expected) {
      let required = convert(Field(name: "f", type: type), json)
      if expected == "-" {
        #expect(required.hasPrefix("the member 'f' is"), "\(json): \(required)")
      } else {
        #expect(required == expected, "\(json)")
      }
      let optional = convert(Field(name: "f", type: type, isOptional: true), json)
      #expect(optional == (json == "null" ? "null" : required))
    }
  }

  @Test func namesTheTypeThatWasExpected() {
    #expect(
      convert(Field(name: "f", type: .integer), "3.5") == "the member 'f' is not an integer: 3.5")
    #expect(
      convert(Field(name: "f", type: .time), "3") == "the member 'f' is not an RFC 3339 time: 3")
    #expect(
      convert(Field(name: "f", type: .time, unit: .ms), "\"x\"")
        == "the member 'f' is not a time in ms: \"x\"")
    #expect(
      convert(Field(name: "f", type: .boolean), "null")
        == "the member 'f' is missing (a boolean is required)")
    let long = "\"" + String(repeating: "y", count: 60) + "\""
    #expect(convert(Field(name: "f", type: .number), long).hasSuffix("yyy…"))
  }

  @Test func boundsAreInclusive() {
    let number = Field(name: "f", type: .number, minimum: -1.5, maximum: 2)
    for text in ["-1.5", "2", "0", "2.0"] { #expect(convert(number, text).hasPrefix("double")) }
    #expect(convert(number, "-1.6") == "the member 'f' is -1.6, below the minimum -1.5")
    #expect(convert(number, "2.1") == "the member 'f' is 2.1, above the maximum 2")
    let integer = Field(name: "f", type: .integer, minimum: 1)
    #expect(convert(integer, "1.0") == "int 1")
    #expect(convert(integer, "0").contains("below the minimum 1"))
  }

  // MARK: Declarations

  @Test func readsShortAndLongForms() throws {
    let fields = try ConfigNode.members(
      """
      { a: "string", b: "time?", c: { type: "number", min: -1, max: 2.5, optional: true },
        d: { type: "time", unit: "ms" } }
      """
    ).map { (member) throws(Failure) in try Field(member) }
    #expect(fields.map(\.name) == ["a", "b", "c", "d"])
    #expect(fields.map(\.type) == [.string, .time, .number, .time])
    #expect(fields.map(\.isOptional) == [false, true, true, false])
    #expect(fields[2].minimum == -1 && fields[2].maximum == 2.5 && fields[0].minimum == nil)
    #expect(fields[3].unit == .ms && fields[1].unit == .rfc3339)
  }

  @Test(
    arguments: [
      (#"{a: "strnig"}"#, "test.json:1: a: 'strnig' is no type"), (#"{a: "?"}"#, "'' is no type"),
      ("{a: 5}", "test.json:1: a: expected an object, found a number"),
      ("{a: {}}", "a: the key 'type' is missing"),
      (
        #"{a: {type: "string", min: 1}}"#,
        "min and max are for numbers and integers, not for string"
      ),
      (#"{a: {type: "number", min: 2, max: 1}}"#, "a: min 2 is above max 1"),
      (#"{a: {type: "number", unit: "ms"}}"#, "a.unit: a unit is for times"),
      (#"{a: {type: "time", unit: "min"}}"#, "a.unit: 'min' is none of: rfc3339, s, ms, us, ns"),
      (#"{a: {type: "number", enum: ["x"]}}"#, "a.enum: enum is for strings, not for number"),
      (#"{a: {type: "string", enum: []}}"#, "a.enum: an enum has at least one word"),
      (
        #"{a: {type: "string", min_length: 3, max_length: 2}}"#,
        "a: min_length 3 is above max_length 2"
      ),
      (#"{a: {type: "string", min_length: -1}}"#, "a.min_length"),
      (#"{a: {typ: "time"}}"#, "a.typ: unknown key 'typ'"),
    ])
  func refusesWrongDeclarations(_ text: String, _ expected: String) throws {
    let member = try ConfigNode.member(text)
    let found = message { () throws(Failure) in _ = try Field(member) }
    #expect(found.contains(expected), "\(found)")
  }

  // MARK: Strings

  @Test(
    arguments: [
      (#"enum: ["UA", "AA", ""]"#, "UA", nil), (#"enum: ["UA", "AA", ""]"#, "", nil),
      (#"enum: ["UA", "AA"]"#, "ua", "none of: UA, AA"), (#"enum: ["UA"]"#, "UAL", "none of: UA"),
      (#"prefix: "N""#, "N1", nil), (#"prefix: "N""#, "N", nil),
      (#"prefix: "N""#, "", "without the prefix 'N'"),
      (#"prefix: "N1""#, "N", "without the prefix 'N1'"),
      ("min_length: 2", "é", "1 characters long, shorter than 2"), ("min_length: 2", "éé", nil),
      ("max_length: 2", "👍é", nil), ("max_length: 2", "abc", "3 characters long, longer than 2"),
      ("min_length: 0, max_length: 0", "", nil),
      (#"prefix: "a", max_length: 1"#, "ab", "2 characters"),
    ] as [(String, String, String?)])
  func stringsAreWhatIsDeclared(_ limits: String, _ text: String, _ problem: String?) throws {
    let field = try Field(try ConfigNode.member("{f: {type: \"string\", \(limits)}}"))
    let found = convert(field, "\"\(text)\"")
    if let problem {
      #expect(found.hasPrefix("the member 'f' is \"\(text)\", \(problem)"))
    } else {
      #expect(found == "text \(text)")
    }
  }

  // MARK: Time units

  private static let times: [(TimeUnit, String, Int64?)] = [
    (.s, "1", 1_000_000), (.s, "-1", -1_000_000), (.s, "1.5", 1_500_000),
    (.s, "1.000001", 1_000_001),
    (.s, "1357405798.123457", 1_357_405_798_123_457),
    (.s, "253402300799", 253_402_300_799_000_000), (.s, "253402300800", nil),
    (.s, "9223372036854", nil),
    (.s, "9223372036855", nil), (.s, "1e300", nil), (.ms, "1357405798123", 1_357_405_798_123_000),
    (.ms, "0.5", 500), (.us, "-7", -7), (.us, "-62167219200000000", -62_167_219_200_000_000),
    (.us, "-62167219200000001", nil), (.ns, "1999", 1),
    (.ns, "-1", -1),
    (.ns, "-999", -1), (.ns, "-1000", -1), (.ns, "-1001", -2), (.ns, "0", 0), (.ns, "-1.5", -1),
    (.ns, "1e3", 1),
    (.ns, "9223372036854775807", 9_223_372_036_854_775),
    (.ns, "18446744073709551615", 18_446_744_073_709_551), (.us, "9223372036854775808", nil),
    (.ns, "-9223372036854775808", -9_223_372_036_854_776), (.s, "\"1\"", nil), (.rfc3339, "1", nil),
    (.rfc3339, "\"1970-01-01T00:00:00Z\"", 0),
  ]

  @Test(arguments: times)
  func readsTimesInTheirUnit(_ unit: TimeUnit, _ json: String, _ expected: Int64?) {
    let text = convert(Field(name: "f", type: .time, unit: unit), json)
    if let expected {
      #expect(text == "time \(expected)")
    } else {
      #expect(text.hasPrefix("the member 'f' is not"))
    }
  }

  @Test func nanosecondsKeepTheirOrder() {
    var last = Int64.min
    for number in Int64(-5_000)...5_000 {
      let time = TimeUnit.ns.timestamp(.int(number))!.microseconds
      #expect(time >= last && time * 1_000 <= number && number < (time + 1) * 1_000)
      last = time
    }
  }
}
