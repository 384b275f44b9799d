// Where an expression comes from (a project file, a flag) is known to its owner, who puts that in front
// of the one line that is made here.

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
    let before = String(decoding: text.utf8.prefix(offset), as: UTF8.self)
    let around = ExpressionError.charactersAround
    var shown = ""
    for character in (before.suffix(around) + text.dropFirst(before.count).prefix(around)) {
      let control = character.unicodeScalars.contains { $0.properties.generalCategory == .control }
      shown.append(control ? " " : character)
    }
    if before.count > around { shown = "…" + shown }
    if text.count > before.count + around { shown += "…" }
    return "`\(shown)`: column \(before.count + 1): \(reason)"
  }
}
