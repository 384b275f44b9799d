// The scanner's fast path: a loop over the members of one object for as long as each is as expected, that is, one
// of the learned templates followed by a simple value. It keeps its few variables in registers and calls nothing;
// at the first surprise it stops and says where it stands, and `RecordScanner` goes on with the cursor.
//
//     {"id":"a1", "dep_delay":-5, "note":"é"}
//      ├───┤├──┤├────────────┤├┤├────────┤▲
//     template value template value template  stops: not a simple value

struct TemplateWalk {
  enum Stop {
    /// No known template stands at `position`: the object's end, a new member, or a mistake.
    case separator
    /// Behind `template`, at `position`, stands a value that is not simple, or whose members are wanted.
    case value
  }

  /// Bytes behind a line that must be loadable: a template of sixteen bytes and the value behind it.
  static let padding = 16 + FastValue.padding - 1

  /// From the line's start.
  var position: Int
  /// The last one that was passed.
  var template: TemplateReference
  /// Where the next member is noted.
  var members: UnsafeMutablePointer<MemberRange>
  /// Behind the last place for one; the walk stops there.
  let membersEnd: UnsafeMutablePointer<MemberRange>
  /// 1, or 0 inside of members, where each is noted in the place of the one before.
  let step: Int

  /// - Parameters:
  ///   - base: the line, of `end` bytes, with `padding` loadable bytes behind it.
  ///   - slots: where values go, by `Template.slot`.
  /// - Complexity: O(bytes passed), no allocation.
  @inline(never)
  mutating func run(
    _ base: UnsafePointer<UInt8>, end: Int, slots: UnsafeMutablePointer<ValueRange>
  ) -> Stop {
    var position = position
    var template = template
    var members = members
    let (membersEnd, step) = (membersEnd, step)
    defer {
      self.position = position
      self.template = template
      self.members = members
    }
    // A value that is accepted ends before the text does, so `position` always lies within it.
    while true {
      let text = base + position
      guard var next = template.pointee.first else { return .separator }
      if !next.matches(text, left: end &- position) {
        guard let other = template.successor(text, left: end &- position) else { return .separator }
        next = other
      }
      let start = position &+ Int(next.pointee.count)
      let valueEnd = FastValue.end(base, start, end: end)
      guard valueEnd < end, !next.pointee.hasChild else {
        position = start
        template = next
        return .value
      }
      guard members != membersEnd else { return .separator }
      members.pointee = MemberRange(
        start: position &+ Int(next.pointee.nameOffset), end: valueEnd, valueStart: start,
        entry: Int(next.pointee.entry))
      members += step
      slots[Int(next.pointee.slot)] = ValueRange(start: start, end: valueEnd)
      template = next
      position = valueEnd
    }
  }
}

/// A value's place in the line.
@usableFromInline
struct ValueRange: Sendable {
  @usableFromInline let bits: UInt64

  static let absent = ValueRange(bits: 0)

  private init(bits: UInt64) { self.bits = bits }

  /// - Parameter escaped: a string with escapes to resolve.
  @inline(__always)
  init(start: Int, end: Int, escaped: Bool = false) {
    bits =
      UInt64(truncatingIfNeeded: start) | UInt64(truncatingIfNeeded: end) << 32
      | (escaped ? 1 << 31 : 0)
  }

  /// No value starts where its record does.
  @inlinable @inline(__always) var isAbsent: Bool { bits == 0 }
  @inline(__always) var start: Int { Int(bits & 0x7FFF_FFFF) }
  @inline(__always) var end: Int { Int(bits >> 32) }
  @inline(__always) var isEscaped: Bool { bits & 1 << 31 != 0 }

  /// The value as it stands in the line.
  @inline(__always)
  func raw(_ base: UnsafePointer<UInt8>) -> JSONRaw {
    if isAbsent { return JSONRaw(kind: .null, bytes: .empty) }
    let kind = JSONKind(firstByte: base[start])
    if kind == .string {
      return JSONRaw(
        kind: .string, bytes: Bytes(base: base + start + 1, count: end &- start &- 2),
        escaped: isEscaped)
    }
    return JSONRaw(kind: kind, bytes: Bytes(base: base + start, count: end &- start))
  }
}
