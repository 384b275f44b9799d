// Where an expression comes from (a project file, a flag) is known to its owner, who puts that in
// front of the one line that is made here.

/// Why a text is not an expression of the language, or not one of the names and types at hand.
public struct ExpressionError: Error, Sendable, Equatable, CustomStringConvertible {
  /// In the user's words, without the place.
  public let reason: String
  /// Where, in bytes from the start of the text.
  public let offset: Int
  /// The whole expression.
  public let text: String

  init(_ reason: String, at offset: Int, in text: String) {
    self.reason = reason
    self.offset = offset
    self.text = text
  }

  /// Characters shown before and after the place in a long text.
  private static let charactersAround = 40

  /// One line: the expression (cut around the place if it is long), the column from 1, the reason.
  public var description: String {
    let around = ExpressionError.charactersAround
    let before = String(decoding: text.utf8.prefix(offset), as: UTF8.self)
    // A stretch is enough: a hostile text may be huge.
    let stretch = text.utf8.dropFirst(offset).prefix(16 * around)
    let after = String(decoding: stretch, as: UTF8.self).prefix(around)
    var shown = before.count > around ? "…" : ""
    for character in before.suffix(around) + after {
      let control = character.unicodeScalars.contains { $0.properties.generalCategory == .control }
      shown.append(control ? " " : character)
    }
    if offset + after.utf8.count < text.utf8.count { shown += "…" }
    return "`\(shown)`: column \(before.count + 1): \(reason)"
  }
}
