/// Which of the open levels of a JSON text are objects and which are arrays: one bit a level, and no allocation.
struct NestingKinds {
  private static let levelsMax = 512
  private var words = InlineArray<8, UInt64>(repeating: 0)
  private var count = 0

  /// - Precondition: at most `Limits.jsonDepthMax` levels are open; the cursor sees to it.
  mutating func push(isObject: Bool) {
    precondition(count < NestingKinds.levelsMax, "no deeper than Limits.jsonDepthMax")
    let bit: UInt64 = 1 << UInt64(count & 63)
    if isObject { words[count >> 6] |= bit } else { words[count >> 6] &= ~bit }
    count += 1
  }

  mutating func pop() { count -= 1 }

  /// The innermost level.
  var isObject: Bool { words[(count - 1) >> 6] >> UInt64((count - 1) & 63) & 1 != 0 }
}
