// Records in, a profile out. Per record this touches a counter and, for each value, the buffer of its column.

public import Core

public final class ProfileBuilder {
  private let profile: Profile
  private let reader: ColumnReader
  /// Whose edges are used, so that what is counted can be compared exactly.
  private let reference: Profile?
  private let timeName: String?
  private let timeUnit: TimeUnit
  private var timeColumn = -1
  /// The time is read for its windows only.
  private let timeIsExtra: Bool
  /// The start of the window that the last record lay in.
  private var window: Int64?
  private var windows: Set<Int64> = []

  /// - Parameters:
  ///   - time: the top-level member with the event time, if it is to be looked at.
  ///   - every: the length of windows whose moments are kept.
  public init(
    _ choice: ColumnReader.Choice, like reference: Profile? = nil, time: String? = nil,
    unit: TimeUnit = .rfc3339, every: TimeSpan? = nil
  ) {
    var choice = choice
    timeIsExtra = time.map { choice.name([$0]) == nil } ?? false
    choice.time = time
    reader = ColumnReader(choice)
    profile = Profile(window: every)
    self.reference = reference
    timeName = time.map { ColumnReader.name([$0]) }
    timeUnit = unit
  }

  /// One line of JSON.
  public func add(_ line: Bytes, padding: Int) throws(BadRecord) {
    try reader.read(line, padding: padding)
    try count()
  }

  public func addHeader(_ row: CSVRow, source: String) throws(Failure) {
    try reader.readHeader(row, source: source)
    addColumns()
  }

  public func add(cells: UnsafeBufferPointer<Bytes>) throws(BadRecord) {
    try reader.read(cells: cells)
    try count()
  }

  public func finish() -> Profile {
    for column in profile.columns { column.finish(window) }
    if timeIsExtra, let timeName { profile.keep { $0 != timeName } }
    return profile
  }

  private func addColumns() {
    for name in reader.names[profile.columns.count...] {
      if name == timeName { timeColumn = profile.columns.count }
      profile.append(ColumnProfile(name, like: reference?[name]))
    }
  }

  private func count() throws(BadRecord) {
    if reader.names.count > profile.columns.count { addColumns() }
    let cells = reader.cells
    if timeColumn >= 0 { try takeTime(cells) }
    profile.records += 1
    profile.columns.withUnsafeBufferPointer { columns in
      for cell in cells { columns[cell.column].add(cell.value, window: window) }
    }
  }

  private func takeTime(_ cells: UnsafeBufferPointer<ColumnCell>) throws(BadRecord) {
    guard let cell = cells.first(where: { $0.column == timeColumn }),
      let time = timeUnit.timestamp(cell.value)
    else {
      if profile.window == nil { return }
      throw BadRecord("the member '\(timeName ?? "")' is not a time (\(timeUnit.rawValue))")
    }
    if let length = profile.window?.microseconds {
      let start = time.microseconds - (time.microseconds % length + length) % length
      if start != window { try enter(start) }
    }
    profile.since = profile.since.map { min($0, time) } ?? time
    profile.until = profile.until.map { max($0, time) } ?? time
  }

  private func enter(_ start: Int64) throws(BadRecord) {
    if windows.insert(start).inserted, windows.count > Profile.windowsMax {
      windows.remove(start)
      throw BadRecord(
        "more than \(Profile.windowsMax) windows of \(profile.window?.description ?? ""): "
          + "choose longer ones with --every")
    }
    for column in profile.columns { column.settle(window) }
    window = start
  }
}
