// The slow and obvious twin of the compiled program: a walk over the syntax tree that computes
// value and static type together, with wide integers, copied text and the C library's calendar.

import Foundation

@testable import Core

enum TwinValue: Equatable {
  case null
  case bool(Bool)
  /// Of any width: what no 64 bits hold is never made.
  case int(Int128)
  /// As a bit pattern, so that equal means the same bits.
  case double(UInt64)
  case text([UInt8])
  case time(Int64)

  init(_ scalar: Scalar) {
    self =
      switch scalar {
      case .null: .null
      case .bool(let value): .bool(value)
      case .int(let value): .int(Int128(value))
      case .uint(let value): .int(Int128(value))
      case .double(let value): .double(value.bitPattern)
      case .text(let value): .text(value.copy())
      case .time(let value): .time(value.microseconds)
      }
  }

  /// Null where neither 64 signed nor 64 unsigned bits hold it.
  init(integer value: Int128) {
    self = value >= Int128(Int64.min) && value <= Int128(UInt64.max) ? .int(value) : .null
  }

  init(finite value: Double) { self = value.isFinite ? .double(value.bitPattern) : .null }

  var number: Double? {
    switch self {
    case .int(let value): Double(value)
    case .double(let bits): Double(bitPattern: bits)
    default: nil
    }
  }

  var truth: Bool? { if case .bool(let value) = self { value } else { nil } }

  var type: ValueType {
    switch self {
    case .null: .null
    case .bool: .bool
    case .int: .int
    case .double: .double
    case .text: .string
    case .time: .time
    }
  }

  func conformed(to type: ValueType) -> TwinValue {
    if type == .any || self.type == type { return self }
    if case .int(let value) = self, type == .double { return TwinValue(finite: Double(value)) }
    return .null
  }
}

struct ExpressionTwin {
  let scope: Scope
  let scalars: [Scalar]

  typealias Result = (value: TwinValue, type: ValueType)

  func evaluate(_ syntax: Syntax) -> Result {
    switch syntax.kind {
    case .literal(.null): return (.null, .null)
    case .literal(.bool(let value)): return (.bool(value), .bool)
    case .literal(.int(let value)): return (.int(Int128(value)), .int)
    case .literal(.uint(let value)): return (.int(Int128(value)), .int)
    case .literal(.double(let value)): return (.double(value.bitPattern), .double)
    case .literal(.text(let value)): return (.text(Array(value.utf8)), .string)
    case .member(let path):
      let binding = scope.resolve(path)!
      return (TwinValue(scalars[binding.slot]).conformed(to: binding.type), binding.type)
    case .negate(let operand):
      let (value, type) = evaluate(operand)
      switch value {
      case .int(let number):
        return (TwinValue(integer: -number), type)
      case .double(let bits): return (TwinValue(finite: -Double(bitPattern: bits)), type)
      default: return (.null, type)
      }
    case .not(let operand):
      return (evaluate(operand).value.truth.map { .bool(!$0) } ?? .null, .bool)
    case .chain(let first, let links):
      return links.reduce(evaluate(first)) { combine($1.symbol, $0, evaluate($1.right)) }
    case .compare(let left, let link):
      if left.isNullLiteral || link.right.isNullLiteral,
        link.symbol == .equal || link.symbol == .notEqual
      {
        let value = evaluate(left.isNullLiteral ? link.right : left).value
        return (.bool((value == .null) == (link.symbol == .equal)), .bool)
      }
      return (compare(link.symbol, evaluate(left).value, evaluate(link.right).value), .bool)
    case .within(let left, let list):
      let value = evaluate(left).value
      let answers = list.map { compare(.equal, value, evaluate($0).value) }
      if answers.contains(.bool(true)) { return (.bool(true), .bool) }
      return (answers.contains(.null) ? .null : .bool(false), .bool)
    case .conditional(let condition, let yes, let no):
      let (yes, no) = (evaluate(yes), evaluate(no))
      let type = shared(yes.type, no.type)
      guard let truth = evaluate(condition).value.truth else { return (.null, type) }
      return ((truth ? yes : no).value.conformed(to: type), type)
    case .call(let name, let arguments, _):
      return call(name, arguments.map(evaluate))
    }
  }

  private func shared(_ left: ValueType, _ right: ValueType) -> ValueType {
    if left == right { return left }
    if left == .null { return right }
    if right == .null { return left }
    return left == .any || right == .any ? .any : .double
  }

