// What arrives, as the project file declares it: one entry of `events` for each type of event.

public import Core

/// What becomes of members that no field declares.
public enum UnknownMembers: String, Sendable, CaseIterable {
  case keep, drop, reject
}

/// One declared type of event. A class, since every event refers to its own.
public final class EventType: Sendable {
  public let name: String
  /// The member that identifies an event; nil when events have none (then nothing is deduplicated).
  public let idMember: String?
  public let timeMember: String
  public let timeUnit: TimeUnit
  /// How much later than the latest event an event may come.
  public let lateness: TimeSpan
  /// How far ahead of the wall clock an event's time may lie: one absurd date must not make all others late.
  public let maxFutureSkew: TimeSpan
  /// For how long an id is remembered, in event time; nil: not at all.
  public let dedup: TimeSpan?
  public let unknown: UnknownMembers
  /// Empty: any members.
  public let fields: [Field]
  /// Members that no one behind ingest may see as they are.
  public let privates: [PrivateMember]

  public static let defaultLateness = TimeSpan.minutes(5)
  public static let defaultFutureSkew = TimeSpan.minutes(5)

  public init(
    name: String, idMember: String? = "id", timeMember: String = "time",
    timeUnit: TimeUnit = .rfc3339,
    lateness: TimeSpan = defaultLateness, maxFutureSkew: TimeSpan = defaultFutureSkew,
    dedup: TimeSpan? = nil, unknown: UnknownMembers = .keep, fields: [Field] = [],
    privates: [PrivateMember] = []
  ) {
    self.name = name
    self.idMember = idMember
    self.timeMember = timeMember
    self.timeUnit = timeUnit
    self.lateness = lateness
    self.maxFutureSkew = maxFutureSkew
    self.dedup = dedup
    self.unknown = unknown
    self.fields = fields
    self.privates = privates
  }

  static let keys = [
    "id", "time", "time_unit", "lateness", "max_future_skew", "dedup", "unknown", "fields",
    "private",
  ]

  /// One member of the project file's `events`.
  public convenience init(_ member: ConfigNode.Member) throws(Failure) {
    let node = member.node
    try node.allow(EventType.keys)
    var fields: [Field] = []
    for field in try node["fields"]?.members() ?? [] { fields.append(try Field(field)) }
    let idMember = try node["id"]?.string()
    let dedup = try node["dedup"]?.span(atLeast: TimeSpan(microseconds: 1))
    if dedup != nil, idMember == nil {
      throw node.failure(
        "dedup needs an id: name the member that identifies an event, as in id: \"id\"")
    }
    let unknown = try node["unknown"]?.choice(UnknownMembers.self) ?? .keep
    if unknown != .keep, fields.isEmpty {
      throw node.failure(
        "unknown: \"\(unknown.rawValue)\" needs fields, else every member is unknown")
    }
    let timeMember = try node["time"]?.string() ?? "time"
    var privates: [PrivateMember] = []
    for member in try node["private"]?.members() ?? [] {
      privates.append(try PrivateMember(member, fields: fields, timeMember: timeMember))
    }
    self.init(
      name: member.key, idMember: idMember, timeMember: timeMember,
      timeUnit: try node["time_unit"]?.choice(TimeUnit.self) ?? .rfc3339,
      lateness: try node["lateness"]?.span() ?? EventType.defaultLateness,
      maxFutureSkew: try node["max_future_skew"]?.span() ?? EventType.defaultFutureSkew,
      dedup: dedup, unknown: unknown, fields: fields, privates: privates)
  }
}
