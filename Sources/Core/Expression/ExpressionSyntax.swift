// What the parser makes of a text: a small tree with the place of each node.
//
// Operators of one rank in a row (`a + b - c`, `p || q || r`) are one node with a list, not a
// leaning tower of nodes. So the height of a tree comes from nesting alone,
// `Limits.expressionDepthMax` bounds it, and whoever walks a tree may recurse without fear for the
// stack.

enum BinaryOperator: String, Sendable {
  case or = "||"
  case and = "&&"
  case less = "<"
  case lessEqual = "<="
  case greater = ">"
  case greaterEqual = ">="
  case equal = "=="
  case notEqual = "!="
  case add = "+"
  case subtract = "-"
  case multiply = "*"
  case divide = "/"
  case remainder = "%"
}

struct Syntax {
  enum Literal: Equatable {
    case null
    case bool(Bool)
    case int(Int64)
    case uint(UInt64)
    case double(Double)
    case text(String)
  }

  /// An operator and what stands to its right.
  struct Link {
    let symbol: BinaryOperator
    let offset: Int
    let right: Syntax
  }

  indirect enum Kind {
    case literal(Literal)
    case member([String])
    case negate(Syntax)
    case not(Syntax)
    /// From the left: `first`, then each link. All links are of one rank.
    case chain(Syntax, [Link])
    case compare(Syntax, Link)
    case within(Syntax, [Syntax])
    case conditional(Syntax, Syntax, Syntax)
    /// A method's receiver is the first of the arguments.
    case call(String, [Syntax], isMethod: Bool)
  }

  let kind: Kind
  /// Where a message points: the operator of an operation, else the first byte.
  let offset: Int
  let height: Int

  var isNullLiteral: Bool {
    if case .literal(.null) = kind { true } else { false }
  }
}
