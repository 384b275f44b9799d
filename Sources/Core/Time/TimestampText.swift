// Times that lie close together, in and out. Nearly all of a stream's events are of one day and follow each other
// within a second, so what the calendar says of the last one is kept: reading compares the date with the last one's,
// writing copies the whole second. `Timestamp+RFC3339.swift` is the twin that remembers nothing.
//
//     2013-01-05T10:15:00.25Z
//     ├─ kept ──┤              reading
//     ├───── kept ──────┤      writing

/// Reads RFC 3339 times, fast where one has the date of the last.
public struct TimestampReader: Sendable {
  /// `2013-01-05T`, as a word of its first eight bytes and one of its last four.
  private var head: UInt64 = 0
  private var tail: UInt32 = 0
  private var dayMicroseconds: Int64 = 0

  public init() {}

  /// The same as `Timestamp(rfc3339:)`.
  public mutating func read(_ text: Bytes) -> Timestamp? {
    guard text.count >= 20 else { return nil }
    let raw = UnsafeRawPointer(text.base)
    let head = raw.loadUnaligned(as: UInt64.self)
    let tail = raw.loadUnaligned(fromByteOffset: 7, as: UInt32.self)
    if head == self.head, tail == self.tail, let time = readTime(text) { return time }
    guard let time = Timestamp(rfc3339: text) else { return nil }
    remember(text, head, tail)
    return time
  }

  private mutating func remember(_ text: Bytes, _ head: UInt64, _ tail: UInt32) {
    var midnight: [UInt8] = text[0..<11].copy()
    midnight.append(contentsOf: "00:00:00Z".utf8)
    guard let day = midnight.withBytes({ Timestamp(rfc3339: $0) }) else { return }
    (self.head, self.tail, dayMicroseconds) = (head, tail, day.microseconds)
  }

  /// The time behind a known date, in UTC and with up to six decimals; nil for any other.
  private func readTime(_ text: Bytes) -> Timestamp? {
    let base = text.base
    guard base[13] == UInt8(ascii: ":"), base[16] == UInt8(ascii: ":"),
      base[text.count - 1] == UInt8(ascii: "Z")
    else { return nil }
    let hour = TimestampReader.pair(base + 11)
    let minute = TimestampReader.pair(base + 14)
    let second = TimestampReader.pair(base + 17)
    guard hour < 24, minute < 60, second < 60 else { return nil }
    let seconds = Int64(hour * 3_600 + minute * 60 + second)
    let microseconds = dayMicroseconds + seconds * 1_000_000
    if text.count == 20 { return Timestamp(microseconds: microseconds) }
    let decimals = text.count - 21
    guard base[19] == UInt8(ascii: "."), decimals >= 1, decimals <= 6 else { return nil }
    var fraction: Int64 = 0
    for index in 0..<6 {
      fraction &*= 10
      guard index < decimals else { continue }
      let digit = base[20 + index] &- UInt8(ascii: "0")
      guard digit <= 9 else { return nil }
      fraction &+= Int64(digit)
    }
    return Timestamp(microseconds: microseconds + fraction)
  }

  /// Two digits; 100 or more where they are none.
  @inline(__always)
  private static func pair(_ digits: UnsafePointer<UInt8>) -> UInt32 {
    let tens = UInt32(digits[0] &- UInt8(ascii: "0"))
    let ones = UInt32(digits[1] &- UInt8(ascii: "0"))
    return tens > 9 || ones > 9 ? 100 : tens &* 10 &+ ones
  }
}

/// Writes RFC 3339 times, fast where one lies in the second of the last.
public struct TimestampWriter: Sendable {
  /// `2013-01-05T10:15:00`, as two words and what is left; the last byte means nothing.
  private var first: UInt64 = 0
  private var second: UInt64 = 0
  private var third: UInt32 = 0
  /// Of the whole second; nil before the first time.
  private var microseconds: Int64?

  public init() {}

  /// The same as `Timestamp.write(to:)`.
  mutating func write(_ time: Timestamp, to text: UnsafeMutablePointer<UInt8>) -> Int {
    guard let microseconds, time.microseconds >= microseconds,
      time.microseconds &- microseconds < 1_000_000
    else { return remember(time, text) }
    let raw = UnsafeMutableRawPointer(text)
    raw.storeBytes(of: first, as: UInt64.self)
    raw.storeBytes(of: second, toByteOffset: 8, as: UInt64.self)
    raw.storeBytes(of: third, toByteOffset: 16, as: UInt32.self)
    var index = 19
    let fraction = UInt32(truncatingIfNeeded: time.microseconds &- microseconds)
    if fraction > 0 {
      text[index] = UInt8(ascii: ".")
      index += 1 + TimestampWriter.write(fraction, to: text + index + 1)
    }
    text[index] = UInt8(ascii: "Z")
    return index + 1
  }

  @inline(never)
  private mutating func remember(_ time: Timestamp, _ text: UnsafeMutablePointer<UInt8>) -> Int {
    let count = time.write(to: text)
    // Years of other than four digits stand elsewhere; they are not remembered.
    guard text[4] == UInt8(ascii: "-"), text[0] != UInt8(ascii: "-") else { return count }
    let raw = UnsafeRawPointer(text)
    first = raw.loadUnaligned(as: UInt64.self)
    second = raw.loadUnaligned(fromByteOffset: 8, as: UInt64.self)
    third = raw.loadUnaligned(fromByteOffset: 16, as: UInt32.self)
    let rest = time.microsecondOfDay % 1_000_000
    microseconds = time.microseconds - Int64(rest)
    return count
  }

  /// Six decimals without the zeros at their end; returns how many are left.
  @inline(__always)
  private static func write(_ fraction: UInt32, to text: UnsafeMutablePointer<UInt8>) -> Int {
    var rest = fraction
    for index in stride(from: 5, through: 0, by: -1) {
      text[index] = UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest % 10)
      rest /= 10
    }
    var count = 6
    while text[count - 1] == UInt8(ascii: "0") { count -= 1 }
    return count
  }
}
