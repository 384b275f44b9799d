// What no one behind ingest may see: a private member is hashed with a key or dropped before anything else looks
// at the event, so that neither the log nor the rejects nor a message can hold it.
//
//     {"tailnum":"N14228","origin":"EWR"} ─▶ {"tailnum":"hmac:6a4f…","origin":"EWR"} ─▶ decoder

import Core

/// A member that is declared as private.
public struct PrivateMember: Sendable {
  public enum Action: String, Sendable, CaseIterable {
    /// Replaced by a keyed hash: still the same for the same value, so it can be counted and joined.
    case hash
    case drop
  }

  public let name: String
  public let action: Action

  public init(name: String, action: Action) {
    self.name = name
    self.action = action
  }

  init(_ member: ConfigNode.Member, fields: [Field], timeMember: String) throws(Failure) {
    name = member.key
    action = try member.node.choice(Action.self)
    guard name != timeMember else {
      throw member.node.failure("the event's time cannot be private")
    }
    guard let field = fields.first(where: { $0.name == member.key }) else { return }
    if action == .drop, !field.isOptional {
      throw member.node.failure(
        "'\(name)' is dropped, so it must be optional: \"\(field.type.rawValue)?\"")
    }
    if action == .hash, field.type != .string, field.type != .any {
      throw member.node.failure(
        "'\(name)' is hashed, and a hash is a string: declare it as \"string\"")
    }
  }
}

/// How private members are hidden.
public struct Privacy: Sendable {
  let digest: HMAC

  /// - Parameter key: what hashes are made with; not needed where members are only dropped.
  public init(key: [UInt8]) { digest = HMAC(key: key) }
}

final class PrivacyFilter {
  private let digest: HMAC
  private let scanner: RecordScanner
  private let schema: EventSchema
  private let typeSlot: Int
  /// By type and slot; the last row is for events of no declared type: private is what is so in any.
  private var actions: [[PrivateMember.Action?]]
  private let buffer = OutputBuffer(MemorySink(), capacity: 4_096)
  /// The event as it may be seen; nil until it could be read.
  private(set) var hidden: Bytes?

  /// Nil where nothing is private.
  init?(_ privacy: Privacy, _ schema: EventSchema) {
    let names = schema.types.flatMap { $0.privates.map(\.name) }
    guard !names.isEmpty else { return nil }
    digest = privacy.digest
    self.schema = schema
    var plan = FieldPlan()
    typeSlot = plan.slot([schema.typeMember])
    for name in names { _ = plan.slot([name]) }
    actions = Array(
      repeating: Array(repeating: nil, count: plan.paths.count), count: schema.types.count + 1)
    for (index, type) in schema.types.enumerated() {
      for member in type.privates {
        let slot = plan.slot([member.name])
        actions[index][slot] = member.action
        let other = actions[schema.types.count][slot]
        actions[schema.types.count][slot] = other == .drop ? .drop : member.action
      }
    }
    scanner = RecordScanner(plan)
  }

  func forget() { hidden = nil }

  /// The event with its private members hidden; `LineReader.padding` bytes behind it may be loaded.
  ///
  /// - Parameter type: what the event is, where its wrapping says so.
  func hide(_ event: Bytes, as type: Int?, padding: Int) throws(BadRecord) -> Bytes {
    hidden = nil
    do throws(JSONError) {
      try scanner.scan(event, padding: padding)
    } catch {
      throw BadRecord("not JSON: \(error.description)")
    }
    let rules = actions[type ?? ownType]
    buffer.rewind(to: 0)
    scanner.append(to: buffer) { slot, value, output in
      switch rules[slot] {
      case nil: return .keep
      case .drop: return .drop
      case .hash:
        guard value.kind != .null else { return .keep }
        let text = scanner.resolved(value)
        guard !PrivacyFilter.isHashed(text) else { return .keep }
        output.append("\"\(PrivacyFilter.mark)")
        output.append(String(digest.hex(of: text).prefix(PrivacyFilter.digits)))
        output.append(UInt8(ascii: "\""))
        return .replaced
      }
    }
    let count = buffer.count
    for _ in 0..<LineReader.padding { buffer.append(UInt8(0)) }
    hidden = buffer.pending[0..<count]
    return hidden!
  }

  private var ownType: Int {
    if schema.types.count == 1 { return 0 }
    if let fixed = schema.fixedType { return fixed }
    guard scanner.raw(typeSlot).kind == .string else { return schema.types.count }
    let name = scanner.text(typeSlot)
    return schema.types.firstIndex { name == $0.name } ?? schema.types.count
  }

  private static let mark = "hmac:"
  /// 128 bits: no two of 10^15 values are likely to meet.
  private static let digits = 32

  /// A rejected event comes back with its values hidden already.
  private static func isHashed(_ text: Bytes) -> Bool {
    text.count == mark.utf8.count + digits && text.starts(with: Bytes("hmac:"))
      && text[mark.utf8.count..<text.count].buffer.allSatisfy { byte in
        (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
          || (UInt8(ascii: "a")...UInt8(ascii: "f")).contains(byte)
      }
  }
}
