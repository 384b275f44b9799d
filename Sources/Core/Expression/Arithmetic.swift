// What the operators do to values. Nothing fails: what has no answer is null (a null operand,
// operands of types that do not fit, a division by zero, an overflow, a result that is not a finite
// number).

enum Arithmetic {
  /// The value if it is of the type, an integer widened to a double; null if it is not.
  @inline(__always)
  static func conform(_ value: Scalar, to type: ValueType) -> Scalar {
    switch (value, type) {
    case (_, .any): value
    case (.double, .double), (.int, .int), (.bool, .bool), (.text, .string), (.time, .time): value
    case (.int(let number), .double): .double(Double(number))
    case (.uint, .int): value
    case (.uint(let number), .double): .double(Double(number))
    default: .null
    }
  }

  @inline(__always)
  static func finite(_ value: Double) -> Scalar { value.isFinite ? .double(value) : .null }

  static func negate(_ value: Scalar) -> Scalar {
    switch value {
    case .int(let number): Scalar(exactly: -Int128(number)) ?? .null
    case .uint(let number): Scalar(exactly: -Int128(number)) ?? .null
    case .double(let number): finite(-number)
    default: .null
    }
  }

  /// `+ - * / %` on two integers, two numbers, or the difference of two times in seconds.
  @inline(__always)
  static func calculate(_ operation: Operation, _ left: Scalar, _ right: Scalar) -> Scalar {
    switch (left, right) {
    case (.double(let left), .double(let right)): doubles(operation, left, right)
    case (.int(let left), .int(let right)): integers(operation, left, right)
    case (.int(let left), .double(let right)): doubles(operation, Double(left), right)
    case (.double(let left), .int(let right)): doubles(operation, left, Double(right))
    case (.time(let left), .time(let right)) where operation == .subtract:
      seconds(from: right, to: left)
    default: unsigned(operation, left, right)
    }
  }

  @inline(__always)
  private static func doubles(_ operation: Operation, _ left: Double, _ right: Double) -> Scalar {
    switch operation {
    case .add: finite(left + right)
    case .subtract: finite(left - right)
    case .multiply: finite(left * right)
    // A division by zero is infinite or no number, hence null.
    case .divide: finite(left / right)
    default: finite(left.truncatingRemainder(dividingBy: right))
    }
  }

  private static func integers(_ operation: Operation, _ left: Int64, _ right: Int64) -> Scalar {
    let result: (partialValue: Int64, overflow: Bool)
    switch operation {
    case .add: result = left.addingReportingOverflow(right)
    case .subtract: result = left.subtractingReportingOverflow(right)
    case .multiply: result = left.multipliedReportingOverflow(by: right)
    // A division by zero is reported as an overflow.
    case .divide: result = left.dividedReportingOverflow(by: right)
    default: result = left.remainderReportingOverflow(dividingBy: right)
    }
    // What 63 bits cannot hold, 64 may.
    return result.overflow
      ? wide(operation, Int128(left), Int128(right)) : .int(result.partialValue)
  }

  /// Where one of the two is an unsigned integer, which is rare; everything that has no answer ends here.
  @inline(never)
  private static func unsigned(_ operation: Operation, _ left: Scalar, _ right: Scalar) -> Scalar {
    if let left = integer(left), let right = integer(right) { return wide(operation, left, right) }
    guard left.isNumber, right.isNumber, let left = left.number, let right = right.number else {
      return .null
    }
    return doubles(operation, left, right)
  }

  private static func integer(_ value: Scalar) -> Int128? {
    switch value {
    case .int(let number): Int128(number)
    case .uint(let number): Int128(number)
    default: nil
    }
  }

  /// Exact, or null where 64 bits cannot hold the result.
  @inline(never)
  private static func wide(_ operation: Operation, _ left: Int128, _ right: Int128) -> Scalar {
    let result: Int128
    switch operation {
    case .add: result = left + right
    case .subtract: result = left - right
    case .multiply:
      // Of two unsigned ones even 128 bits may be too few.
      let (product, overflow) = left.multipliedReportingOverflow(by: right)
      if overflow { return .null }
      result = product
    case _ where right == 0: return .null
    case .divide: result = left / right
    default: result = left % right
    }
    return Scalar(exactly: result) ?? .null
  }

