// The language in which rules, filters and derived inputs are written: a statically typed subset of
// CEL (Common Expression Language, github.com/google/cel-spec). An expression is compiled once,
// when the project is loaded, and evaluated per record without an allocation and without a way to
// fail.
//
//     text ─Lexer─▶ tokens ─Parser─▶ Syntax ─Compiler─▶ ExpressionProgram
//                                            types checked, constants folded, flat postfix
//
// Where it differs from CEL, it does so because a record's members may be missing, and because a
// stream must go on:
//
//   - a missing member is null, and null propagates through operators and functions; `x == null`
//     with the word null tests for it, and `has(x)` is true if x is anything else;
//   - `&&` and `||` know three truths: false && null is false, true || null is true, else null;
//   - what would be an error at run time is null: a division by zero (of doubles as well), an
//     overflow, a result that is no finite number, a value whose type was not foreseen;
//   - integers mix with doubles and are widened; comparing them is exact;
//   - time - time is a number of seconds, as there are no durations; months and days count from 1;
//   - an int is any integer from -2^63 to 2^64 - 1, where CEL has a type for those from 2^63 on;
//   - lists stand only to the right of `in`; no maps, macros, bytes.

/// A compiled expression. A class, since the hot loops pass it around for every record.
public final class Expression: Sendable {
  public let text: String
  /// The static type of the result, which is of this type or null; `.any`: known only at run time.
  public let type: ValueType
  /// The slots that it reads, each once, in the order of the text.
  public let slots: [Int]

  /// A lone member and a lone constant, which are common as inputs of models, skip the program.
  private enum Shape: Sendable {
    case slot(Int, ValueType)
    case constant(Scalar)
    case program
  }

  private let shape: Shape
  /// Also keeps the text of constants alive.
  private let program: ExpressionProgram

  /// - Parameter expecting: the type that the result must have; it is then of that type or null. An
  ///   integer is widened where a double is expected, and a type known only at run time is
  ///   accepted.
  public init(
    _ text: String, scope: Scope, expecting: ValueType? = nil
  ) throws(ExpressionError) {
    let syntax = try ExpressionParser.parse(text)
    var compiler = ExpressionCompiler(text: text, scope: scope)
    self.type = try compiler.compile(syntax, expecting: expecting)
    self.text = text
    self.slots = compiler.slots
    self.program = compiler.program()
    self.shape =
      switch program.single {
      case .none: .program
      case .some(let only) where only.operation == .load: .slot(Int(only.operand), only.type)
      case .some(let only): .constant(program.constants[Int(only.operand)])
      }
  }

  /// The value for one record. Text in it is the record's, this expression's, or the stack's: valid
  /// as long as the record and the expression are, and until `stack.reset()`.
  ///
  /// - Parameters:
  ///   - scalars: reaches at least to the greatest of `slots`.
  ///   - stack: of this thread.
  /// - Complexity: O(operators), times the length of text where text is compared. No allocation
  ///   once the stack has grown to what is needed.
  public func evaluate(_ scalars: UnsafePointer<Scalar>, _ stack: ExpressionStack) -> Scalar {
    switch shape {
    case .slot(let slot, let type): Arithmetic.conform(scalars[slot], to: type)
    case .constant(let value): value
    case .program: program.run(scalars, stack)
    }
  }
}
