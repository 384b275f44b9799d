// What questions have in common, each value once and by number: their day, or what an expression says of them.

import Core
import Features

final class QuestionKeys {
  /// Nil: the day, UTC.
  private let expression: Expression?
  private let keys = ByteTable()
  private let stack = ExpressionStack()
  private let row = OutputBuffer(MemorySink(), capacity: 256)

  init(_ expression: Expression?) {
    self.expression = expression
  }

  /// Dense from 0.
  func number(_ scalars: UnsafePointer<Scalar>, at time: Timestamp) -> Int {
    row.rewind(to: 0)
    if let expression {
      row.append(expression.evaluate(scalars, stack))
      stack.reset()
    } else {
      row.append(time.roundedDown(to: .days(1)))
    }
    return keys.insert(row.pending).index
  }

  /// As JSON.
  func name(_ number: Int) -> String { keys[number].string }
}
