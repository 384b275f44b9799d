// What a string member may be: one of a few words, of some length, with a beginning.
//
//     carrier: { type: "string", enum: ["UA", "AA", "DL"] }
//     tailnum: { type: "string", prefix: "N", min_length: 2, max_length: 6 }
//
// A beginning is what ids have in common (N…, cus_…), and costs one comparison. Patterns are left to expressions.

public struct TextLimits: Sendable {
  /// Empty: any text.
  let choices: [Bytes]
  let prefix: Bytes
  /// In characters, as Unicode counts code points.
  let lengths: ClosedRange<Int>

  static let keys = ["enum", "prefix", "min_length", "max_length"]
  private static let choicesShownMax = 12

  /// Nil where nothing is declared.
  init?(_ node: ConfigNode, type: FieldType) throws(Failure) {
    guard let key = TextLimits.keys.first(where: { node[$0] != nil }) else { return nil }
    guard type == .string else {
      throw node[key]!.failure("\(key) is for strings, not for \(type.rawValue)")
    }
    let bounds = 0...Limits.lineBytesMax
    let shortest = try node["min_length"]?.integer(in: bounds) ?? 0
    let longest = try node["max_length"]?.integer(in: bounds) ?? Limits.lineBytesMax
    guard shortest <= longest else {
      throw node.failure("min_length \(shortest) is above max_length \(longest)")
    }
    let words = try node["enum"]?.strings() ?? []
    if let list = node["enum"], words.isEmpty {
      throw list.failure("an enum has at least one word")
    }
    choices = words.map { Bytes(owning: $0) }
    prefix = Bytes(owning: try node["prefix"]?.string() ?? "")
    lengths = shortest...longest
  }

  /// What is wrong with the text, as the end of "the member 'x' is …"; nil where nothing is.
  ///
  /// - Complexity: O(length), and a comparison for each word of an enum.
  func problem(_ text: Bytes) -> String? {
    if !choices.isEmpty, !choices.contains(where: { $0 == text }) {
      let shown = choices.prefix(TextLimits.choicesShownMax).map(\.string).joined(separator: ", ")
      return "none of: \(shown)\(choices.count > TextLimits.choicesShownMax ? ", …" : "")"
    }
    if !text.starts(with: prefix) { return "without the prefix '\(prefix.string)'" }
    let length = text.buffer.count { $0 & 0xC0 != 0x80 }
    if length < lengths.lowerBound {
      return "\(length) characters long, shorter than \(lengths.lowerBound)"
    }
    if length > lengths.upperBound {
      return "\(length) characters long, longer than \(lengths.upperBound)"
    }
    return nil
  }
}
