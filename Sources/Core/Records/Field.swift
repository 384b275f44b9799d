// A member of a record as the project file declares it: its type, whether it must be there, its bounds.
//
//     fields: { carrier: "string", tailnum: "string?", dep_delay: { type: "number", min: -120, max: 3000 } }

public enum FieldType: String, Sendable, CaseIterable {
  case string, integer, number, boolean, time, any

  public var valueType: ValueType {
    switch self {
    case .string: .string
    case .integer: .int
    case .number: .double
    case .boolean: .bool
    case .time: .time
    case .any: .any
    }
  }

  var article: String {
    switch self {
    case .integer: "an integer"
    case .any: "a value"
    case .time: "an RFC 3339 time"
    default: "a \(rawValue)"
    }
  }
}

/// How times are written in a member.
public enum TimeUnit: String, Sendable, CaseIterable {
  case rfc3339, s, ms, us, ns

  /// Nil if the value is not a time in this unit, or one that RFC 3339 cannot write: no difference of two times overflows.
  public func timestamp(_ value: Scalar) -> Timestamp? {
    read(value).flatMap { Timestamp.writable.contains($0) ? $0 : nil }
  }

  private func read(_ value: Scalar) -> Timestamp? {
    switch (self, value) {
    case (.rfc3339, .text(let text)): return Timestamp(rfc3339: text)
    case (.rfc3339, .time(let time)): return time
    case (.rfc3339, _): return nil
    case (_, .int(let number)): return scaled(number)
    case (.ns, .uint(let number)): return Timestamp(microseconds: Int64(number / 1_000))
    case (_, .double(let number)): return scaled(number)
    default: return nil
    }
  }

  public func timestamp(_ value: ColumnValue) -> Timestamp? {
    switch value {
    case .text(let text): timestamp(Scalar.text(text))
    case .number(let number): timestamp(Scalar(exactly: number) ?? Scalar.double(number))
    default: nil
    }
  }

  /// Microseconds in one unit; nanoseconds are divided instead.
  private var microseconds: Int64 {
    switch self {
    case .s: 1_000_000
    case .ms: 1_000
    case .us, .ns, .rfc3339: 1
    }
  }

  private func scaled(_ number: Int64) -> Timestamp? {
    // Rounded down, so that times before the epoch keep their order.
    if self == .ns {
      return Timestamp(microseconds: number / 1_000 - (number % 1_000 < 0 ? 1 : 0))
    }
    let (result, overflow) = number.multipliedReportingOverflow(by: microseconds)
    return overflow ? nil : Timestamp(microseconds: result)
  }

  private func scaled(_ number: Double) -> Timestamp? {
    // To the nearest: as doubles, 1.000001 seconds are a hair less than 1,000,001 microseconds.
    let value = self == .ns ? (number / 1_000).rounded(.down) : number * Double(microseconds)
    return Int64(exactly: value.rounded()).map(Timestamp.init(microseconds:))
  }
}

/// One declared member. A class, since every record is held against it.
public final class Field: Sendable {
  public let name: String
  public let type: FieldType
  public let isOptional: Bool
  public let minimum: Double?
  public let maximum: Double?
  public let unit: TimeUnit
  /// What a string may be; nil: anything.
  let text: TextLimits?

  public init(
    name: String, type: FieldType, isOptional: Bool = false, minimum: Double? = nil,
    maximum: Double? = nil, unit: TimeUnit = .rfc3339, text: TextLimits? = nil
  ) {
    self.name = name
    self.type = type
    self.isOptional = isOptional
    self.minimum = minimum
    self.maximum = maximum
    self.unit = unit
    self.text = text
  }