  private static func seconds(from start: Timestamp, to end: Timestamp) -> Scalar {
    let (span, overflow) = end.microseconds.subtractingReportingOverflow(start.microseconds)
    return overflow ? .null : .double(Double(span) / 1_000_000)
  }

  // MARK: Comparison

  /// `== != < <= > >=`
  @inline(__always)
  static func compare(_ operation: Operation, _ left: Scalar, _ right: Scalar) -> Scalar {
    if operation == .equal || operation == .notEqual {
      guard let equal = equal(left, right) else { return .null }
      return .bool(equal == (operation == .equal))
    }
    guard let order = order(left, right) else { return .null }
    switch operation {
    case .less: return .bool(order < 0)
    case .lessEqual: return .bool(order <= 0)
    case .greater: return .bool(order > 0)
    default: return .bool(order >= 0)
    }
  }

  @inline(__always)
  static func equal(_ left: Scalar, _ right: Scalar) -> Bool? {
    switch (left, right) {
    case (.bool(let left), .bool(let right)): left == right
    case (.text(let left), .text(let right)): left == right
    default: order(left, right).map { $0 == 0 }
    }
  }

  /// Below, at or above 0; nil where there is no order.
  @inline(__always)
  static func order(_ left: Scalar, _ right: Scalar) -> Int? {
    switch (left, right) {
    case (.double(let left), .double(let right)):
      left < right ? -1 : left > right ? 1 : left == right ? 0 : nil
    case (.int(let left), .int(let right)): left < right ? -1 : left > right ? 1 : 0
    case (.int(let left), .double(let right)): order(left, right)
    case (.double(let left), .int(let right)): order(right, left).map { -$0 }
    case (.text(let left), .text(let right)): left == right ? 0 : left < right ? -1 : 1
    case (.time(let left), .time(let right)): left < right ? -1 : left > right ? 1 : 0
    case (.uint(let left), .uint(let right)): left < right ? -1 : left > right ? 1 : 0
    // An unsigned integer is above everything that a signed one can be.
    case (.int, .uint): -1
    case (.uint, .int): 1
    case (.uint(let left), .double(let right)): order(left, right)
    case (.double(let left), .uint(let right)): order(right, left).map { -$0 }
    default: nil
    }
  }

  private static func order(_ left: UInt64, _ right: Double) -> Int? {
    if right >= 0x1p64 { return -1 }
    guard right >= 0x1p63 else { return right.isNaN ? nil : 1 }
    // From 2^53 on every double is whole.
    let whole = UInt64(right)
    return left < whole ? -1 : left > whole ? 1 : 0
  }

  /// Exact: an integer is never rounded to a double to be compared.
  private static func order(_ left: Int64, _ right: Double) -> Int? {
    // 2^63 is a double; Int64.max is not, and would be rounded to it.
    if right >= 0x1p63 { return -1 }
    if right < -0x1p63 { return 1 }
    guard !right.isNaN else { return nil }
    let whole = Int64(right)
    if left != whole { return left < whole ? -1 : 1 }
    let fraction = right - Double(whole)
    return fraction > 0 ? -1 : fraction < 0 ? 1 : 0
  }

  /// `x in [a, b]` is `x == a || x == b`; the values are x, a, b.
  static func within(_ values: UnsafePointer<Scalar>, _ count: Int) -> Scalar {
    var unknown = false
    for index in 1..<max(count, 1) {
      switch equal(values[0], values[index]) {
      case true: return .bool(true)
      case false: continue
      default: unknown = true
      }
    }
    return unknown ? .null : .bool(false)
  }

  // MARK: Logic

  @inline(__always)
  static func not(_ value: Scalar) -> Scalar {
    if case .bool(let truth) = value { .bool(!truth) } else { .null }
  }

  /// `&&` has its answer when one is false, `||` when one is true; else an unknown makes it
  /// unknown.
  @inline(__always)
  static func join(_ left: Scalar, _ right: Scalar, decidedBy decisive: Bool) -> Scalar {
    switch (left, right) {
    case (.bool(let left), .bool(let right)):
      .bool(left == decisive || right == decisive ? decisive : !decisive)
    case (.bool(decisive), _), (_, .bool(decisive)): .bool(decisive)
    default: .null
    }
  }

  @inline(__always)
  static func select(_ condition: Scalar, _ yes: Scalar, _ no: Scalar) -> Scalar {
    if case .bool(let truth) = condition { truth ? yes : no } else { .null }
  }
}
