// Recursive descent and, for the binary operators, precedence climbing, with the ranks of CEL's
// grammar:
//
//     expression  = binary(or) [ "?" expression ":" expression ]
//     ||  →  &&  →  < <= > >= == != in  →  + -  →  * / %  →  unary ! -  →  postfix .name .name(…)
//
// Comparisons do not chain: `a < b < c` would compare a truth value with c, which nobody means.

struct ExpressionParser {
  private let text: String
  private let tokens: [PlacedToken]
  private var position = 0
  private var depth = 0

  private enum Rank: Int {
    case or, and, comparison, sum, product
  }

  private static let ranks: [String: Rank] = [
    "||": .or, "&&": .and, "<": .comparison, "<=": .comparison, ">": .comparison,
    ">=": .comparison, "==": .comparison, "!=": .comparison, "in": .comparison, "+": .sum,
    "-": .sum, "*": .product, "/": .product, "%": .product,
  ]

  /// What other languages would write after an operand.
  private static let mistaken = [
    "and": "&&", "or": "||", "not": "!", "is": "==", "mod": "%", "AND": "&&", "OR": "||",
  ]

  static func parse(_ text: String) throws(ExpressionError) -> Syntax {
    let count = text.utf8.count
    guard count <= Limits.expressionBytesMax else {
      throw ExpressionError(
        "the expression is \(count) bytes long; \(Limits.expressionBytesMax) are allowed", at: 0,
        in: text)
    }
    var lexer = ExpressionLexer(text)
    var parser = ExpressionParser(text: text, tokens: try lexer.tokens())
    let syntax = try parser.expression()
    guard parser.current == .end else { throw parser.unexpected("an operator or the end") }
    return syntax
  }

  private init(text: String, tokens: [PlacedToken]) {
    self.text = text
    self.tokens = tokens
  }

  // MARK: Ranks

  private mutating func expression() throws(ExpressionError) -> Syntax {
    try enter()
    defer { depth -= 1 }
    let condition = try binary(.or)
    let offset = self.offset
    guard take("?") else { return condition }
    let yes = try expression()
    guard take(":") else { throw unexpected("':'") }
    let no = try expression()
    return try node(.conditional(condition, yes, no), offset, above: [condition, yes, no])
  }

  /// Operators of at least that rank, by precedence climbing: one call serves all ranks as long as
  /// they fall, so that nested parentheses do not pay for every rank on the way down.
  private mutating func binary(_ least: Rank) throws(ExpressionError) -> Syntax {
    var left = try unary()
    while let rank = rank(of: current), rank.rawValue >= least.rawValue {
      left = rank == .comparison ? try comparison(left) : try chain(left, rank)
    }
    return left
  }

  /// The operators of one rank that follow `first`.
  private mutating func chain(_ first: Syntax, _ rank: Rank) throws(ExpressionError) -> Syntax {
    var links: [Syntax.Link] = []
    while let symbol = takeOperator(rank) {
      let offset = tokens[position - 1].offset
      links.append(Syntax.Link(symbol: symbol, offset: offset, right: try operand(of: rank)))
    }
    return try node(.chain(first, links), first.offset, above: [first] + links.map(\.right))
  }

  private mutating func operand(of rank: Rank) throws(ExpressionError) -> Syntax {
    guard let next = Rank(rawValue: rank.rawValue + 1) else { return try unary() }
    return try binary(next)
  }

  private mutating func comparison(_ left: Syntax) throws(ExpressionError) -> Syntax {
    let offset = self.offset
    let syntax: Syntax
    if take("in") {
      let list = try list()
      syntax = try node(.within(left, list), offset, above: [left] + list)
    } else {
      guard let symbol = takeOperator(.comparison) else { throw unexpected("a comparison") }
      let right = try operand(of: .comparison)
      let link = Syntax.Link(symbol: symbol, offset: offset, right: right)
      syntax = try node(.compare(left, link), offset, above: [left, right])
    }
    if rank(of: current) == .comparison {
      throw error("comparisons do not chain; write a < b && b < c", at: self.offset)
    }
    return syntax
  }

  private mutating func list() throws(ExpressionError) -> [Syntax] {
    guard take("[") else { throw unexpected("a list such as ['a', 'b'] after 'in'") }
    return try elements(until: "]")
  }

  private mutating func unary() throws(ExpressionError) -> Syntax {
    let offset = self.offset
    if take("!") {
      try enter()
      defer { depth -= 1 }
      let operand = try unary()
      return try node(.not(operand), offset, above: [operand])
    }
    guard take("-") else { return try postfix() }
    switch current {
    case .int(let magnitude):
      guard magnitude <= Int64.min.magnitude else {
        throw error(
          "the number is beyond 64 bits; write it with a point to make it a double", at: offset)
      }
      position += 1
      let value = Int64(truncatingIfNeeded: 0 &- magnitude)
      return try methods(of: try node(.literal(.int(value)), offset, above: []))
    case .double(let magnitude):
      position += 1
      return try methods(of: try node(.literal(.double(-magnitude)), offset, above: []))
    default:
      try enter()
      defer { depth -= 1 }
      let operand = try unary()
      return try node(.negate(operand), offset, above: [operand])
    }
  }

