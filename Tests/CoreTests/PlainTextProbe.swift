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
}
