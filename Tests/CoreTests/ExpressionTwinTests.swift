// Random typed expressions over random records: the compiled program and its twin must agree in
// every bit, and the result must be of the type that was promised.

import Testing

@testable import Core

/// Slots of the tests' records. Members named a … are of a type that is known only at run time.
enum TestRecord {
  static let members: [(name: String, type: ValueType)] = [
    ("i", .int), ("j", .int), ("d", .double), ("e", .double), ("s", .string), ("r", .string),
    ("b", .bool), ("c", .bool), ("t", .time), ("v", .time), ("a1", .any), ("a2", .any),
    ("a3", .any), ("user.id", .string), ("n", .null),
  ]

  static var scope: Scope {
    Scope(names: members.map(\.name)) { path in
      let name = path.joined(separator: ".")
      guard let slot = members.firstIndex(where: { $0.name == name }) else { return nil }
      return Binding(slot: slot, type: members[slot].type)
    }
  }
}

struct ExpressionGenerator {
  var random: SplitMix64

  mutating func pick<Element>(_ choices: [Element]) -> Element {
    choices.randomElement(using: &random)!
  }

  mutating func chance(_ percent: Int) -> Bool { Int.random(in: 0..<100, using: &random) < percent }

  // MARK: Values

  mutating func record() -> [Scalar] { TestRecord.members.map { scalar($0.type) } }

  private mutating func scalar(_ type: ValueType) -> Scalar {
    if chance(15) { return .null }
    // Now and then a value breaks the promise of its member.
    switch chance(5) ? .any : type {
    case .null: return .null
    case .bool: return .bool(chance(50))
    case .int:
      if chance(15) { return .uint(pick([1 << 63, .max, 1 << 63 + 1, 1 << 63 | random.next()])) }
      return .int(chance(50) ? pick([0, 1, -1, 2, 7, 60, .max, .min, 1 << 53 + 1, 5]) : wide())
    case .double:
      let edges = [
        0, -0.0, 1, 0.5, -2.5, 1e308, 0x1p63, -0x1p63, 0x1p53, 0x1p64, 0x1.8p63, .infinity, .nan,
        0x1p-1074, 7,
      ]
      return .double(chance(70) ? pick(edges) : Double.random(in: -1e3...1e3, using: &random))
    case .string:
      return .text(
        Bytes(
          pick([
            "", "JFK", " jfk\t", "abc", "AbÇd", "12", "-1.5e3", "é😀", "1e", "-", "0x1",
            "18446744073709551615",
          ])))
    case .time:
      let edges: [Int64] = [0, -1, .min, .max, 951_782_400_000_000, -62_135_596_800_000_000]
      let some = Int64.random(in: -4_000_000_000_000_000...4_000_000_000_000_000, using: &random)
      return .time(Timestamp(microseconds: chance(30) ? pick(edges) : some))
    case .any: return scalar(pick([.bool, .int, .double, .string, .time]))
    }
  }

  private mutating func wide() -> Int64 {
    Int64(bitPattern: random.next()) >> Int64.random(in: 0...63, using: &random)
  }

  // MARK: Texts

  mutating func text(_ type: ValueType, _ depth: Int) -> String {
    if depth == 0 || chance(10) { return leaf(type) }
    switch Int.random(in: 0..<10, using: &random) {
    case 0:
      return "(\(text(.bool, depth - 1)) ? \(text(type, depth - 1)) : \(text(type, depth - 1)))"
    case 1: return "coalesce(\(text(type, depth - 1)), \(text(type, depth - 1)))"
    default: break
    }
    switch type {
    case .bool: return truth(depth - 1)
    case .string:
      return "(\(text(.string, depth - 1))).\(pick(["lowerAscii", "upperAscii", "trim"]))()"
    case .time: return leaf(.time)
    default: return number(depth - 1)
    }
  }

  private mutating func leaf(_ type: ValueType) -> String {
    if chance(4) { return "null" }
    if chance(20) { return pick(["a1", "a2", "a3"]) }
    switch type {
    case .bool: return pick(["true", "false", "b", "c", "b", "c"])
    case .string:
      return pick(["s", "r", "user.id", "'JFK'", "\"\"", "'ab'", "'\\u00e9\\n'", "'12'"])
    case .time: return pick(["t", "v"])
    default:
      return pick([
        "i", "j", "d", "e", "i", "d", "0", "1", "-1", "2", "60", "9223372036854775807",
        "-9223372036854775808", "0.5", "-2.25", "1e308", "9007199254740993", "9007199254740992.0",
        "9223372036854775808.0", "0.0", "n", "9223372036854775808", "18446744073709551615",
      ])
    }
  }

