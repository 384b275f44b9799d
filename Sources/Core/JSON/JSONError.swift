/// Why bytes are not the JSON that was expected, and where.
public struct JSONError: Error, Sendable, Equatable {
  /// In the user's words, to follow "byte N: ".
  public let reason: String
  /// Bytes from the start of the text.
  public let offset: Int

  public init(_ reason: String, at offset: Int) {
    self.reason = reason
    self.offset = offset
  }

  public var description: String { "byte \(offset): \(reason)" }
}
