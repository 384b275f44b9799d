// A compiled expression as it runs: instructions, constants and the constants' text, each in memory
// of its own that never moves, so that running it needs no bounds checks and no reference counting.
// All indices were made by the compiler, and the number of cells is counted here, once.

/// The text of string constants. Never longer than the expression, because resolving an escape
/// shortens.
final class ConstantText {
  private let base: UnsafeMutablePointer<UInt8>
  private let capacity: Int
  private var used = 0

  init(capacity: Int) {
    self.capacity = capacity
    base = .allocate(capacity: max(capacity, 1))
  }

  deinit { base.deallocate() }

  func append(_ text: String) -> Bytes {
    let start = base + used
    for byte in text.utf8 {
      precondition(used < capacity, "string constants are no longer than the expression")
      base[used] = byte
      used += 1
    }
    return Bytes(base: start, count: base + used - start)
  }
}

/// Immutable once made, hence shared freely between threads.
final class ExpressionProgram: @unchecked Sendable {
  private let code: UnsafeMutablePointer<Instruction>
  private let count: Int
  let constants: UnsafeMutablePointer<Scalar>
  /// Only held: the constants point into it.
  private let text: ConstantText
  private let cellCount: Int
  private let writesText: Bool

  init(_ instructions: [Instruction], constants values: [Scalar], text: ConstantText) {
    count = instructions.count
    code = .allocate(capacity: count)
    code.initialize(from: instructions, count: count)
    constants = .allocate(capacity: max(values.count, 1))
    constants.initialize(from: values, count: values.count)
    self.text = text
    writesText = instructions.contains { $0.operation.writesText }
    var cells = 0
    var cellsMax = 0
    for instruction in instructions {
      let isOperand = instruction.operation == .constant || instruction.operation == .load
      cells += isOperand ? 1 : 1 - Int(instruction.operand)
      cellsMax = max(cellsMax, cells)
    }
    precondition(cells == 1, "a program leaves one value")
    cellCount = cellsMax
  }

  deinit {
    code.deallocate()
    constants.deallocate()
  }

  /// The instruction of a program that has only one.
  var single: Instruction? { count == 1 ? code[0] : nil }

  func run(_ scalars: UnsafePointer<Scalar>, _ stack: ExpressionStack) -> Scalar {
    guard writesText else { return execute(scalars, stack) }
    let mark = stack.mark
    let result = execute(scalars, stack)
    // Text that was made on the way is of no more use, unless it is the result.
    if case .text = result { return result }
    stack.rewind(to: mark)
    return result
  }

  /// Time is spent here. `top` is the topmost cell in use.
  private func execute(_ scalars: UnsafePointer<Scalar>, _ stack: ExpressionStack) -> Scalar {
    var top = stack.reserve(cellCount) - 1
    var next = code
    let end = code + count
    while next < end {
      let instruction = next.pointee
      next += 1
      switch instruction.operation {
      case .constant:
        top += 1
        top.pointee = constants[Int(instruction.operand)]
      case .load:
        top += 1
        top.pointee = Arithmetic.conform(scalars[Int(instruction.operand)], to: instruction.type)
      case .add, .subtract, .multiply, .divide, .remainder:
        top -= 1
        top[0] = Arithmetic.calculate(instruction.operation, top[0], top[1])
      case .equal, .notEqual, .less, .lessEqual, .greater, .greaterEqual:
        top -= 1
        top[0] = Arithmetic.compare(instruction.operation, top[0], top[1])
      case .and:
        top -= 1
        top[0] = Arithmetic.join(top[0], top[1], decidedBy: false)
      case .or:
        top -= 1
        top[0] = Arithmetic.join(top[0], top[1], decidedBy: true)
      case .select:
        top -= 2
        top[0] = Arithmetic.select(top[0], top[1], top[2])
      default:
        top -= Int(instruction.operand) - 1
        top[0] = Functions.apply(instruction, top, stack)
      }
    }
    return top.pointee
  }
}
