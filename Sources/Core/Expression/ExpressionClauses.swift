// A gate is a row of clauses that must all hold. Whoever refuses says which of them does not, so the text is
// taken apart at the `&&` that joins them; what is in brackets stays together.

extension Expression {
  /// The texts that `&&` joins at the top, without blanks around them; the whole text where it is no such row
  /// (`a || b`, `c ? d : e`). Each stands for itself: all of them hold exactly where the whole holds.
  ///
  /// - Throws: where one of them is no expression, whatever it names.
  public static func clauses(of text: String) throws(ExpressionError) -> [String] {
    var lexer = ExpressionLexer(text)
    var depth = 0
    var cuts: [Int] = []
    for placed in try lexer.tokens() {
      guard case .symbol(let symbol) = placed.token else { continue }
      switch symbol {
      case "(", "[": depth += 1
      case ")", "]": depth -= 1
      case "||" where depth == 0, "?" where depth == 0: return [text]
      case "&&" where depth == 0: cuts.append(placed.offset)
      default: break
      }
    }
    let bytes = Array(text.utf8)
    var clauses: [String] = []
    var start = 0
    for cut in cuts + [bytes.count] {
      let part = Array(bytes[start..<cut])
      let clause = part.withBytes { $0.trimmed.string }
      _ = try ExpressionParser.parse(clause)
      clauses.append(clause)
      start = min(cut + 2, bytes.count)
    }
    return clauses
  }
}
