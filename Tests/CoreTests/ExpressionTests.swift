import Testing

@testable import Core

/// Evaluates over a record with known members; see `TestRecord` for their types.
private struct Example {
  let stack = ExpressionStack()
  var record: [Scalar] = TestRecord.members.map { _ in .null }

  init() {
    set("i", .int(7))
    set("d", .double(2.5))
    set("s", .text(Bytes("JFK")))
    set("b", .bool(true))
    // 2013-01-05T17:09:58.5Z, a Saturday
    set("t", .time(Timestamp(microseconds: 1_357_405_798_500_000)))
    set("v", .time(Timestamp(microseconds: -1)))
    set("a1", .int(3))
    set("a2", .text(Bytes("é😀x")))
    set("user.id", .text(Bytes("u-1")))
  }

  mutating func set(_ name: String, _ value: Scalar) {
    record[TestRecord.members.firstIndex { $0.name == name }!] = value
  }

  func callAsFunction(_ text: String) throws -> TwinValue {
    let expression = try Expression(text, scope: TestRecord.scope)
    return TwinValue(expression.evaluate(record, stack))
  }
}

private func number(_ value: Double) -> TwinValue { .double(value.bitPattern) }
private func text(_ value: String) -> TwinValue { .text(Array(value.utf8)) }
private let yes = TwinValue.bool(true)
private let no = TwinValue.bool(false)

@Suite struct ExpressionTests {
  private let example = Example()

  @Test(
    arguments: [
      ("1 + 2 * 3", .int(7)), ("(1 + 2) * 3", .int(9)), ("10 - 4 - 3", .int(3)),
      ("100 / 10 / 5", .int(2)), ("-2 + 3", .int(1)), ("- -2", .int(2)), ("2 - -2", .int(4)),
      ("7 % 4 * 2", .int(6)), ("1 < 2 && 3 < 4", yes), ("false && false || true", yes),
      ("true || false && false", yes), ("!false && false", no), ("!(false && false)", yes),
      ("1 + 1 == 2", yes), ("1 in [2 - 1]", yes), ("!(1 in [2])", yes),
      ("true ? 1 : false ? 2 : 3", .int(1)), ("false ? 1 : false ? 2 : 3", .int(3)),
      ("false || true ? 1 : 2", .int(1)), ("1 == 1 ? 2 + 3 : 4", .int(5)), ("-i * 2", .int(-14)),
      ("1 + 2 * 3 - 8 / 2 + 1 == 4 && true", yes), ("2 * 3 + 4 * 5 % 3", .int(8)),
      ("1 + 1 < 1 + 2 || 1 / 0 == 1", yes), ("true || true && false == true", yes),
      ("2 in [1 + 1] && 3 > 2", yes), ("(2 - 1) * 3 - 1", .int(2)),
      ("-'12'.size()", .int(-2)), ("s.lowerAscii().size() + 1", .int(4)),
    ] as [(String, TwinValue)])
  func bindsAsInCEL(_ source: String, _ value: TwinValue) throws {
    #expect(try example(source) == value)
  }

  @Test(
    arguments: [
      ("7 / 2", .int(3)), ("-7 / 2", .int(-3)), ("-7 % 4", .int(-3)), ("7 % -4", .int(3)),
      ("7 / 2.0", number(3.5)), ("5.5 % 2", number(1.5)), ("1 / 0", .null), ("1 % 0", .null),
      ("1.0 / 0", .null), ("0.0 / 0.0", .null), ("1 % 0.0", .null), ("1e308 * 10", .null),
      ("9223372036854775807 + 1", .int(1 << 63)), ("-9223372036854775808 - 1", .null),
      ("9223372036854775807 * 2", .int(0xFFFF_FFFF_FFFF_FFFE)),
      ("9223372036854775807 * 3", .null), ("-9223372036854775808 / -1", .int(1 << 63)),
      ("-9223372036854775808 % -1", .int(0)), ("-(-9223372036854775808)", .int(1 << 63)),
      ("-9223372036854775808", .int(-1 << 63)), ("i + n", .null), ("null + 1", .null),
      ("18446744073709551615", .int(1 << 64 - 1)), ("18446744073709551615 + 1", .null),
      ("18446744073709551615 - 18446744073709551614", .int(1)),
      ("18446744073709551615 * 18446744073709551615", .null),
      ("i - 9223372036854775815", .int(-1 << 63)), ("i - 9223372036854775816", .null),
      ("18446744073709551615 / 2", .int(1 << 63 - 1)), ("18446744073709551615 % 0", .null),
      ("-(9223372036854775808)", .int(-1 << 63)), ("-(9223372036854775809)", .null),
      ("18446744073709551615 * 0.5", number(0x1p63)),
      ("i + 0.5", number(7.5)), ("1.5e3", number(1500)), ("2E-1", number(0.2)),
      ("t - v", number(1_357_405_798.500001)), ("t - t", number(0)), ("-0.0", number(-0.0)),
    ] as [(String, TwinValue)])
  func calculates(_ source: String, _ value: TwinValue) throws {
    #expect(try example(source) == value)
  }

