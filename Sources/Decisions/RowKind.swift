// What kind of row it is, and what its makers noted on it.

import Core

public enum RowKind: Sendable {
  case features, plain

  var layout: RowLayout { self == .features ? .features : .plain }
}

/// The slots of members that every row may have.
struct MarkSlots {
  let kindSlot: Int
  let idSlot: Int
  let timeSlot: Int
  let typeSlot: Int
  let offsetSlot: Int
  let watermarkSlot: Int
  let requestTimeSlot: Int
  let featuresTimeSlot: Int

  init(_ slots: RowSlots) {
    kindSlot = slots.slot(["kind"])
    idSlot = slots.slot(["id"])
    timeSlot = slots.slot(["time"])
    typeSlot = slots.slot(["_rt", "type"])
    offsetSlot = slots.slot(["_rt", "offset"])
    watermarkSlot = slots.slot(["_rt", "watermark"])
    requestTimeSlot = slots.slot(["_rt", "layers_us", "request"])
    featuresTimeSlot = slots.slot(["_rt", "layers_us", "features"])
  }

  /// Kinds of records that are not rows to be decided.
  private static let otherKinds = [
    "rejected", "decision", "sample", "summary", "profile", "verdict", "alert",
  ]

  func kind(_ scanner: RecordScanner) throws(BadRecord) -> RowKind {
    guard scanner.raw(kindSlot).kind == .string else { return .plain }
    let kind = scanner.text(kindSlot)
    if kind == "features" { return .features }
    if MarkSlots.otherKinds.contains(where: { kind == $0 }) {
      throw BadRecord("a '\(kind.string)' record, not a features record or a row")
    }
    return .plain
  }
}

/// Values from the text of a CSV cell.
enum CellText {
  static func convert(_ cell: Bytes, _ field: Field?) throws(BadRecord) -> Scalar {
    switch field?.type {
    case nil, .any: return try guess(cell)
    case .string: return .text(cell)
    case .boolean:
      if cell == "true" || cell == "false" { return .bool(cell.count == 4) }
    case .integer, .number, .time:
      let guessed = try guess(cell)
      let kind: JSONKind = if case .text = guessed { .string } else { .number }
      return try field!.convert(guessed, JSONRaw(kind: kind, bytes: cell))
    }
    throw BadRecord("the column '\(field!.name)' is not true or false: '\(cell.string)'")
  }

  /// A number if it reads as one, true or false, else text.
  private static func guess(_ cell: Bytes) throws(BadRecord) -> Scalar {
    let text = cell.trimmed
    if let first = text.buffer.first, first == UInt8(ascii: "-") || first &- UInt8(ascii: "0") <= 9,
      let number = plainNumber(text)
    {
      return number
    }
    if text == "true" { return .bool(true) }
    if text == "false" { return .bool(false) }
    // What Python, R and others write; a word of the language is not mistaken for a number.
    guard let number = Double(text.string) else { return .text(cell) }
    // An infinity is meant where it is spelled.
    guard number.isFinite || !text.buffer.contains(where: { $0 &- UInt8(ascii: "0") <= 9 }) else {
      throw BadRecord(
        "a cell is beyond the range of a double: \(JSONRaw(kind: .number, bytes: text).excerpt)")
    }
    return .double(number)
  }

  private static func plainNumber(_ text: Bytes) -> Scalar? {
    var cursor = JSONCursor(text)
    do throws(JSONError) {
      let raw = try cursor.rawValue()
      try cursor.finish()
      return raw.kind == .number ? JSONNumber.scalar(raw.bytes) : nil
    } catch {
      return nil
    }
  }
}
