@testable import Core

/// Lets the tests compare the ways in which plain text is scanned.
enum PlainTextProbe {
  static func slowEnd(_ base: UnsafePointer<UInt8>, to end: Int) -> Int {
    PlainText.slowEnd(base, from: 0, to: end)
  }

  static func end(_ base: UnsafePointer<UInt8>, to end: Int, readable: Int) -> Int {
    PlainText.end(base, from: 0, to: end, readable: readable)
  }

  /// The eight-byte step of other processors: the first byte that is not plain, or 8.
  static func firstOfEight(_ base: UnsafePointer<UInt8>) -> Int {
    let special = PlainText.specialEight(base)
    return special == 0 ? 8 : special.trailingZeroBitCount / 8
  }

  /// Where a simple value ends, or 0: sixteen bytes at a time, and as on other processors.
  static func endsOfValue(_ base: UnsafePointer<UInt8>, _ start: Int, end: Int) -> (Int, Int) {
    (
      FastValue.end(base, start, end: end),
      FastValue.portableEnd(base, start, end: end)
    )
  }

  /// A number of up to eight bytes, without a loop; eight bytes may be loaded.
  static func shortNumber(_ text: Bytes) -> Scalar? {
    ShortNumber.scalar(text.base, count: text.count)
  }

  /// The same for what may be no number at all.
  static func plainDecimal(_ text: Bytes) -> Double? {
    ShortNumber.plainDecimal(text.base, count: text.count)
  }

  /// The separators of up to 64 bytes: with SSE2, and as on other processors.
  static func separators(_ text: Bytes, count: Int) -> (UInt64, UInt64) {
    let comma = UInt8(ascii: ",")
    return (
      SeparatorMask.of(text.base, count: count, comma),
      SeparatorMask.portable(text.base, count: count, comma)
    )
  }

  /// Whether a template made of `template` stands at `text`: with SSE2, and as on other processors.
  static func matches(_ template: Bytes, _ text: Bytes) -> (Bool, Bool) {
    let reference = TemplateReference.allocate(capacity: 1)
    defer { reference.deallocate() }
    reference.initialize(
      to: Template(template, nameOffset: 0, slot: 0, entry: -1, hasChild: false))
    return (
      reference.matches(text.base, left: text.count + 1),
      reference.portableHeadMatches(text.base)
    )
  }
}
