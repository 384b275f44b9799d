// The members of an unwrapped event that say what it is, which and when: its own, and where it has none, the
// wrapping's.

import Core

final class EventMembers {
  private let schema: EventSchema
  private let scanner: RecordScanner
  private let kept: KeptMembers
  private let typeSlot: Int
  /// By type.
  private let idSlots: [Int?]
  /// By type: an id may be any text.
  private let takesTextIDs: [Bool]
  private let timeSlots: [Int]

  init(_ schema: EventSchema) {
    self.schema = schema
    var plan = FieldPlan()
    typeSlot = plan.slot([schema.typeMember])
    idSlots = schema.types.map { type in type.idMember.map { plan.slot([$0]) } }
    takesTextIDs = schema.types.map { type in
      let field = type.fields.first { $0.name == type.idMember }
      return field.map { $0.type == .string || $0.type == .any } ?? true
    }
    timeSlots = schema.types.map { plan.slot([$0.timeMember]) }
    // An older mark is not the event's own; the decoder would drop it later.
    _ = plan.slot(["_rt"])
    scanner = RecordScanner(plan)
    kept = scanner.keepingAll(but: "_rt")
  }

  /// Appends the event's members and those that it lacks.
  ///
  /// - Returns: the type that the wrapping names; nil where the event says it itself, or nobody does.
  func append(
    _ text: Bytes, padding: Int, _ wrapping: Wrapping, to output: OutputBuffer
  ) throws(BadRecord) -> Int? {
    do throws(JSONError) {
      try scanner.scan(text, padding: padding)
    } catch {
      throw BadRecord("not JSON inside: \(error.description)")
    }
    let start = output.count
    var needsComma = scanner.appendOpen(to: output, keeping: kept)
    // Inside a string or base64 there may be JSON of several lines.
    output.joinLines(from: start)
    func begin(_ name: String) {
      if needsComma { output.append(UInt8(ascii: ",")) }
      output.appendQuoted(name)
      output.append(UInt8(ascii: ":"))
      needsComma = true
    }
    let fixed = fixedType(wrapping)
    if schema.isOpen, schema.types[0].name.isEmpty, !wrapping.type.isEmpty, !has(typeSlot) {
      begin(schema.typeMember)
      output.appendQuoted(wrapping.type)
    }
    if let index = fixed ?? ownType {
      let type = schema.types[index]
      if let time = wrapping.time, !has(timeSlots[index]) {
        begin(type.timeMember)
        type.timeUnit.append(time, to: output)
      }
      if let slot = idSlots[index], !has(slot), takesTextIDs[index] {
        if !wrapping.id.isEmpty {
          begin(type.idMember!)
          output.appendQuoted(wrapping.id)
        } else if type.dedup != nil, let place = EventMembers.place(wrapping.origin) {
          begin(type.idMember!)
          output.appendQuoted(place)
        }
      }
    }
    output.append(UInt8(ascii: "}"))
    return fixed
  }

  /// A name for an event that has none of its own.
  private static func place(_ origin: EventOrigin) -> String? {
    if !origin.id.isEmpty { return origin.id.string }
    return origin.offset.map { "\(origin.source.string)/\(origin.partition ?? 0)/\($0)" }
  }

  private func has(_ slot: Int) -> Bool { scanner.raw(slot).kind != .null }

  /// The type by the wrapping's word.
  private func fixedType(_ wrapping: Wrapping) -> Int? {
    if schema.isOpen { return nil }
    if let fixed = schema.fixedType { return fixed }
    if let index = index(of: wrapping.type) { return index }
    return scanner.raw(typeSlot).kind == .string ? nil : index(of: wrapping.typeHint)
  }

  /// The type by the event's own word.
  private var ownType: Int? {
    if schema.types.count == 1 { return 0 }
    return scanner.raw(typeSlot).kind == .string ? index(of: scanner.text(typeSlot)) : nil
  }

  private func index(of name: Bytes) -> Int? {
    name.isEmpty ? nil : schema.types.firstIndex { name == $0.name }
  }
}

extension TimeUnit {
  /// The time as an event in this unit would have it.
  func append(_ time: Timestamp, to output: OutputBuffer) {
    let value = time.microseconds
    switch self {
    case .rfc3339: output.appendQuoted(time)
    case .s where value % 1_000_000 == 0: output.append(value / 1_000_000)
    case .s: output.append(Double(value) / 1e6)
    case .ms where value % 1_000 == 0: output.append(value / 1_000)
    case .ms: output.append(Double(value) / 1e3)
    case .us: output.append(value)
    case .ns:
      let (nanoseconds, overflow) = value.multipliedReportingOverflow(by: 1_000)
      if overflow { output.append(Double(value) * 1e3) } else { output.append(nanoseconds) }
    }
  }
}
