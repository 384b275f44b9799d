// A section of the project file as JSON, to be kept elsewhere: as it stands for people, and in one canonical
// form (members sorted, numbers at their shortest) for fingerprints, so that neither comments nor order count.

extension ConfigNode {
  /// Appends the value as JSON on one line.
  ///
  /// - Parameter isCanonical: sorts members and writes numbers in one way.
  public func append(to output: OutputBuffer, isCanonical: Bool = false) {
    switch value {
    case .null: output.append("null")
    case .bool(let flag): output.append(flag ? "true" : "false")
    case .string(let text): output.appendQuoted(text)
    case .number(let text):
      let isJSON = Array(text.utf8).withBytes { JSONNumber.scalar($0) != nil }
      if isJSON, !isCanonical { output.append(text) } else { output.append(Double(text) ?? .nan) }
    case .array(let nodes):
      output.append("[")
      for (index, node) in nodes.enumerated() {
        if index > 0 { output.append(",") }
        node.append(to: output, isCanonical: isCanonical)
      }
      output.append("]")
    case .object(let members):
      let ordered = isCanonical ? members.sorted { $0.key < $1.key } : members
      output.append("{")
      for (index, member) in ordered.enumerated() {
        if index > 0 { output.append(",") }
        output.appendQuoted(member.key)
        output.append(":")
        member.node.append(to: output, isCanonical: isCanonical)
      }
      output.append("}")
    }
  }

  public func json(isCanonical: Bool = false) -> String {
    let output = OutputBuffer(MemorySink(), capacity: 1 << 10)
    append(to: output, isCanonical: isCanonical)
    return output.pending.string
  }

  /// SHA-256 of the canonical form, 64 hexadecimal digits.
  public var fingerprint: String {
    let output = OutputBuffer(MemorySink(), capacity: 1 << 10)
    append(to: output, isCanonical: true)
    return SHA256.hex(of: output.pending)
  }

  /// The first place, by name, at which two values differ, with both as JSON ("nothing" where it is only in one);
  /// nil where they are the same but for order and spelling.
  public func difference(
    from other: ConfigNode, at place: String = ""
  ) -> (place: String, own: String, other: String)? {
    guard case .object(let members) = value, case .object(let others) = other.value else {
      let (own, other) = (json(isCanonical: true), other.json(isCanonical: true))
      return own == other ? nil : (place, own, other)
    }
    for key in Set((members + others).map(\.key)).sorted() {
      let inner = place.isEmpty ? key : "\(place).\(key)"
      switch (self[key], other[key]) {
      case (let own?, let other?):
        if let difference = own.difference(from: other, at: inner) { return difference }
      case (let own, let other):
        return (
          inner, own?.json(isCanonical: true) ?? "nothing",
          other?.json(isCanonical: true) ?? "nothing"
        )
      }
    }
    return nil
  }
}