  private func combine(_ symbol: BinaryOperator, _ left: Result, _ right: Result) -> Result {
    if symbol == .and || symbol == .or {
      let truths = [left.value.truth, right.value.truth]
      if truths.contains(symbol == .or) { return (.bool(symbol == .or), .bool) }
      return (truths.contains(nil) ? .null : .bool(symbol == .and), .bool)
    }
    let times = left.type == .time || right.type == .time
    return (
      calculate(symbol, left.value, right.value), times ? .double : shared(left.type, right.type)
    )
  }

  private func calculate(
    _ symbol: BinaryOperator, _ left: TwinValue, _ right: TwinValue
  ) -> TwinValue {
    switch (left, right) {
    case (.int(let a), .int(let b)):
      if b == 0, symbol == .divide || symbol == .remainder { return .null }
      if symbol == .multiply, b != 0, a.magnitude > UInt128(UInt64.max) / b.magnitude {
        return .null
      }
      let exact =
        switch symbol {
        case .add: a + b
        case .subtract: a - b
        case .multiply: a * b
        case .divide: a / b
        default: a % b
        }
      return TwinValue(integer: exact)
    case (.time(let left), .time(let right)):
      guard symbol == .subtract, let span = Int64(exactly: Int128(left) - Int128(right)) else {
        return .null
      }
      return .double((Double(span) / 1e6).bitPattern)
    default:
      guard let a = left.number, let b = right.number else { return .null }
      switch symbol {
      case .add: return TwinValue(finite: a + b)
      case .subtract: return TwinValue(finite: a - b)
      case .multiply: return TwinValue(finite: a * b)
      case .divide: return b == 0 ? .null : TwinValue(finite: a / b)
      default: return b == 0 ? .null : TwinValue(finite: fmod(a, b))
      }
    }
  }

  private func compare(_ symbol: BinaryOperator, _ left: TwinValue, _ right: TwinValue) -> TwinValue
  {
    if case .bool(let a) = left, case .bool(let b) = right, symbol == .equal || symbol == .notEqual
    {
      return .bool((a == b) == (symbol == .equal))
    }
    guard let isLess = less(left, right), let isGreater = less(right, left) else { return .null }
    switch symbol {
    case .less: return .bool(isLess)
    case .lessEqual: return .bool(!isGreater)
    case .greater: return .bool(isGreater)
    case .greaterEqual: return .bool(!isLess)
    case .equal: return .bool(!isLess && !isGreater)
    default: return .bool(isLess || isGreater)
    }
  }

  private func less(_ left: TwinValue, _ right: TwinValue) -> Bool? {
    switch (left, right) {
    case (.int(let a), .int(let b)): return a < b
    case (.text(let a), .text(let b)): return a.lexicographicallyPrecedes(b)
    case (.time(let a), .time(let b)): return a < b
    case (.int(let a), .double):
      guard let b = right.number, !b.isNaN else { return nil }
      return b.magnitude > 1e30 ? b > 0 : a < Int128(b.rounded(.up))
    case (.double, .int(let b)):
      guard let a = left.number, !a.isNaN else { return nil }
      return a.magnitude > 1e30 ? a < 0 : Int128(a.rounded(.down)) < b
    case (.double, .double):
      guard let a = left.number, let b = right.number, !a.isNaN, !b.isNaN else { return nil }
      return a < b
    default: return nil
    }
  }

  // MARK: Functions

  private func call(_ name: String, _ arguments: [Result]) -> Result {
    let values = arguments.map(\.value)
    switch name {
    case "has": return (.bool(values[0] != .null), .bool)
    case "coalesce", "min", "max", "clamp":
      let type = arguments.map(\.type).reduce(.null, shared)
      let value = name == "coalesce" ? values.first { $0 != .null } : chosen(name, values)
      return ((value ?? .null).conformed(to: type), type)
    case "abs", "sign", "floor", "ceil", "round":
      return (shaped(name, values[0]), arguments[0].type)
    case "sqrt", "exp", "log", "log10", "log1p", "pow":
      let numbers = values.compactMap(\.number)
      guard numbers.count == values.count else { return (.null, .double) }
      return (TwinValue(finite: transcendental(name, numbers)), .double)
    case "int": return (toInt(values[0]), .int)
    case "double":
      guard case .text(let text) = values[0] else {
        return (values[0].number.map(TwinValue.init(finite:)) ?? .null, .double)
      }
      let string = String(decoding: text, as: UTF8.self)
      let isNumber = string.wholeMatch(of: /-?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?/) != nil
      return (isNumber ? TwinValue(finite: Double(string)!) : .null, .double)
    case "size", "startsWith", "endsWith", "contains", "lowerAscii", "upperAscii", "trim":
      return textual(name, values)
    default: return temporal(name, values[0])
    }
  }

