// Writing a record again with some of its members changed, and all others byte for byte.

extension RecordScanner {
  public enum Rewriting {
    case keep, drop
    /// The new value has been appended.
    case replaced
  }

  /// Appends the record. Each appearance of a member of the plan is shown to `rewrite`, whose new value, if it
  /// gives one, must be appended to the output.
  ///
  /// - Parameter rewrite: takes the member's slot and value; strings as they stand between the quotes.
  public func append(
    to output: OutputBuffer, rewriting rewrite: (Int, JSONRaw, OutputBuffer) -> Rewriting
  ) {
    output.append(UInt8(ascii: "{"))
    var needsComma = false
    for member in members {
      let before = output.count
      if needsComma { output.append(UInt8(ascii: ",")) }
      let slot = member.entry < 0 ? -1 : firstLevelSlot(member.entry)
      guard slot >= 0 else {
        output.append(line[member.start..<member.end])
        needsComma = true
        continue
      }
      output.append(line[member.start..<member.valueStart])
      switch rewrite(slot, value(of: member), output) {
      case .keep: output.append(line[member.valueStart..<member.end])
      case .replaced: break
      case .drop:
        output.rewind(to: before)
        continue
      }
      needsComma = true
    }
    output.append(UInt8(ascii: "}"))
  }

  private func value(of member: MemberRange) -> JSONRaw {
    var cursor = JSONCursor(line[member.valueStart..<member.end])
    return (try? cursor.rawValue()) ?? JSONRaw(kind: .null, bytes: .empty)
  }
}
