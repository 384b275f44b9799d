// A line becomes an event: its type, id and time found, its fields checked against the schema and converted
// into the scalars that expressions read. An event that carries our mark `_rt` was checked when it
// was ingested; of such only the members that are needed here are converted.

public import Core

/// An event as it was read. Borrowed: valid until its decoder reads the next line.
public struct Event {
  /// Index into the schema's types.
  public let type: Int
  /// As the event names it; empty where it does not.
  public let typeName: Bytes
  public let time: Timestamp
  /// A string or a number as it stands in the text; null where there is none.
  public let id: JSONRaw
  /// What was done to a row, where the event tells of one.
  public let operation: ChangeOperation?
  /// The mark that ingest left, if it has passed there.
  public let mark: Mark?

  public struct Mark: Sendable {
    public let offset: Int64
    public let watermark: Timestamp
    /// When it came; nil where nobody noted it.
    public let ingested: Timestamp?
  }
}

public final class EventDecoder {
  public let schema: EventSchema
  public let scanner: RecordScanner
  /// One for each slot of the plan; valid until the next line. Of slots that were not converted: null.
  public let scalars: UnsafeMutablePointer<Scalar>
  private let slotCount: Int
  private let types: [TypePlan]
  /// The same, without a reference to count for each event.
  private let plans: [Unmanaged<TypePlan>]
  private let dropsUnknown: [Bool]
  /// By type: the members that its declaration names.
  private let declared: [KeptMembers]
  /// The same and our mark, which anyone may send.
  private let allowed: [KeptMembers]
  private let typeSlot: Int
  private let kindSlot: Int
  private let markTypeSlot: Int
  private let offsetSlot: Int
  private let watermarkSlot: Int
  private let operationSlot: Int
  private let ingestedSlot: Int
  /// The user's own members, without our mark.
  public let unmarked: KeptMembers

  private final class TypePlan {
    let type: EventType
    let name: Bytes
    let idSlot: Int?
    let timeSlot: Int
    let timeUnit: TimeUnit
    let rejectsUnknown: Bool
    /// All declared fields.
    let fields: FieldChecks
    /// Those that expressions read.
    let neededFields: FieldChecks
    /// Undeclared members that expressions read, taken by their own JSON type.
    let looseSlots: [Int]

    init(_ type: EventType, schema: EventSchema, needed paths: [[String]]) {
      let needed = Set(paths.filter { $0.count == 1 }.map { $0[0] })
      let declared = Set(type.fields.map(\.name) + [type.timeMember])
      self.type = type
      self.name = Bytes(owning: type.name)
      self.idSlot = type.idMember.map(schema.slot)
      self.timeSlot = schema.slot(type.timeMember)
      self.timeUnit = type.timeUnit
      self.rejectsUnknown = type.unknown == .reject
      let fields = type.fields.map { (field: $0, slot: schema.slot($0.name)) }
      self.fields = FieldChecks(fields)
      self.neededFields = FieldChecks(fields.filter { needed.contains($0.field.name) })
      self.looseSlots =
        paths.filter { $0.count > 1 || !declared.contains($0[0]) }
        .map { schema.plan.existingSlot($0)! }
    }
  }

  private let trustsMarks: Bool
  private var times = TimestampReader()
  /// The last event's type, which most likely is the next one's.
  private var lastType = 0
  private var lastName = Bytes.empty

  /// - Parameters:
  ///   - schema: complete; what is compiled against it later has no slot here.
  ///   - trustsMarks: an event with our mark was checked before; otherwise a mark is a member like any.
  public init(_ schema: EventSchema, trustsMarks: Bool = true) {
    self.schema = schema
    self.trustsMarks = trustsMarks
    schema.complete()
    let neededPaths = schema.neededPaths!.filter { $0[0] != "_rt" }
    typeSlot = schema.slot(schema.typeMember)
    kindSlot = schema.slot("kind")
    markTypeSlot = schema.markSlot("type")
    offsetSlot = schema.markSlot("offset")
    watermarkSlot = schema.markSlot("watermark")
    operationSlot = schema.markSlot("op")
    ingestedSlot = schema.markSlot("ingested")
    types = schema.types.map { TypePlan($0, schema: schema, needed: neededPaths) }
    plans = types.map { Unmanaged.passUnretained($0) }
    dropsUnknown = schema.types.map { $0.unknown == .drop }
    slotCount = schema.plan.paths.count
    scalars = .allocate(capacity: slotCount)
    scalars.initialize(repeating: .null, count: slotCount)
    scanner = RecordScanner(schema.plan)
    unmarked = scanner.keepingAll(but: "_rt")
    let names = schema.types.map { type in
      type.fields.map(\.name) + [type.timeMember, schema.typeMember]
        + [type.idMember].compactMap { $0 }
    }
    declared = names.map { [scanner] in scanner.keepingOnly($0) }
    allowed = names.map { [scanner] in scanner.keepingOnly($0 + ["_rt"]) }
  }

