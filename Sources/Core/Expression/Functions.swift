// What the functions do to values. As with operators, what has no answer is null: a null argument,
// a value of another type, a point outside the function's domain, a result that is not finite.

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

enum Functions {
  /// Any operation that takes its arguments in a row, operators included.
  ///
  /// - Parameter stack: where text that is made here goes.
  static func apply(
    _ instruction: Instruction, _ arguments: UnsafePointer<Scalar>, _ stack: ExpressionStack
  ) -> Scalar {
    let operation = instruction.operation
    let count = Int(instruction.operand)
    switch operation {
    case .constant, .load: preconditionFailure("not an operation on arguments")
    case .conform: return Arithmetic.conform(arguments[0], to: instruction.type)
    case .negate: return Arithmetic.negate(arguments[0])
    case .not: return Arithmetic.not(arguments[0])
    case .isNull: return .bool(arguments[0].isNull)
    case .isNotNull: return .bool(!arguments[0].isNull)
    case .add, .subtract, .multiply, .divide, .remainder:
      return Arithmetic.calculate(operation, arguments[0], arguments[1])
    case .equal, .notEqual, .less, .lessEqual, .greater, .greaterEqual:
      return Arithmetic.compare(operation, arguments[0], arguments[1])
    case .within: return Arithmetic.within(arguments, count)
    case .and: return Arithmetic.join(arguments[0], arguments[1], decidedBy: false)
    case .or: return Arithmetic.join(arguments[0], arguments[1], decidedBy: true)
    case .select: return Arithmetic.select(arguments[0], arguments[1], arguments[2])
    case .coalesce:
      for index in 0..<count where !arguments[index].isNull { return arguments[index] }
      return .null
    case .size, .startsWith, .endsWith, .contains, .lowerAscii, .upperAscii, .trim:
      guard case .text(let text) = arguments[0] else { return .null }
      return textual(operation, text, arguments, stack)
    case .hour, .minute, .dayOfWeek, .dayOfMonth, .dayOfYear, .month, .year, .epochSeconds:
      guard case .time(let time) = arguments[0] else { return .null }
      return temporal(operation, time)
    case .min, .max: return extreme(operation, arguments, count)
    case .clamp: return clamp(arguments[0], arguments[1], arguments[2])
    case .pow:
      guard let base = number(arguments[0]), let power = number(arguments[1]) else { return .null }
      return Arithmetic.finite(pow(base, power))
    case .abs, .sign, .floor, .ceil, .round: return shaped(operation, arguments[0])
    case .sqrt, .exp, .log, .log10, .log1p:
      guard let value = number(arguments[0]) else { return .null }
      return Arithmetic.finite(transcendental(operation, value))
    case .toInt: return toInt(arguments[0])
    case .toDouble: return toDouble(arguments[0])
    }
  }

  /// Unlike `Scalar.number`, truth is no number here.
  private static func number(_ value: Scalar) -> Double? {
    switch value {
    case .int(let number): Double(number)
    case .double(let number): number
    case .uint(let number): Double(number)
    default: nil
    }
  }

  // MARK: Text

  private static func textual(
    _ operation: Operation, _ text: Bytes, _ arguments: UnsafePointer<Scalar>,
    _ stack: ExpressionStack
  ) -> Scalar {
    switch operation {
    // Every byte but those that continue a code point (10xxxxxx) starts one.
    case .size: return .int(text.buffer.reduce(0) { $0 + ($1 & 0xC0 == 0x80 ? 0 : 1) })
    case .trim: return .text(text.trimmed)
    case .lowerAscii: return .text(recased(text, from: UInt8(ascii: "A"), stack))
    case .upperAscii: return .text(recased(text, from: UInt8(ascii: "a"), stack))
    default: break
    }
    guard case .text(let part) = arguments[1] else { return .null }
    switch operation {
    case .startsWith: return .bool(text.starts(with: part))
    case .endsWith: return .bool(text.ends(with: part))
    default: return .bool(text.contains(part))
    }
  }

  /// Swaps the case of the 26 letters that start at `first`; a text without any is handed back as
  /// it is.
  private static func recased(_ text: Bytes, from first: UInt8, _ stack: ExpressionStack) -> Bytes {
    guard text.buffer.contains(where: { $0 &- first < 26 }) else { return text }
    let copy = stack.text(text.count)
    for index in 0..<text.count {
      let byte = text[index]
      copy[index] = byte &- first < 26 ? byte ^ 0x20 : byte
    }
    return Bytes(base: copy, count: text.count)
  }

