// Tensors of the Open Inference Protocol: a name, a type, a shape, and values, either as JSON numbers or as bytes behind
// the JSON (little-endian, row after row, nothing between), as Triton's extension has them.

import Core
import HTTP
import Models

enum TensorType: String, CaseIterable {
  case bool = "BOOL"
  case uint8 = "UINT8"
  case uint16 = "UINT16"
  case uint32 = "UINT32"
  case uint64 = "UINT64"
  case int8 = "INT8"
  case int16 = "INT16"
  case int32 = "INT32"
  case int64 = "INT64"
  case fp16 = "FP16"
  case bf16 = "BF16"
  case fp32 = "FP32"
  case fp64 = "FP64"
  case bytes = "BYTES"

  /// Bytes of a value; 0 where it varies.
  var size: Int {
    switch self {
    case .bool, .uint8, .int8: 1
    case .uint16, .int16, .fp16, .bf16: 2
    case .uint32, .int32, .fp32: 4
    case .uint64, .int64, .fp64: 8
    case .bytes: 0
    }
  }

  /// The value at an address, as a double.
  func value(at place: UnsafeRawPointer) -> Double {
    func load<Value: FixedWidthInteger>(_ type: Value.Type) -> Value {
      Value(littleEndian: place.loadUnaligned(as: type))
    }
    return switch self {
    case .bool: load(UInt8.self) == 0 ? 0 : 1
    case .uint8: Double(load(UInt8.self))
    case .uint16: Double(load(UInt16.self))
    case .uint32: Double(load(UInt32.self))
    case .uint64: Double(load(UInt64.self))
    case .int8: Double(load(Int8.self))
    case .int16: Double(load(Int16.self))
    case .int32: Double(load(Int32.self))
    case .int64: Double(load(Int64.self))
    case .fp16: TensorType.half(load(UInt16.self))
    case .bf16: Double(Float(bitPattern: UInt32(load(UInt16.self)) << 16))
    case .fp32: Double(Float(bitPattern: load(UInt32.self)))
    case .fp64: Double(bitPattern: load(UInt64.self))
    case .bytes: .nan
    }
  }

  /// IEEE 754 half precision: a sign, 5 bits of exponent, 10 of fraction.
  private static func half(_ bits: UInt16) -> Double {
    let (exponent, fraction) = (Int(bits >> 10 & 31), Double(bits & 1_023))
    let magnitude: Double =
      switch exponent {
      case 0: fraction / 16_777_216
      case 31: fraction == 0 ? .infinity : .nan
      default: Double(sign: .plus, exponent: exponent - 15, significand: 1 + fraction / 1_024)
      }
    return bits & 0x8000 == 0 ? magnitude : -magnitude
  }
}

/// A tensor that a request brings.
struct InputTensor {
  var name = ""
  var type: TensorType?
  var shape: [Int] = []
  /// From JSON, flat; nil where the values are bytes.
  var values: [Double]?
  /// From JSON or bytes, flat, where the values are BYTES; nil elsewhere.
  var texts: [Bytes?]?
  /// Nil where the values are in the JSON.
  var binarySize: Int?
  var binary = Bytes.empty

  /// Values, by the shape; nil where no memory could hold them.
  var count: Int? {
    var count = 1
    for length in shape {
      let (product, overflow) = count.multipliedReportingOverflow(by: length)
      guard length >= 0, !overflow, product <= 1 << 40 else { return nil }
      count = product
    }
    return count
  }

  /// - Precondition: it has been checked.
  func value(_ index: Int) -> Double {
    if let values { return values[index] }
    return type!.value(at: UnsafeRawPointer(binary.base) + index * type!.size)
  }

  /// The value for an input that takes categories, or may.
  ///
  /// - Precondition: it has been checked.
  func scalar(_ index: Int) -> Scalar {
    if let texts { return texts[index].map(Scalar.text) ?? .null }
    let value = value(index)
    return value.isNaN ? .null : Scalar(exactly: value) ?? .double(value)
  }

  /// Its type, shape and values agree.
  ///
  /// - Parameter takesTexts: the model knows categories, so that BYTES may be meant.
  mutating func check(takesTexts: Bool) throws(Refusal) {
    guard let type else { throw Refusal(.badRequest, "input '\(name)' has no datatype") }
    guard let count else { throw Refusal(.badRequest, "input '\(name)' has no possible shape") }
    if type == .bytes { return try checkTexts(count, takesTexts: takesTexts) }
    guard texts == nil else {
      throw Refusal(
        .badRequest, "input '\(name)': a string where \(type.rawValue) is due; texts are BYTES")
    }
    if let binarySize {
      guard values == nil else {
        throw Refusal(.badRequest, "input '\(name)' has both data and binary_data_size")
      }
      guard binarySize == count * type.size else {
        throw Refusal(
          .badRequest,
          "input '\(name)': \(binarySize) bytes, its shape and datatype make \(count * type.size)")
      }
    } else if let values {
      guard type != .fp16, type != .bf16 else {
        throw Refusal(
          .badRequest, "input '\(name)': \(type.rawValue) has no form in JSON; send binary data")
      }
      guard values.count == count else {
        throw Refusal(
          .badRequest, "input '\(name)': \(values.count) values, its shape holds \(count)")
      }
    } else {
      throw Refusal(.badRequest, "input '\(name)' has no data")
    }
  }
}

extension InputTensor {
  private mutating func checkTexts(_ count: Int, takesTexts: Bool) throws(Refusal) {
    guard takesTexts else {
      throw Refusal(.badRequest, "input '\(name)': a model takes numbers, not BYTES")
    }
    if binarySize != nil {
      guard values == nil, texts == nil else {
        throw Refusal(.badRequest, "input '\(name)' has both data and binary_data_size")
      }
      texts = try splitTexts()
    }
    if let values, values.allSatisfy(\.isNaN) { texts = values.map { _ in nil } }
    guard let texts else {
      throw Refusal(.badRequest, "input '\(name)': BYTES without strings")
    }
    guard texts.count == count else {
      throw Refusal(.badRequest, "input '\(name)': \(texts.count) values, its shape holds \(count)")
    }
  }

  /// Each text has its length before it, in four bytes.
  private func splitTexts() throws(Refusal) -> [Bytes?] {
    var texts: [Bytes?] = []
    var rest = binary
    while !rest.isEmpty {
      guard rest.count >= 4 else { throw cutOff }
      let count = Int(
        UInt32(littleEndian: UnsafeRawPointer(rest.base).loadUnaligned(as: UInt32.self)))
      guard count <= rest.count - 4 else { throw cutOff }
      texts.append(rest[4..<4 + count])
      rest = rest[4 + count..<rest.count]
    }
    return texts
  }

  private var cutOff: Refusal {
    Refusal(.badRequest, "input '\(name)': its BYTES end within a value")
  }
}

/// What a request wants of an output.
struct OutputWish {
  var name = ""
  /// Nil: as the request says for all.
  var isBinary: Bool?
  /// The so many best classes, as text.
  var classification: Int?
}

extension Desk {
  /// The datatype that holds the model's numbers exactly.
  var tensorType: TensorType { model.precision == .float32 ? .fp32 : .fp64 }
}