  deinit { scalars.deallocate() }

  /// Reads a line that this schema has accepted before.
  public func decodeAccepted(_ line: Bytes, as fixed: Int? = nil) -> Event {
    do throws(BadRecord) {
      return try decode(line, as: fixed)
    } catch {
      preconditionFailure("a line is read the same way twice: \(error.reason)")
    }
  }

  /// Reads a line.
  ///
  /// - Parameters:
  ///   - fixed: the event's type, whatever its members say.
  ///   - padding: bytes behind the line that may be loaded.
  public func decode(
    _ line: Bytes, as fixed: Int? = nil, padding: Int = 0
  ) throws(BadRecord) -> Event {
    do throws(JSONError) {
      try scanner.scan(line, padding: padding)
    } catch {
      throw BadRecord(error, line)
    }
    let mark = try mark()
    let (index, name) =
      if let fixed { (fixed, types[fixed].name) } else { try type(isMarked: mark != nil) }
    return try plans[index].borrowed { (plan) throws(BadRecord) in
      let (time, id) = try convert(plan, isMarked: mark != nil)
      if mark == nil, plan.rejectsUnknown { try checkUnknown(index) }
      return Event(
        type: index, typeName: name, time: time, id: id, operation: operation(), mark: mark)
    }
  }

  /// Members into scalars; what is marked was checked before.
  private func convert(_ plan: TypePlan, isMarked: Bool) throws(BadRecord) -> (Timestamp, JSONRaw) {
    for slot in 0..<slotCount { scalars[slot] = .null }
    for slot in plan.looseSlots { scalars[slot] = scanner.scalar(slot) ?? .null }
    if isMarked {
      try plan.neededFields.convert(scanner, into: scalars)
    } else {
      try plan.fields.convert(scanner, into: scalars)
    }
    let time = try time(plan)
    scalars[plan.timeSlot] = .time(time)
    return (time, try id(plan))
  }

  /// Whether the line read last has our mark, trusted or not.
  public var carriesMark: Bool { scanner.has(offsetSlot) }

  private func operation() -> ChangeOperation? {
    guard scanner.has(operationSlot), scanner.raw(operationSlot).kind == .string else {
      return nil
    }
    return ChangeOperation(rawValue: scanner.text(operationSlot).string)
  }

  private func mark() throws(BadRecord) -> Event.Mark? {
    guard scanner.has(offsetSlot) else { return nil }
    let offset = scanner.raw(offsetSlot)
    guard trustsMarks, offset.kind == .number, let number = JSONNumber.integer(offset.bytes) else {
      return nil
    }
    guard (0..<Limits.offsetMax).contains(number) else {
      throw BadRecord("the member '_rt.offset' is \(number), which is no offset of ours")
    }
    guard scanner.raw(watermarkSlot).kind == .string else {
      return Event.Mark(offset: number, watermark: .distantPast, ingested: ingested)
    }
    let text = scanner.text(watermarkSlot)
    guard let watermark = Timestamp(rfc3339: text) else {
      throw BadRecord("the member '_rt.watermark' is not an RFC 3339 time: '\(text.string)'")
    }
    return Event.Mark(offset: number, watermark: watermark, ingested: ingested)
  }

  private var ingested: Timestamp? {
    guard scanner.raw(ingestedSlot).kind == .string else { return nil }
    return Timestamp(rfc3339: scanner.text(ingestedSlot))
  }

  /// The kinds of records that are ours and no events. An event of the user's may well have a member `kind`,
  /// but then it names its type, or its kind is none of these.
  private static let otherKinds: [Bytes] = [
    "rejected", "features", "decision", "sample", "summary", "profile", "verdict", "alert", "log",
    "log_file", "source_offset", "schema_difference",
  ].map { Bytes(owning: $0) }