  @Test(
    arguments: [
      ("9007199254740993 == 9007199254740992.0", no),
      ("9007199254740993 > 9007199254740992.0", yes),
      ("9223372036854775807 < 9223372036854775808.0", yes),
      ("9223372036854775807 == 9223372036854775808.0", no),
      ("-9223372036854775808 == -9223372036854775808.0", yes), ("3 <= 3.5", yes), ("-3 < -3.5", no),
      ("9223372036854775807 == 9223372036854775808", no),
      ("9223372036854775807 < 9223372036854775808", yes),
      ("18446744073709551615 == 18446744073709551614", no),
      ("18446744073709551615 == 18446744073709551616.0", no),
      ("18446744073709551615 < 18446744073709551616.0", yes),
      ("9223372036854775808 == 9223372036854775808.0", yes),
      ("9223372036854775809 > 9223372036854775808.0", yes),
      ("-1.0 < 9223372036854775808", yes), ("-1 >= 18446744073709551615", no),
      ("18446744073709551614 in [1, 18446744073709551615]", no),
      ("0 == -0.0", yes), ("i > 1e300", no), ("i >= -1e300", yes), ("'a' < 'b'", yes),
      ("'a' < 'B'", no), ("'a' < 'ab'", yes), ("'' <= ''", yes), ("'é' > 'z'", yes),
      ("s == \"JFK\"", yes), ("s != 'JFK'", no), ("b == true", yes), ("b != c", .null),
      ("t > v", yes), ("t == t", yes), ("i < n", .null), ("n == n", .null), ("n == null", yes),
      ("i == null", no), ("null != i", yes), ("null == null", yes), ("null != n", no),
      ("a1 == 3", yes), ("a1 == 3.0", yes), ("a1 == '3'", .null), ("a2 < 3", .null),
      ("a1 == a2", .null),
    ] as [(String, TwinValue)])
  func compares(_ source: String, _ value: TwinValue) throws {
    #expect(try example(source) == value)
  }

  @Test(
    arguments: [
      ("false && c", no), ("c && false", no), ("true && c", .null), ("c && true", .null),
      ("true || c", yes), ("c || true", yes), ("false || c", .null), ("c || c", .null),
      ("!c", .null), ("!null", .null), ("!b", no), ("c ? 1 : 2", .null), ("b ? n : 2", .null),
      ("a1 && true", .null), ("a1 || true", yes), ("a1 ? 1 : 2", .null), ("!a2", .null),
      ("s in ['LGA', 'JFK']", yes), ("s in ['LGA']", no), ("s in []", no), ("n in [1]", .null),
      ("i in [n, 7]", yes), ("i in [n, 8]", .null), ("i in [6.5, 7.0]", yes),
      ("a1 in ['x', 3]", yes), ("b ? 1 : 2.5", number(1)), ("coalesce(n, i, 0.5)", number(7)),
      ("coalesce(i, 0.5) / 2", number(3.5)), ("coalesce(n, null)", .null),
      ("has(n)", no), ("has(i)", yes), ("has(1 / 0)", no), ("has(user.id)", yes),
    ] as [(String, TwinValue)])
  func decidesWithThreeTruths(_ source: String, _ value: TwinValue) throws {
    #expect(try example(source) == value)
  }

  @Test(
    arguments: [
      ("size('é😀x')", .int(3)), ("a2.size()", .int(3)), ("''.size()", .int(0)),
      ("s.startsWith('JF')", yes), ("s.endsWith('FK')", yes), ("s.contains('F')", yes),
      ("s.contains('')", yes), ("s.startsWith('JFKX')", no), ("s.lowerAscii()", text("jfk")),
      ("'ÀbC'.lowerAscii()", text("Àbc")), ("'aÉz'.upperAscii()", text("AÉZ")),
      ("' \\t a b\\n'.trim()", text("a b")),
      ("s.lowerAscii().upperAscii() == s", yes), ("user.id.size()", .int(3)),
      ("'\\u00e9\\'\\\"\\\\\\n\\r\\t'", text("é'\"\\\n\r\t")), ("\"it's\"", text("it's")),
      ("r.size()", .null), ("a1.size()", .null), ("s.contains(r)", .null),
      ("('a').size()", .int(1)),
    ] as [(String, TwinValue)])
  func worksOnText(_ source: String, _ value: TwinValue) throws {
    #expect(try example(source) == value)
  }

