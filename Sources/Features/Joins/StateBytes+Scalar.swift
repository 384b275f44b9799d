// Values of events as bytes, as cells are written, and back without a copy of their texts.

import Core

extension StateWriter {
  mutating func write(_ value: Scalar) {
    switch value {
    case .text(let text):
      write(UInt8(7))
      write(UInt32(text.count))
      write(text)
    default: write(Cell(value, strings: strings))
    }
  }
}

extension StateReader {
  /// Text in it lies in the bytes that are read.
  mutating func read(_: Scalar.Type = Scalar.self) -> Scalar {
    var ahead = self
    guard ahead.read(UInt8.self) == 7 else {
      switch read(Cell.self) {
      case .bool(let value): return .bool(value)
      case .int(let value): return .int(value)
      case .uint(let value): return .uint(value)
      case .double(let value): return .double(value)
      case .time(let value): return .time(value)
      case .null, .text, .document: return .null
      }
    }
    _ = read(UInt8.self)
    return .text(bytes(Int(read(UInt32.self))))
  }
}
