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

  /// Emits the RFC 3339 form byte by byte.
  public func write(_ emit: (UInt8) -> Void) {
    let date = self.date
    // RFC 3339 knows four digits; what lies outside is written with as many as it takes.
    let year = date.year.magnitude
    if date.year < 0 { emit(UInt8(ascii: "-")) }
    for digit in String(year).leftPadded(to: 4).utf8 { emit(digit) }
    let parts: [(UInt8, Int)] = [
      (UInt8(ascii: "-"), date.month), (UInt8(ascii: "-"), date.day),
      (UInt8(ascii: "T"), hour), (UInt8(ascii: ":"), minute), (UInt8(ascii: ":"), second),
    ]
    for (separator, value) in parts {
      emit(separator)
      emit(UInt8(ascii: "0") + UInt8(value / 10))
      emit(UInt8(ascii: "0") + UInt8(value % 10))
    }
    writeFraction(microsecondOfDay % 1_000_000, emit)
    emit(UInt8(ascii: "Z"))
  }

  private func writeFraction(_ microseconds: Int, _ emit: (UInt8) -> Void) {
    guard microseconds > 0 else { return }
    emit(UInt8(ascii: "."))
    var rest = microseconds
    var scale = 100_000
    while rest > 0 {
      emit(UInt8(ascii: "0") + UInt8(rest / scale))
      rest %= scale
      scale /= 10
    }
  }

  public var rfc3339: String {
    var bytes: [UInt8] = []
    write { bytes.append($0) }
    return String(decoding: bytes, as: UTF8.self)
  }
}

extension String {
  /// With zeros in front, up to `width` characters.
  fileprivate func leftPadded(to width: Int) -> String {
    String(repeating: "0", count: max(0, width - count)) + self
  }
}