  private mutating func number(_ depth: Int) -> String {
    let left = text(.double, depth)
    switch Int.random(in: 0..<12, using: &random) {
    case 0: return "-(\(left))"
    case 1: return "(\(text(.time, depth)) - \(leaf(.time)))"
    case 2: return "\(pick(["min", "max"]))(\(left), \(text(.double, depth)), \(leaf(.double)))"
    case 3: return "clamp(\(left), \(leaf(.double)), \(text(.double, depth)))"
    case 4: return "pow(\(left), \(leaf(.double)))"
    case 5: return "size(\(text(.string, depth)))"
    case 6: return "\(pick(["int", "double"]))(\(text(pick([.string, .double]), depth)))"
    case 7:
      let name = pick([
        "year", "month", "day_of_month", "day_of_week", "day_of_year", "hour", "minute",
        "epoch_seconds",
      ])
      return "\(name)(\(text(.time, depth)))"
    case 8:
      let name = pick([
        "abs", "sign", "floor", "ceil", "round", "sqrt", "exp", "log", "log10", "log1p",
      ])
      return "\(name)(\(left))"
    default:
      let pair = "\(left) \(pick(["+", "-", "*", "/", "%"])) \(text(.double, depth))"
      return chance(50) ? pair : "(\(pair))"
    }
  }

  private mutating func truth(_ depth: Int) -> String {
    switch Int.random(in: 0..<9, using: &random) {
    case 0: return "!(\(text(.bool, depth)))"
    case 1: return "has(\(text(pick([.double, .string, .bool]), depth)))"
    case 2:
      return "(\(text(pick([.double, .string, .time]), depth)) \(pick(["==", "!="])) null)"
    case 3:
      let name = pick(["startsWith", "endsWith", "contains"])
      return "(\(text(.string, depth))).\(name)(\(text(.string, depth)))"
    case 4:
      let type: ValueType = pick([.double, .string])
      var elements = (0..<Int.random(in: 0...3, using: &random)).map { _ in leaf(type) }
      elements.removeAll { $0 == "null" }
      return "(\(text(type, depth)) in [\(elements.joined(separator: ", "))])"
    case 5:
      return "((\(text(.bool, depth))) \(pick(["==", "!="])) (\(text(.bool, depth))))"
    case 6:
      let pair = "\(text(.bool, depth)) \(pick(["&&", "||"])) \(text(.bool, depth))"
      return chance(50) ? pair : "(\(pair))"
    default:
      let type: ValueType = pick([.double, .double, .string, .time])
      let symbol = pick(["<", "<=", ">", ">=", "==", "!="])
      return "(\(text(type, depth)) \(symbol) \(text(type, depth)))"
    }
  }
}

@Suite struct ExpressionTwinTests {
  @Test(arguments: 0..<8) func agreesWithItsTwin(seed: Int) throws {
    var generator = ExpressionGenerator(random: SplitMix64(seed: UInt64(seed)))
    let stack = ExpressionStack()
    var nulls = 0
    for _ in 0..<400 {
      let type = generator.pick([ValueType.bool, .double, .string, .time, .bool])
      let text = generator.text(type, 5)
      let expression = try Expression(text, scope: TestRecord.scope)
      let syntax = try ExpressionParser.parse(text)
      for _ in 0..<6 {
        let record = generator.record()
        let twin = ExpressionTwin(scope: TestRecord.scope, scalars: record).evaluate(syntax)
        let value = TwinValue(expression.evaluate(record, stack))
        if value != twin.value { Issue.record("\(text) on \(record): \(value), \(twin.value)") }
        if twin.type != expression.type { Issue.record("\(text) is \(twin.type)") }
        if value.conformed(to: expression.type) != value { Issue.record("\(text) on \(record)") }
        nulls += value == .null ? 1 : 0
      }
      stack.reset()
    }
    // The test would be hollow if most answers were unknown.
    #expect(nulls < 400 * 6 * 6 / 10)
  }
}