  /// From the short form `"string?"` or the long one `{ type: "number", optional: true, min: 0, max: 1 }`.
  public convenience init(_ member: ConfigNode.Member) throws(Failure) {
    let node = member.node
    if case .string(var text) = node.value {
      let isOptional = text.last == "?"
      if isOptional { text.removeLast() }
      let type = try Field.type(text, node)
      self.init(name: member.key, type: type, isOptional: isOptional)
      return
    }
    try node.allow(["type", "optional", "min", "max", "unit"] + TextLimits.keys)
    let typeNode = try node.required("type")
    let type = try Field.type(try typeNode.string(), typeNode)
    let minimum = try node["min"]?.double()
    let maximum = try node["max"]?.double()
    if minimum != nil || maximum != nil, type != .integer, type != .number {
      throw node.failure("min and max are for numbers and integers, not for \(type.rawValue)")
    }
    if let minimum, let maximum, minimum > maximum {
      throw node.failure("min \(minimum.plain) is above max \(maximum.plain)")
    }
    if let unit = node["unit"], type != .time { throw unit.failure("a unit is for times") }
    self.init(
      name: member.key, type: type, isOptional: try node["optional"]?.bool() ?? false,
      minimum: minimum, maximum: maximum, unit: try node["unit"]?.choice(TimeUnit.self) ?? .rfc3339,
      text: try TextLimits(node, type: type))
  }

  private static func type(_ text: String, _ node: ConfigNode) throws(Failure) -> FieldType {
    guard let type = FieldType(rawValue: text) else {
      let known = FieldType.allCases.map(\.rawValue)
      throw node.failure(
        "'\(text)' is no type",
        hint: Spelling.nearest(text, among: known).map { "did you mean '\($0)'?" }
          ?? "types: \(known.joined(separator: ", ")); a '?' behind it makes the field optional")
    }
    return type
  }

  // MARK: Values

  /// The member's value in this field's type, checked against its bounds; the reason why not, otherwise.
  ///
  /// - Parameter value: the member by its own JSON type, nil for a number beyond a double's range.
  public func convert(_ value: Scalar?, _ raw: JSONRaw) throws(BadRecord) -> Scalar {
    guard let value else { throw mismatch(raw) }
    if raw.kind == .null {
      guard isOptional else {
        throw BadRecord("the member '\(name)' is missing (\(type.article) is required)")
      }
      return .null
    }
    switch (type, value) {
    case (.any, _): return value
    case (.string, .text(let content)):
      if let problem = text?.problem(content) {
        throw BadRecord("the member '\(name)' is \(raw.excerpt), \(problem)")
      }
      return value
    case (.boolean, .bool): return value
    case (.integer, .int), (.integer, .uint):
      try checkBounds(value, raw)
      return value
    case (.integer, .double(let number)):
      guard let whole = Scalar(exactly: number) else { throw mismatch(raw) }
      try checkBounds(value, raw)
      return whole
    case (.number, .int), (.number, .uint), (.number, .double):
      try checkBounds(value, raw)
      return Arithmetic.conform(value, to: .double)
    case (.time, _):
      guard let time = unit.timestamp(value) else { throw mismatch(raw) }
      return .time(time)
    default: throw mismatch(raw)
    }
  }

  private func mismatch(_ raw: JSONRaw) -> BadRecord {
    let unitText = type == .time && unit != .rfc3339 ? " in \(unit.rawValue)" : ""
    let expected = type == .time && unit != .rfc3339 ? "a time\(unitText)" : type.article
    return BadRecord("the member '\(name)' is not \(expected): \(raw.excerpt)")
  }

  /// Exact: an integer is not rounded to be compared.
  private func checkBounds(_ value: Scalar, _ raw: JSONRaw) throws(BadRecord) {
    if let minimum, let order = Arithmetic.order(value, .double(minimum)), order < 0 {
      throw BadRecord("the member '\(name)' is \(raw.excerpt), below the minimum \(minimum.plain)")
    }
    if let maximum, let order = Arithmetic.order(value, .double(maximum)), order > 0 {
      throw BadRecord("the member '\(name)' is \(raw.excerpt), above the maximum \(maximum.plain)")
    }
  }
}

/// Why one record cannot be used; the stream goes on.
public struct BadRecord: Error, Sendable {
  public let reason: String
  public init(_ reason: String) { self.reason = reason }
}

extension JSONRaw {
  /// The value as text for a message, cut after 40 bytes.
  public var excerpt: String {
    let text = literal
    return text.count <= 40 ? text.string : text[0..<40].string + "…"
  }
}