  @Test(
    arguments: [
      ("hour(t)", .int(17)), ("minute(t)", .int(9)), ("day_of_week(t)", .int(6)),
      ("day_of_month(t)", .int(5)), ("day_of_year(t)", .int(5)), ("month(t)", .int(1)),
      ("year(t)", .int(2013)), ("epoch_seconds(t)", number(1_357_405_798.5)),
      ("hour(v)", .int(23)), ("minute(v)", .int(59)), ("day_of_week(v)", .int(3)),
      ("day_of_year(v)", .int(365)), ("year(v)", .int(1969)), ("epoch_seconds(v)", number(-1e-6)),
      ("hour(n)", .null), ("hour(a1)", .null), ("t - a1", .null),
    ] as [(String, TwinValue)])
  func knowsTheCalendar(_ source: String, _ value: TwinValue) throws {
    #expect(try example(source) == value)
  }

  @Test(
    arguments: [
      ("abs(-3)", .int(3)), ("abs(-2.5)", number(2.5)),
      ("abs(-9223372036854775808)", .int(1 << 63)),
      ("sign(18446744073709551615)", .int(1)), ("floor(9223372036854775809)", .int(1 << 63 + 1)),
      ("max(1, 18446744073709551615, 2)", .int(1 << 64 - 1)),
      ("clamp(18446744073709551615, 0, 9223372036854775808)", .int(1 << 63)),
      ("sign(-7)", .int(-1)), ("sign(0)", .int(0)), ("sign(0.5)", number(1)),
      ("floor(-2.5)", number(-3)), ("ceil(-2.5)", number(-2)), ("round(-2.5)", number(-3)),
      ("round(2.5)", number(3)), ("round(0.49999999999999994)", number(0)), ("floor(7)", .int(7)),
      ("sqrt(9)", number(3)), ("sqrt(-1)", .null), ("log(0)", .null), ("log(-1)", .null),
      ("log10(1000)", number(3)), ("log1p(-1)", .null), ("log1p(0)", number(0)),
      ("exp(0)", number(1)), ("exp(1000)", .null), ("pow(2, 10)", number(1024)),
      ("pow(0, -1)", .null), ("pow(-8, 0.5)", .null), ("min(3, 1, 2)", .int(1)),
      ("max(3, 1, 2.5)", number(3)), ("min(1, n)", .null), ("min(i, a2)", .null),
      ("clamp(5, 1, 3)", .int(3)), ("clamp(0, 1, 3)", .int(1)), ("clamp(2, 1, 3)", .int(2)),
      ("clamp(2, 3, 1)", .null), ("clamp(d, 0, 1)", number(1)),
    ] as [(String, TwinValue)])
  func worksOnNumbers(_ source: String, _ value: TwinValue) throws {
    #expect(try example(source) == value)
  }

  @Test(
    arguments: [
      ("int(2.9)", .int(2)), ("int(-2.9)", .int(-2)), ("int(9223372036854775808.0)", .int(1 << 63)),
      ("int(18446744073709551616.0)", .null), ("double(9223372036854775808)", number(0x1p63)),
      ("int('18446744073709551615')", .int(1 << 64 - 1)), ("int('18446744073709551616')", .null),
      ("int('-9223372036854775809')", .null), ("int(9223372036854775809)", .int(1 << 63 + 1)),
      ("int(-9223372036854775808.0)", .int(-1 << 63)), ("int(1e300)", .null),
      ("int('12')", .int(12)),
      ("int('-12')", .int(-12)), ("int('1.5')", .null), ("int('')", .null), ("int(' 1')", .null),
      ("int('9223372036854775808')", .int(1 << 63)), ("int(i)", .int(7)), ("double(1)", number(1)),
      ("double('1.5')", number(1.5)), ("double('-2e3')", number(-2000)), ("double('x')", .null),
      ("double('')", .null), ("double('-')", .null), ("double('1.')", .null),
      ("double('.5')", .null), ("double('0x10')", .null), ("double('1e')", .null),
      ("double('nan')", .null), ("double('1e400')", .null), ("double('1 ')", .null),
      ("double(n)", .null), ("int(a2)", .null),
    ] as [(String, TwinValue)])
  func converts(_ source: String, _ value: TwinValue) throws {
    #expect(try example(source) == value)
  }

  // MARK: Types, slots, constants