  // MARK: Time

  private static func temporal(_ operation: Operation, _ time: Timestamp) -> Scalar {
    switch operation {
    case .hour: .int(Int64(time.hour))
    case .minute: .int(Int64(time.minute))
    case .dayOfWeek: .int(Int64(time.dayOfWeek))
    case .dayOfMonth: .int(Int64(time.date.day))
    case .dayOfYear: .int(Int64(time.date.dayOfYear))
    case .month: .int(Int64(time.date.month))
    case .year: .int(Int64(time.date.year))
    default: .double(Double(time.microseconds) / 1_000_000)
    }
  }

  // MARK: Numbers

  /// Integers stay integers.
  private static func shaped(_ operation: Operation, _ value: Scalar) -> Scalar {
    switch value {
    case .int(let number):
      switch operation {
      case .abs: Scalar(exactly: Swift.abs(Int128(number))) ?? .null
      case .sign: .int(number.signum())
      default: value
      }
    case .uint: operation == .sign ? .int(1) : value
    case .double(let number):
      switch operation {
      case .abs: Arithmetic.finite(number.magnitude)
      case .sign: number.isNaN ? .null : .double(number > 0 ? 1 : number < 0 ? -1 : 0)
      case .floor: Arithmetic.finite(number.rounded(.down))
      case .ceil: Arithmetic.finite(number.rounded(.up))
      default: Arithmetic.finite(number.rounded(.toNearestOrAwayFromZero))
      }
    default: .null
    }
  }

  private static func transcendental(_ operation: Operation, _ value: Double) -> Double {
    switch operation {
    case .sqrt: value.squareRoot()
    case .exp: exp(value)
    case .log: log(value)
    case .log10: log10(value)
    default: log1p(value)
    }
  }

  private static func extreme(
    _ operation: Operation, _ values: UnsafePointer<Scalar>, _ count: Int
  ) -> Scalar {
    var best = values[0]
    // Compared with itself first, so that a lone value that is no number is found out.
    for index in 0..<count {
      guard values[index].isNumber, let order = Arithmetic.order(values[index], best) else {
        return .null
      }
      if operation == .min ? order < 0 : order > 0 { best = values[index] }
    }
    return best
  }

  private static func clamp(_ value: Scalar, _ low: Scalar, _ high: Scalar) -> Scalar {
    guard value.isNumber, low.isNumber, high.isNumber,
      let range = Arithmetic.order(low, high), range <= 0,
      let below = Arithmetic.order(value, low), let above = Arithmetic.order(value, high)
    else { return .null }
    return below < 0 ? low : above > 0 ? high : value
  }

  // MARK: Conversion

  private static func toInt(_ value: Scalar) -> Scalar {
    switch value {
    case .int, .uint: value
    case .double(let number): Scalar(exactly: number.rounded(.towardZero)) ?? .null
    case .text(let text):
      JSONNumber.integer(text).map(Scalar.int) ?? JSONNumber.unsigned(text).map(Scalar.uint)
        ?? .null
    default: .null
    }
  }

  private static func toDouble(_ value: Scalar) -> Scalar {
    switch value {
    case .int(let number): .double(Double(number))
    case .uint(let number): .double(Double(number))
    case .double(let number): Arithmetic.finite(number)
    case .text(let text):
      isDecimal(text) ? JSONNumber.double(text).map(Scalar.double) ?? .null : .null
    default: .null
    }
  }

  /// `-`? digits ( `.` digits )? ( `e` sign? digits )?, which is what `JSONNumber.double` relies
  /// on.
  private static func isDecimal(_ text: Bytes) -> Bool {
    var index = 0
    func at(_ bytes: StaticString) -> Bool {
      index < text.count && Bytes(bytes).buffer.contains(text[index])
    }
    func skip(_ bytes: StaticString) -> Bool {
      guard at(bytes) else { return false }
      index += 1
      return true
    }
    func digits() -> Bool {
      let start = index
      while skip("0123456789") {}
      return index > start
    }
    _ = skip("-")
    guard digits() else { return false }
    if skip("."), !digits() { return false }
    if skip("eE") {
      _ = skip("+-")
      guard digits() else { return false }
    }
    return index == text.count
  }
}
