// One value of a record or a table for those who look at columns as such: whatever it is, it is told apart.

public enum ColumnValue: Sendable {
  /// A JSON null, an empty cell.
  case null
  /// Finite.
  case number(Double)
  case flag(Bool)
  /// Valid until the next record.
  case text(Bytes)
  /// An array, or an object too deep to be looked into.
  case composite
  /// NaN or an infinity in a table, a number in JSON that no double can hold.
  case notFinite

  /// A table's cell: a number as JSON has it, true, false, or else a text; NaN and infinities in the usual spellings.
  ///
  /// - Parameter cell: `ShortNumber.bytesMax` bytes from its beginning may be loaded.
  @inline(__always)
  init(cell: Bytes) {
    if cell.count &- 1 < ShortNumber.bytesMax, cell.count > 0,
      let number = ShortNumber.plainDecimal(cell.base, count: cell.count)
    {
      self = .number(number)
    } else {
      self = ColumnValue.longOrOther(cell)
    }
  }

  /// What is no short number; the slow twin of it, too.
  @inline(never)
  static func longOrOther(_ cell: Bytes) -> ColumnValue {
    guard let first = cell.first else { return .null }
    if let number = ColumnValue.plainDecimal(cell) { return .number(number) }
    if first == UInt8(ascii: "-") || first &- UInt8(ascii: "0") <= 9 { return unusualNumber(cell) }
    return word(cell)
  }

  /// A value that a template walk has passed: no escapes, no exponent, nothing that has members.
  ///
  /// - Parameter text: `ShortNumber.bytesMax` bytes from its beginning may be loaded.
  @inline(__always)
  init(simple text: Bytes) {
    if text.count <= ShortNumber.bytesMax,
      let number = ShortNumber.plainDecimal(text.base, count: text.count)
    {
      self = .number(number)
    } else {
      self = ColumnValue(ValueRange(start: 0, end: text.count).raw(text.base)) { $0.bytes }
    }
  }

  /// A value of JSON that has been checked.
  @inline(__always)
  init(_ raw: JSONRaw, text: (JSONRaw) -> Bytes) {
    switch raw.kind {
    case .null: self = .null
    case .bool: self = .flag(raw.bytes[0] == UInt8(ascii: "t"))
    case .string: self = .text(text(raw))
    case .array, .object: self = .composite
    case .number:
      if let number = ColumnValue.plainDecimal(raw.bytes) {
        self = .number(number)
      } else if let number = JSONNumber.double(raw.bytes), number.isFinite {
        self = .number(number)
      } else {
        self = .notFinite
      }
    }
  }

  private static func unusualNumber(_ cell: Bytes) -> ColumnValue {
    let text = cell.trimmed
    var cursor = JSONCursor(text)
    do throws(JSONError) {
      try cursor.skipValue()
      try cursor.finish()
    } catch {
      return word(cell)
    }
    guard let number = JSONNumber.double(text), number.isFinite else { return .notFinite }
    return .number(number)
  }

  private static func word(_ cell: Bytes) -> ColumnValue {
    let text = cell.trimmed
    if text.isEmpty { return .null }
    if text == "true" { return .flag(true) }
    if text == "false" { return .flag(false) }
    guard text.count <= 9 else { return .text(cell) }
    switch text.string.lowercased() {
    case "nan", "inf", "-inf", "+inf", "infinity", "-infinity", "+infinity": return .notFinite
    default: break
    }
    // Blanks around a number are no part of it.
    return text.count < cell.count && ColumnValue.plainDecimal(text) != nil
      ? .number(ColumnValue.plainDecimal(text)!) : .text(cell)
  }

  /// A number of at most fifteen digits without an exponent: the digits as an integer, over a power of ten that is
  /// exact, so that the one division rounds as it should (W. Clinger, 1990). Nil for anything else.
  @inline(__always)
  static func plainDecimal(_ text: Bytes) -> Double? {
    let bytes = text.base
    let count = text.count
    var index = 0
    let isNegative = bytes[0] == UInt8(ascii: "-")
    if isNegative { index = 1 }
    guard count &- index <= 16, index < count else { return nil }
    let start = index
    var digits: UInt64 = 0
    var point = -1
    while index < count {
      let digit = bytes[index] &- UInt8(ascii: "0")
      if digit <= 9 {
        digits = digits &* 10 &+ UInt64(digit)
      } else if bytes[index] == UInt8(ascii: "."), point < 0, index > start {
        point = index
      } else {
        return nil
      }
      index &+= 1
    }
    let decimals = point < 0 ? 0 : count &- point &- 1
    let isPlain =
      bytes[start] != UInt8(ascii: "0") || count &- start == 1 || point == start &+ 1
    guard isPlain, point < 0 || decimals > 0, count &- start &- (point < 0 ? 0 : 1) <= 15 else {
      return nil
    }
    let value = Double(digits) / powersOfTen[decimals]
    return isNegative ? -value : value
  }

  private static let powersOfTen: InlineArray<16, Double> = [
    1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
  ]
}