  @Test(
    arguments: [
      ("i", .int), ("i + 1", .int), ("i + d", .double), ("i / 2", .int), ("a1 + 1", .any),
      ("t - v", .double), ("a1 - t", .double), ("a1 < 1", .bool), ("!a1", .bool), ("s", .string),
      ("t", .time), ("a1", .any), ("null", .null), ("b ? 1 : 2.0", .double), ("b ? null : 1", .int),
      ("b ? a1 : 1", .any), ("coalesce(n, 's')", .string), ("abs(i)", .int), ("min(i, d)", .double),
      ("has(t)", .bool), ("n + 1", .int), ("i == null", .bool),
    ] as [(String, ValueType)])
  func knowsTypesBeforehand(_ source: String, _ type: ValueType) throws {
    #expect(try Expression(source, scope: TestRecord.scope).type == type)
  }

  @Test func theExpectedTypeIsGiven() throws {
    var example = Example()
    func evaluate(_ source: String, _ type: ValueType) throws -> TwinValue {
      let expression = try Expression(source, scope: TestRecord.scope, expecting: type)
      #expect(expression.type == type)
      return TwinValue(expression.evaluate(example.record, example.stack))
    }
    #expect(try evaluate("i", .double) == number(7))
    #expect(try evaluate("i + 1", .double) == number(8))
    #expect(try evaluate("3", .double) == number(3))
    #expect(try evaluate("a1", .double) == number(3))
    #expect(try evaluate("a1 + 1", .double) == number(4))
    #expect(try evaluate("a1", .bool) == .null)
    #expect(try evaluate("null", .bool) == .null)
    #expect(try evaluate("i > 5", .bool) == yes)
    #expect(try evaluate("a1", .any) == .int(3))
    // A record that does not keep to its schema is read as null, except that integers are widened.
    example.set("d", .int(5))
    example.set("s", .int(5))
    example.set("i", .double(5))
    #expect(try evaluate("d / 2", .double) == number(2.5))
    #expect(try evaluate("s", .string) == .null)
    #expect(try evaluate("i", .int) == .null)
  }

  @Test func namesTheSlotsItReads() throws {
    #expect(try Expression("d > 1 && i < d", scope: TestRecord.scope).slots == [2, 0])
    #expect(try Expression("user.id", scope: TestRecord.scope).slots == [13])
    #expect(try Expression("1 + 2", scope: TestRecord.scope).slots == [])
  }

  @Test func constantsOutliveTheCompilerAndAreShared() async throws {
    let expressions = try ["s in ['LGA', 'JFK']", "'abc'.trim()"].map {
      try Expression($0, scope: TestRecord.scope)
    }
    let record = Example().record
    let results = await withTaskGroup(of: [TwinValue].self) { group in
      for _ in 0..<8 {
        group.addTask {
          let stack = ExpressionStack()
          return expressions.map { TwinValue($0.evaluate(record, stack)) }
        }
      }
      return await group.reduce(into: []) { $0.append($1) }
    }
    #expect(results.allSatisfy { $0 == [yes, text("abc")] })
  }

  @Test func madeTextLastsUntilReset() throws {
    var example = Example()
    let long = String(repeating: "Ab", count: 20_000)
    let lower = try Expression("s.lowerAscii()", scope: TestRecord.scope)
    let upper = try Expression("s.upperAscii()", scope: TestRecord.scope)
    let test = try Expression("s.lowerAscii() == s", scope: TestRecord.scope)
    Array(long.utf8).withBytes { bytes in
      example.set("s", .text(bytes))
      for _ in 0..<3 {
        let first = lower.evaluate(example.record, example.stack)
        let second = upper.evaluate(example.record, example.stack)
        // Text that was made on the way is forgotten at once.
        for _ in 0..<100 {
          #expect(TwinValue(test.evaluate(example.record, example.stack)) == no)
        }
        #expect(TwinValue(first) == text(long.lowercased()))
        #expect(TwinValue(second) == text(long.uppercased()))
        example.stack.reset()
      }
    }
  }

  @Test func longChainsAndListsAreNoNesting() throws {
    let sum = Array(repeating: "i", count: 4_000).joined(separator: " + ")
    #expect(try example(sum) == .int(28_000))
    let either = (0..<700).map { "i == \($0 + 8)" }.joined(separator: " || ")
    #expect(try example(either) == no)
    let list = (0..<2_000).map { String($0) }.joined(separator: ",")
    #expect(try example("i in [\(list)]") == yes)
  }

  @Test func everyFunctionIsListedOnce() {
    let names = FunctionEntry.all.map(\.name)
    #expect(Set(names).count == names.count)
    #expect(Expression.functions.count == names.count)
    for entry in FunctionEntry.all {
      #expect(entry.signature.contains(entry.name + "(") && !entry.summary.isEmpty)
    }
  }
}
