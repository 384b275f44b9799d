// What a sample of real events looks like: of which types they are, which members they have, of what kind and
// between which values. From it a first schema is written, and a declared one is held against it.

public import Core

public final class SchemaSample {
  /// What the values of one member were.
  public struct Member {
    public let name: String
    /// Events that have it, and not as null.
    public fileprivate(set) var count = 0
    public fileprivate(set) var minimum = Double.infinity
    public fileprivate(set) var maximum = -Double.infinity
    fileprivate var integers = 0
    fileprivate var doubles = 0
    fileprivate var booleans = 0
    fileprivate var texts = 0
    /// Texts that are RFC 3339 times.
    fileprivate var times = 0

    /// The narrowest type that takes all of its values.
    public var type: FieldType {
      if count == 0 { return .any }
      if times == count { return .time }
      if texts == count { return .string }
      if booleans == count { return .boolean }
      if integers == count { return .integer }
      return integers + doubles == count ? .number : .any
    }

    /// True if every value is one of the field's type; its bounds are another matter.
    func fits(_ field: Field) -> Bool {
      switch field.type {
      case .any: true
      case .string: texts == count
      case .boolean: booleans == count
      case .integer: integers == count
      case .number: integers + doubles == count
      case .time: field.unit == .rfc3339 ? times == count : integers + doubles == count
      }
    }

    fileprivate mutating func add(_ raw: JSONRaw) {
      guard raw.kind != .null else { return }
      count += 1
      switch raw.kind {
      case .bool: booleans += 1
      case .string:
        texts += 1
        if Timestamp(rfc3339: raw.bytes) != nil { times += 1 }
      case .number:
        guard let value = JSONNumber.double(raw.bytes) else { return }
        if JSONNumber.integer(raw.bytes) != nil || Int64(exactly: value) != nil {
          integers += 1
        } else {
          doubles += 1
        }
        minimum = min(minimum, value)
        maximum = max(maximum, value)
      case .array, .object, .null: break
      }
    }
  }

  /// The events of one type.
  public struct EventKind {
    /// Empty where events name none.
    public let name: String
    public fileprivate(set) var count = 0
    /// In order of appearance.
    public fileprivate(set) var members: [Member] = []
    fileprivate var places: [String: Int] = [:]

    public subscript(name: String) -> Member? { places[name].map { members[$0] } }
  }

  /// In order of appearance.
  public private(set) var kinds: [EventKind] = []
  private var places: [String: Int] = [:]
  private let typeMember: String
  private let fixedType: String?
  private let scanner = RecordScanner(FieldPlan())

  /// - Parameters:
  ///   - typeMember: the member that tells an event's type.
  ///   - fixedType: the type of every event, whatever its members say.
  public init(typeMember: String, fixedType: String?) {
    self.typeMember = typeMember
    self.fixedType = fixedType
  }

  /// - Complexity: O(members), and it allocates: a sample is looked at, not a stream.
  public func add(_ line: Bytes) throws(BadRecord) {
    do throws(JSONError) {
      try scanner.scan(line)
    } catch {
      throw BadRecord(error, line)
    }
    let values = scanner.membersByName
    let named = values[typeMember].flatMap { $0.kind == .string ? $0.bytes.string : nil }
    let kind = place(fixedType ?? named ?? "")
    kinds[kind].count += 1
    var seen: Set<String> = []
    for name in scanner.memberNames where name != "_rt" && seen.insert(name).inserted {
      if name == typeMember, named != nil { continue }
      if kinds[kind].places[name] == nil {
        kinds[kind].places[name] = kinds[kind].members.count
        kinds[kind].members.append(Member(name: name))
      }
      guard let value = values[name] else { continue }
      kinds[kind].members[kinds[kind].places[name]!].add(value)
    }
  }

  private func place(_ name: String) -> Int {
    if let known = places[name] { return known }
    places[name] = kinds.count
    kinds.append(EventKind(name: name))
    return kinds.count - 1
  }
}
