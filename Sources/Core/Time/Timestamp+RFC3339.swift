// RFC 3339 in and out. Read: any offset, any number of decimals (cut to microseconds), 'T', 't' or a space, a
// leap second (60) as the first moment of the next minute. Written: UTC with 'Z', decimals only where there are.

extension Timestamp {
  /// Nil when the text is not an RFC 3339 date and time.
  public init?(rfc3339 text: Bytes) {
    // 2013-01-05T10:15:00Z
    guard text.count >= 20, text.base[4] == UInt8(ascii: "-"), text.base[7] == UInt8(ascii: "-"),
      text.base[10] | 0x20 == UInt8(ascii: "t") || text.base[10] == UInt8(ascii: " "),
      text.base[13] == UInt8(ascii: ":"), text.base[16] == UInt8(ascii: ":"),
      let year = Timestamp.digits(text, 0, 4), let month = Timestamp.digits(text, 5, 2),
      let day = Timestamp.digits(text, 8, 2), let hour = Timestamp.digits(text, 11, 2),
      let minute = Timestamp.digits(text, 14, 2), let second = Timestamp.digits(text, 17, 2),
      (1...12).contains(month), day >= 1, day <= CivilDate.daysInMonth(month, of: year), hour < 24,
      minute < 60, second <= 60
    else { return nil }
    var index = 19
    guard let fraction = Timestamp.fraction(text, &index),
      let offsetMinutes = Timestamp.zone(text, index)
    else { return nil }
    let days = Int64(CivilDate(year: year, month: month, day: day).daysSinceEpoch)
    let seconds = days * 86_400 + Int64(hour * 3_600 + (minute - offsetMinutes) * 60 + second)
    self.init(microseconds: seconds * 1_000_000 + fraction)
    // A zone may lead out of the years that can be written.
    guard Timestamp.writable.contains(self) else { return nil }
  }

  private static func digits(_ text: Bytes, _ start: Int, _ count: Int) -> Int? {
    var value = 0
    for index in start..<start + count {
      let digit = text.base[index] &- UInt8(ascii: "0")
      guard digit <= 9 else { return nil }
      value = value * 10 + Int(digit)
    }
    return value
  }

  /// Microseconds behind the point, if there is one; moves `index` behind it.
  private static func fraction(_ text: Bytes, _ index: inout Int) -> Int64? {
    guard text.base[index] == UInt8(ascii: ".") else { return 0 }
    var value: Int64 = 0
    var taken = 0
    index += 1
    while index < text.count, text.base[index] &- UInt8(ascii: "0") <= 9 {
      if taken < 6 { value = value * 10 + Int64(text.base[index] - UInt8(ascii: "0")) }
      taken += 1
      index += 1
    }
    guard taken > 0 else { return nil }
    for _ in min(taken, 6)..<6 { value *= 10 }
    return value
  }

  /// Minutes east of UTC; nil unless the text ends with a zone at `index`.
  private static func zone(_ text: Bytes, _ index: Int) -> Int? {
    guard index < text.count else { return nil }
    let sign = text.base[index]
    if sign | 0x20 == UInt8(ascii: "z") { return index + 1 == text.count ? 0 : nil }
    guard sign == UInt8(ascii: "+") || sign == UInt8(ascii: "-"), index + 6 == text.count,
      text.base[index + 3] == UInt8(ascii: ":"), let hours = digits(text, index + 1, 2),
      let minutes = digits(text, index + 4, 2), hours < 24, minutes < 60
    else { return nil }
    return (sign == UInt8(ascii: "-") ? -1 : 1) * (hours * 60 + minutes)
  }

  /// Bytes that `write` may need.
  static let textBytesMax = 40

  /// Writes the RFC 3339 form to `text`, which has room for `textBytesMax` bytes, and returns its length.
  func write(to text: UnsafeMutablePointer<UInt8>) -> Int {
    let date = self.date
    var index = 0
    // RFC 3339 knows four digits; what lies outside is written with as many as it takes.
    if date.year < 0 {
      text[index] = UInt8(ascii: "-")
      index += 1
    }
    let year = date.year.magnitude
    index += Timestamp.write(year, digits: year < 10_000 ? 4 : 6, to: text + index)
    let parts = (date.month, date.day, hour, minute, second)
    index += Timestamp.write("-", parts.0, to: text + index)
    index += Timestamp.write("-", parts.1, to: text + index)
    index += Timestamp.write("T", parts.2, to: text + index)
    index += Timestamp.write(":", parts.3, to: text + index)
    index += Timestamp.write(":", parts.4, to: text + index)
    var fraction = UInt(microsecondOfDay % 1_000_000)
    if fraction > 0 {
      var digits = 6
      while fraction.isMultiple(of: 10) {
        fraction /= 10
        digits -= 1
      }
      text[index] = UInt8(ascii: ".")
      index += 1 + Timestamp.write(fraction, digits: digits, to: text + index + 1)
    }
    text[index] = UInt8(ascii: "Z")
    return index + 1
  }

  @inline(__always)
  private static func write(
    _ separator: Unicode.Scalar, _ value: Int, to text: UnsafeMutablePointer<UInt8>
  ) -> Int {
    text[0] = UInt8(ascii: separator)
    return 1 + write(UInt(value), digits: 2, to: text + 1)
  }

  @inline(__always)
  private static func write(
    _ value: UInt, digits: Int, to text: UnsafeMutablePointer<UInt8>
  ) -> Int {
    var rest = value
    for index in stride(from: digits - 1, through: 0, by: -1) {
      text[index] = UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest % 10)
      rest /= 10
    }
    return digits
  }

  public var rfc3339: String {
    withUnsafeTemporaryAllocation(of: UInt8.self, capacity: Timestamp.textBytesMax) { buffer in
      let count = write(to: buffer.baseAddress!)
      return String(decoding: buffer[..<count], as: UTF8.self)
    }
  }
}
