// What stands between one value and the next, as it was read before and is expected again.
//
// Producers write the members of a record in the same order and with the same spaces, line after line. So
// all that stands between two values is a *template*, known after the first line:
//
//     {"id":"a1", "time":"2013-…", "dep_delay":-5}
//      └─┬─┘    └───┬───┘        └─────┬─────┘
//     template A   template B        template C          start ─▶ A ─▶ B ─▶ C
//
// A comparison of sixteen bytes then replaces reading the separator, the name, the colon and the spaces, and
// finding the name in the plan. Each template remembers up to four successors, so that events of several
// types in one stream are all learned. A template is matched only where it was learned from valid JSON in
// the same place: after the same template, or at the start of an object; so what matches is valid too.

#if arch(x86_64)
  import SystemHeaders
#endif

typealias TemplateReference = UnsafeMutablePointer<Template>

struct Template {
  /// The first sixteen bytes; zeros behind the end of a shorter one.
  fileprivate let head: (UInt64, UInt64)
  /// Which bytes of `head` belong to it, one bit each.
  fileprivate let headMask: UInt32
  let count: Int32
  /// Of the name's opening quote within the bytes.
  let nameOffset: Int32
  /// Of the member's value; the slot behind the plan's last where it is not wanted.
  let slot: Int32
  /// Of the plan's level, or -1 for a member that the plan does not know.
  let entry: Int32
  /// Members inside are wanted: an object under this name is walked.
  let hasChild: Bool
  /// All of it.
  let text: Bytes
  /// What came next, the most recently learned first.
  private(set) var first: TemplateReference?
  fileprivate var second: TemplateReference?
  fileprivate var third: TemplateReference?
  fileprivate var fourth: TemplateReference?

  /// - Parameter text: valid as long as the template is.
  init(_ text: Bytes, nameOffset: Int, slot: Int, entry: Int, hasChild: Bool) {
    var bytes = [UInt8](repeating: 0, count: 16)
    for index in 0..<min(text.count, 16) { bytes[index] = text[index] }
    head = bytes.withUnsafeBytes { $0.loadUnaligned(as: (UInt64, UInt64).self) }
    headMask = text.count < 16 ? (1 << UInt32(text.count)) - 1 : 0xFFFF
    count = Int32(text.count)
    self.nameOffset = Int32(nameOffset)
    self.slot = Int32(slot)
    self.entry = Int32(entry)
    self.hasChild = hasChild
    self.text = text
  }

  mutating func expectNext(_ next: TemplateReference) {
    (first, second, third, fourth) = (next, first, second, third)
  }
}

// By reference: a call that takes a template as `self` copies it first.
extension TemplateReference {
  /// Whether the template stands at `text`, of which `left` bytes belong to the record and sixteen may be loaded.
  @inline(__always)
  func matches(_ text: UnsafePointer<UInt8>, left: Int) -> Bool {
    guard headMatches(text) else { return false }
    return pointee.count <= 16 || wholeMatches(text, left: left)
  }

  @inline(__always)
  private func headMatches(_ text: UnsafePointer<UInt8>) -> Bool {
    #if arch(x86_64)
      let found = UnsafeRawPointer(text).loadUnaligned(as: __m128i.self)
      let equal = _mm_cmpeq_epi8(found, unsafeBitCast(pointee.head, to: __m128i.self))
      return ~UInt32(truncatingIfNeeded: _mm_movemask_epi8(equal)) & pointee.headMask == 0
    #else
      return portableHeadMatches(text)
    #endif
  }

  /// The twin for other processors.
  @inline(__always)
  func portableHeadMatches(_ text: UnsafePointer<UInt8>) -> Bool {
    let found = UnsafeRawPointer(text).loadUnaligned(as: (UInt64, UInt64).self)
    let low = UInt64(littleEndian: found.0 ^ pointee.head.0)
    let high = UInt64(littleEndian: found.1 ^ pointee.head.1)
    let bits = Int(min(pointee.count, 16)) * 8
    // A shift by 64 or more gives 0.
    return low & ~(~0 << bits) == 0 && high & ~(~0 << max(0, bits - 64)) == 0
  }

  @inline(never)
  private func wholeMatches(_ text: UnsafePointer<UInt8>, left: Int) -> Bool {
    let count = Int(pointee.count)
    return count < left && Bytes(base: text, count: count) == pointee.text
  }

  /// The successor that stands at `text`, or nil.
  @inline(never)
  func successor(_ text: UnsafePointer<UInt8>, left: Int) -> TemplateReference? {
    // The object's end is no template's beginning.
    if text.pointee == UInt8(ascii: "}") { return nil }
    if let first = pointee.first, first.matches(text, left: left) { return first }
    if let second = pointee.second, second.matches(text, left: left) { return second }
    if let third = pointee.third, third.matches(text, left: left) { return third }
    if let fourth = pointee.fourth, fourth.matches(text, left: left) { return fourth }
    return nil
  }
}