  // MARK: Operands

  private mutating func postfix() throws(ExpressionError) -> Syntax {
    try methods(of: try primary())
  }

  /// What follows an operand: `.name(…)` calls; `.name` was already taken where the operand is a
  /// name.
  private mutating func methods(of operand: Syntax) throws(ExpressionError) -> Syntax {
    var operand = operand
    while take(".") {
      let offset = self.offset
      guard case .name(let name) = current else { throw unexpected("a name after '.'") }
      position += 1
      guard take("(") else {
        throw error("'.\(name)' is no function call, and only names have members", at: offset)
      }
      let arguments = [operand] + (try elements(until: ")"))
      operand = try node(.call(name, arguments, isMethod: true), offset, above: arguments)
    }
    return operand
  }

  private mutating func primary() throws(ExpressionError) -> Syntax {
    if take("(") {
      let inner = try expression()
      guard take(")") else { throw unexpected("')'") }
      return inner
    }
    if case .name(let name) = current, tokens[position + 1].token == .symbol("(") {
      let offset = self.offset
      position += 2
      let arguments = try elements(until: ")")
      return try node(.call(name, arguments, isMethod: false), offset, above: arguments)
    }
    return try leaf()
  }

  /// A literal or a member path as far as it goes; a path stops before `.name(`, which is a method.
  private mutating func leaf() throws(ExpressionError) -> Syntax {
    let kind: Syntax.Kind
    let offset = self.offset
    switch current {
    case .int(let magnitude):
      kind = .literal(Int64(exactly: magnitude).map(Syntax.Literal.int) ?? .uint(magnitude))
    case .double(let value): kind = .literal(.double(value))
    case .text(let value): kind = .literal(.text(value))
    case .name("true"): kind = .literal(.bool(true))
    case .name("false"): kind = .literal(.bool(false))
    case .name("null"): kind = .literal(.null)
    case .name(let name) where name != "in": kind = .member([name] + path())
    case .symbol("["):
      throw error("a list may stand only to the right of 'in'", at: offset)
    default: throw unexpected("a value")
    }
    position += 1
    return try node(kind, offset, above: [])
  }

  /// The parts of a path that follow its first; stands on the last afterwards.
  private mutating func path() -> [String] {
    var parts: [String] = []
    while tokens[position + 1].token == .symbol("."),
      case .name(let part) = tokens[position + 2].token,
      tokens[position + 3].token != .symbol("(")
    {
      parts.append(part)
      position += 2
    }
    return parts
  }

  /// Arguments or list elements; the opening bracket has been taken.
  private mutating func elements(until close: String) throws(ExpressionError) -> [Syntax] {
    var elements: [Syntax] = []
    if take(close) { return elements }
    repeat { elements.append(try expression()) } while take(",")
    guard take(close) else { throw unexpected("',' or '\(close)'") }
    return elements
  }

  // MARK: Tokens

  private var current: Token { tokens[position].token }
  private var offset: Int { tokens[position].offset }

  private mutating func take(_ symbol: String) -> Bool {
    guard current == .symbol(symbol) || symbol == "in" && current == .name("in") else {
      return false
    }
    position += 1
    return true
  }

  private func rank(of token: Token) -> Rank? {
    switch token {
    case .symbol(let symbol): ExpressionParser.ranks[symbol]
    case .name("in"): .comparison
    default: nil
    }
  }

  private mutating func takeOperator(_ wanted: Rank) -> BinaryOperator? {
    guard case .symbol(let symbol) = current, rank(of: current) == wanted else { return nil }
    position += 1
    return BinaryOperator(rawValue: symbol)
  }

  // MARK: Limits and messages

  private mutating func enter() throws(ExpressionError) {
    depth += 1
    guard depth <= Limits.expressionDepthMax else { throw tooDeep(at: offset) }
  }

  private func node(
    _ kind: Syntax.Kind, _ offset: Int, above children: [Syntax]
  ) throws(ExpressionError) -> Syntax {
    let height = 1 + (children.map(\.height).max() ?? 0)
    guard height <= Limits.expressionDepthMax else { throw tooDeep(at: offset) }
    return Syntax(kind: kind, offset: offset, height: height)
  }

  private func tooDeep(at offset: Int) -> ExpressionError {
    error("nested more than \(Limits.expressionDepthMax) deep", at: offset)
  }

  private func unexpected(_ wanted: String) -> ExpressionError {
    var hint = ""
    if case .name(let name) = current, let symbol = ExpressionParser.mistaken[name] {
      hint = "; write '\(symbol)'"
    }
    return error("expected \(wanted), found \(current.shown)\(hint)", at: offset)
  }

  private func error(_ reason: String, at offset: Int) -> ExpressionError {
    ExpressionError(reason, at: offset, in: text)
  }
}
