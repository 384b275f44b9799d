// Times that lie close together, in and out. Nearly all of a stream's events are of one day and follow each other
// within a second, so what the calendar says of the last one is kept: reading compares the date with the last one's,
// writing copies it. `Timestamp+RFC3339.swift` is the twin that remembers nothing.
//
//     2013-01-05T10:15:00.25Z
//     ├─ kept ──┤

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

/// Writes RFC 3339 times, fast where one has the date of the last.
public struct TimestampWriter: Sendable {
  /// `2013-01-05T`, as a word of its first eight bytes and one of its last four.
  private var head: UInt64 = 0
  private var tail: UInt32 = 0
  /// When it began; before the first time no time lies behind it.
  private var midnight = Int64.max

  public init() {}

  private static let dayMicroseconds: Int64 = 86_400_000_000

  /// The same as `Timestamp.write(to:)`.
  mutating func write(_ time: Timestamp, to text: UnsafeMutablePointer<UInt8>) -> Int {
    guard time.microseconds > midnight,
      time.microseconds &- midnight < TimestampWriter.dayMicroseconds
    else { return remember(time, text) }
    let raw = UnsafeMutableRawPointer(text)
    raw.storeBytes(of: head, as: UInt64.self)
    raw.storeBytes(of: tail, toByteOffset: 7, as: UInt32.self)
    let (seconds, fraction) = (time.microseconds &- midnight)
      .quotientAndRemainder(dividingBy: 1_000_000)
    let (minutes, second) = UInt32(truncatingIfNeeded: seconds)
      .quotientAndRemainder(dividingBy: 60)
    let (hour, minute) = minutes.quotientAndRemainder(dividingBy: 60)
    DecimalDigits.write(pair: hour, to: text + 11)
    text[13] = UInt8(ascii: ":")
    DecimalDigits.write(pair: minute, to: text + 14)
    text[16] = UInt8(ascii: ":")
    DecimalDigits.write(pair: second, to: text + 17)
    var index = 19
    if fraction > 0 {
      text[index] = UInt8(ascii: ".")
      index += 1
      index += TimestampWriter.write(UInt32(truncatingIfNeeded: fraction), to: text + index)
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
    head = raw.loadUnaligned(as: UInt64.self)
    tail = raw.loadUnaligned(fromByteOffset: 7, as: UInt32.self)
    midnight = time.microseconds - Int64(time.microsecondOfDay)
    return count
  }

  /// Six decimals without the zeros at their end; returns how many are left.
  @inline(__always)
  private static func write(_ fraction: UInt32, to text: UnsafeMutablePointer<UInt8>) -> Int {
    let (high, low) = fraction.quotientAndRemainder(dividingBy: 10_000)
    let (middle, last) = low.quotientAndRemainder(dividingBy: 100)
    DecimalDigits.write(pair: high, to: text)
    DecimalDigits.write(pair: middle, to: text + 2)
    DecimalDigits.write(pair: last, to: text + 4)
    var count = 6
    while text[count - 1] == UInt8(ascii: "0") { count -= 1 }
    return count
  }
}
