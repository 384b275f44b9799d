// A profile: what is remembered of a stream of records once the records are gone. It is made in one pass and in
// memory that does not grow with the stream, it is small enough to be kept beside a model, and profiles of parts merge
// into that of the whole.

public import Core

public final class Profile {
  public internal(set) var records: Int64 = 0
  public internal(set) var columns: [ColumnProfile] = []
  /// The first and last event time.
  public internal(set) var since: Timestamp?
  public internal(set) var until: Timestamp?
  /// The length of the windows whose moments are kept, if any are.
  public internal(set) var window: TimeSpan?
  private var byName: [String: Int] = [:]

  /// Windows that a profile holds: three years of days, six weeks of hours.
  public static let windowsMax = 1_100

  public init(window: TimeSpan? = nil) { self.window = window }

  public subscript(name: String) -> ColumnProfile? {
    byName[Profile.canonical(name)].map { columns[$0] }
  }

  /// A feature is `view:feature`, and as a column of a training set `view__feature`; both are one name, quoted or
  /// not.
  static func canonical(_ name: String) -> String {
    var result = ""
    var rest = name.filter { $0 != "\"" }[...]
    while let range = rest.firstRange(of: "__") {
      result += rest[..<range.lowerBound] + ":"
      rest = rest[range.upperBound...]
    }
    return result + rest
  }

  func append(_ column: ColumnProfile) {
    byName[Profile.canonical(column.name)] = columns.count
    columns.append(column)
  }

  /// Forgets the other columns.
  public func keep(where isKept: (String) -> Bool) {
    let kept = columns.filter { isKept($0.name) }
    columns = []
    byName = [:]
    for column in kept { append(column) }
  }

  /// Records in which the column was not there at all.
  public func absent(_ column: ColumnProfile) -> Int64 {
    records - column.kinds.values - column.kinds.nulls
  }

  /// The share of records without a value in this column; 0 of nothing.
  public func missingShare(_ column: ColumnProfile) -> Double {
    records > 0 ? Double(records - column.kinds.values) / Double(records) : 0
  }

  /// Takes in another profile's records. Throws where their windows differ in length.
  public func merge(_ other: Profile) throws(Failure) {
    guard records == 0 || other.records == 0 || window == other.window else {
      throw .badData(
        "profiles with windows of \(window?.description ?? "no length") and of "
          + "\(other.window?.description ?? "no length") cannot be merged",
        hint: "make both with the same --every")
    }
    if records == 0 { window = other.window }
    records += other.records
    since = [since, other.since].compactMap { $0 }.min()
    until = [until, other.until].compactMap { $0 }.max()
    for column in other.columns {
      if let own = self[column.name] { own.merge(column) } else { append(column) }
    }
  }
}
