// The instructions of a compiled expression. A program is flat postfix: no jumps, since nothing has
// side effects and nothing fails, so that both branches of `?:` may be computed and one chosen.
//
//     dep_delay > 15 && origin in ['JFK', 'LGA']
//     load 0 · constant 0 · greater · load 1 · constant 1 · constant 2 · within 3 · and

enum Operation: UInt8, Sendable {
  /// The operand is an index into the constants.
  case constant
  /// The operand is a slot; the value is made to fit the instruction's type.
  case load
  // From here on the operand is the number of arguments.
  /// Makes a value fit the instruction's type.
  case conform
  case negate, not, isNull, isNotNull
  case add, subtract, multiply, divide, remainder
  case equal, notEqual, less, lessEqual, greater, greaterEqual, within
  case and, or, select
  case size, startsWith, endsWith, contains, lowerAscii, upperAscii, trim
  case hour, minute, dayOfWeek, dayOfMonth, dayOfYear, month, year, epochSeconds
  case abs, sign, floor, ceil, round, sqrt, exp, log, log10, log1p, pow, min, max, clamp
  case coalesce, toInt, toDouble

  init(_ symbol: BinaryOperator) {
    self =
      switch symbol {
      case .or: .or
      case .and: .and
      case .less: .less
      case .lessEqual: .lessEqual
      case .greater: .greater
      case .greaterEqual: .greaterEqual
      case .equal: .equal
      case .notEqual: .notEqual
      case .add: .add
      case .subtract: .subtract
      case .multiply: .multiply
      case .divide: .divide
      case .remainder: .remainder
      }
  }

  /// Its result may lie in the stack's arena, and so cannot become a constant.
  var writesText: Bool { self == .lowerAscii || self == .upperAscii }
}

struct Instruction: Sendable {
  let operation: Operation
  /// For `load` and `conform`.
  let type: ValueType
  let operand: Int32
}