  private func chosen(_ name: String, _ values: [TwinValue]) -> TwinValue? {
    guard values.allSatisfy({ $0.number?.isNaN == false }) else { return nil }
    func lesser(_ a: TwinValue, _ b: TwinValue) -> TwinValue { less(b, a)! ? b : a }
    func greater(_ a: TwinValue, _ b: TwinValue) -> TwinValue { less(a, b)! ? b : a }
    if name == "min" { return values.dropFirst().reduce(values[0], lesser) }
    if name == "max" { return values.dropFirst().reduce(values[0], greater) }
    return less(values[2], values[1])! ? nil : lesser(greater(values[0], values[1]), values[2])
  }

  private func shaped(_ name: String, _ value: TwinValue) -> TwinValue {
    switch (name, value) {
    case ("abs", .int(let number)): TwinValue(integer: number < 0 ? -number : number)
    case ("sign", .int(let number)): .int(number < 0 ? -1 : number > 0 ? 1 : 0)
    case (_, .int): value
    case (_, .double(let bits)):
      switch name {
      case "abs": TwinValue(finite: fabs(Double(bitPattern: bits)))
      case "sign":
        Double(bitPattern: bits).isNaN
          ? .null
          : .double(
            (Double(bitPattern: bits) < 0 ? -1.0 : Double(bitPattern: bits) > 0 ? 1 : 0).bitPattern)
      case "floor": TwinValue(finite: floor(Double(bitPattern: bits)))
      case "ceil": TwinValue(finite: ceil(Double(bitPattern: bits)))
      default: TwinValue(finite: round(Double(bitPattern: bits)))
      }
    default: .null
    }
  }

  private func transcendental(_ name: String, _ numbers: [Double]) -> Double {
    switch name {
    case "sqrt": sqrt(numbers[0])
    case "exp": exp(numbers[0])
    case "log": log(numbers[0])
    case "log10": log10(numbers[0])
    case "log1p": log1p(numbers[0])
    default: pow(numbers[0], numbers[1])
    }
  }

  private func toInt(_ value: TwinValue) -> TwinValue {
    switch value {
    case .int: return value
    case .double:
      guard let number = value.number, number.magnitude < 1e30 else { return .null }
      return TwinValue(integer: Int128(number))
    case .text(let text):
      guard text.first != UInt8(ascii: "+") else { return .null }
      return Int128(String(decoding: text, as: UTF8.self)).map(TwinValue.init(integer:)) ?? .null
    default: return .null
    }
  }

  private func textual(_ name: String, _ values: [TwinValue]) -> Result {
    let type: ValueType =
      switch name {
      case "size": .int
      case "lowerAscii", "upperAscii", "trim": .string
      default: .bool
      }
    guard case .text(let text) = values[0] else { return (.null, type) }
    let string = String(decoding: text, as: UTF8.self)
    switch name {
    case "size": return (.int(Int128(string.unicodeScalars.count)), type)
    case "lowerAscii":
      return (.text(text.map { (65...90).contains($0) ? $0 + 32 : $0 }), type)
    case "upperAscii":
      return (.text(text.map { (97...122).contains($0) ? $0 - 32 : $0 }), type)
    case "trim":
      let blanks = CharacterSet(charactersIn: " \t\r\n")
      return (.text(Array(string.trimmingCharacters(in: blanks).utf8)), type)
    default: break
    }
    guard case .text(let part) = values[1] else { return (.null, type) }
    switch name {
    case "startsWith": return (.bool(text.starts(with: part)), type)
    case "endsWith": return (.bool(text.reversed().starts(with: part.reversed())), type)
    default:
      return (.bool((0...text.count).contains { text[$0...].starts(with: part) }), type)
    }
  }

  private func temporal(_ name: String, _ value: TwinValue) -> Result {
    let type: ValueType = name == "epoch_seconds" ? .double : .int
    guard case .time(let microseconds) = value else { return (.null, type) }
    if type == .double { return (.double((Double(microseconds) / 1e6).bitPattern), type) }
    var seconds = time_t((Int128(microseconds) - (microseconds < 0 ? 999_999 : 0)) / 1_000_000)
    var civil = tm()
    gmtime_r(&seconds, &civil)
    let field =
      switch name {
      case "year": Int(civil.tm_year) + 1900
      case "month": Int(civil.tm_mon) + 1
      case "day_of_month": Int(civil.tm_mday)
      case "day_of_week": Int(civil.tm_wday)
      case "day_of_year": Int(civil.tm_yday) + 1
      case "hour": Int(civil.tm_hour)
      default: Int(civil.tm_min)
      }
    return (.int(Int128(field)), type)
  }
}