  private func refuseOtherKinds() throws(BadRecord) {
    guard scanner.raw(kindSlot).kind == .string, scanner.raw(typeSlot).kind != .string else {
      return
    }
    let kind = scanner.text(kindSlot)
    guard EventDecoder.otherKinds.contains(where: { $0 == kind }) else { return }
    throw BadRecord("a '\(kind.string)' record, not an event")
  }

  private func type(isMarked: Bool) throws(BadRecord) -> (Int, Bytes) {
    if scanner.has(kindSlot) { try refuseOtherKinds() }
    let slot = isMarked && scanner.raw(markTypeSlot).kind == .string ? markTypeSlot : typeSlot
    let isNamed = scanner.raw(slot).kind == .string
    let name = isNamed ? scanner.text(slot) : Bytes.empty
    if schema.isOpen { return (0, types[0].name.isEmpty ? name : types[0].name) }
    if let fixed = schema.fixedType { return (fixed, types[fixed].name) }
    guard isNamed else {
      if types.count == 1 { return (0, types[0].name) }
      throw BadRecord(
        "the member '\(schema.typeMember)' that tells the event's type is "
          + (scanner.raw(slot).kind == .null ? "missing" : "not a string"))
    }
    if name == lastName { return (lastType, lastName) }
    for index in types.indices where types[index].name == name {
      (lastType, lastName) = (index, types[index].name)
      return (index, lastName)
    }
    let known = schema.types.map(\.name)
    let nearest = Spelling.nearest(name.string, among: known).map { "; did you mean '\($0)'?" }
    throw BadRecord("unknown event type '\(name.string)'" + (nearest ?? ""))
  }

  private func time(_ plan: TypePlan) throws(BadRecord) -> Timestamp {
    let raw = scanner.raw(plan.timeSlot)
    if plan.timeUnit == .rfc3339, raw.kind == .string, !raw.escaped,
      let time = times.read(raw.bytes)
    {
      return time
    }
    let type = plan.type
    guard raw.kind != .null else {
      throw BadRecord("the member '\(type.timeMember)' with the event's time is missing")
    }
    guard let value = scanner.scalar(plan.timeSlot), let time = type.timeUnit.timestamp(value)
    else {
      let form =
        type.timeUnit == .rfc3339 ? "an RFC 3339 time" : "a time in \(type.timeUnit.rawValue)"
      throw BadRecord("the member '\(type.timeMember)' is not \(form): \(raw.excerpt)")
    }
    return time
  }

  private func id(_ plan: TypePlan) throws(BadRecord) -> JSONRaw {
    guard let slot = plan.idSlot else { return JSONRaw(kind: .null, bytes: .empty) }
    let raw = scanner.raw(slot)
    if raw.kind == .string || raw.kind == .number { return raw }
    let type = plan.type
    switch raw.kind {
    case .null:
      // With no project file an id is welcome, not demanded.
      if schema.isOpen || type.dedup == nil { return raw }
      throw BadRecord("the member '\(type.idMember!)' with the event's id is missing")
    default:
      throw BadRecord("the member '\(type.idMember!)' is not a string or a number: \(raw.excerpt)")
    }
  }

  private func checkUnknown(_ type: Int) throws(BadRecord) {
    guard let member = scanner.firstMember(outside: allowed[type]) else { return }
    let known = schema.types[type].fields.map(\.name)
    let nearest = Spelling.nearest(member, among: known).map { "; did you mean '\($0)'?" }
    throw BadRecord("the member '\(member)' is not declared" + (nearest ?? ""))
  }

  /// Appends the line read last, an event of this type, without its closing brace and with the members that go on.
  /// Returns true if a comma is due before a further member.
  public func appendOpen(_ type: Int, to output: OutputBuffer) -> Bool {
    if dropsUnknown[type] { return scanner.appendOpen(to: output, keeping: declared[type]) }
    return scanner.appendOpen(to: output, keeping: unmarked)
  }
}

extension BadRecord {
  /// Why a line is not JSON. The first line of a record that many lines hold, as command-line tools print them, is told
  /// what to do about it.
  init(_ error: JSONError, _ line: Bytes) {
    let text = line.trimmed
    let hint = "; a record is one line, which 'jq -c .' makes of it"
    self.init("not JSON: \(error.description)" + (text == "{" || text == "[" ? hint : ""))
  }
}
