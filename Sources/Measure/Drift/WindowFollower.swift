// A stream cut into windows of event time, each of which is compared, once it has closed, with one that lies before it
// (the day before, the same hour a day ago, the same weekday) or with a profile that never changes.
//
//     ──┤ Monday ├──┤ Tuesday ├──┤ Wednesday ├──▶ time
//           ▲             │ closes when a record comes that is later than its end and what may be late
//           └─ compared ──┘
//
// Memory: the profiles of the open windows, and of those that others will be compared with.

public import Core

public final class WindowFollower {
  /// What windows are compared with.
  public enum Comparison {
    case reference(Profile, name: String)
    /// The window that begins so much earlier; a whole number of windows.
    case earlier(by: TimeSpan)
  }

  /// A window that has closed, and what was found if there was something to compare it with.
  public struct Closed {
    public let start: Timestamp
    public let end: Timestamp
    public let records: Int64
    /// What it was compared with.
    public let against: String
    public let report: DriftReport?
  }

  private let reader: ColumnReader
  private let length: TimeSpan
  private let lateness: TimeSpan
  private let comparison: Comparison
  private let rules: DriftRules
  private let timeName: String
  private let unit: TimeUnit
  private let clock: any Clock
  private let onClosed: (Closed) throws(Failure) -> Void
  private var open: [Timestamp: Profile] = [:]
  private var closed: [Timestamp: Profile] = [:]
  private var latest = Timestamp.distantPast
  /// Where the clock stood when it was last asked.
  private var wallClock = Timestamp.distantPast
  /// Where the earliest window begins that is still open.
  private var horizon = Timestamp.distantPast
  public private(set) var windows = 0
  /// Those of which something could be said.
  public private(set) var compared = 0
  public private(set) var drifted = 0
  /// Records of windows that had closed.
  public private(set) var late = 0

  /// - Parameters:
  ///   - time: the top-level member with the event time, which is not compared itself.
  ///   - every: the length of a window, aligned to the epoch.
  ///   - clock: records of a time far ahead of it are refused: they would close all windows.
  ///   - lateness: for how long of event time a window is kept open beyond its end.
  public init(
    _ choice: ColumnReader.Choice, time: String, unit: TimeUnit, every: TimeSpan,
    lateness: TimeSpan, _ comparison: Comparison, _ rules: DriftRules, clock: any Clock,
    onClosed: @escaping (Closed) throws(Failure) -> Void
  ) {
    var choice = choice
    choice.time = time
    reader = ColumnReader(choice)
    timeName = ColumnReader.name([time])
    (self.unit, length, self.lateness) = (unit, every, lateness)
    (self.comparison, self.rules, self.onClosed) = (comparison, rules, onClosed)
    self.clock = clock
    if case .reference(let profile, _) = comparison {
      profile.keep { [timeName] in $0 != timeName }
    }
  }

  /// One line of JSON.
  public func add(_ line: Bytes, padding: Int) throws(BadRecord) {
    try reader.read(line, padding: padding)
    try count()
  }

  public func addHeader(_ row: CSVRow, source: String) throws(Failure) {
    try reader.readHeader(row, source: source)
  }

  public func add(cells: UnsafeBufferPointer<Bytes>) throws(BadRecord) {
    try reader.read(cells: cells)
    try count()
  }

  /// Where windows begin that no record has closed; they are never compared, as more may come.
  public var openStarts: [Timestamp] { open.keys.sorted() }

  private func count() throws(BadRecord) {
    let cells = reader.cells
    guard let cell = cells.first(where: { reader.names[$0.column] == timeName }),
      let time = unit.timestamp(cell.value)
    else { throw BadRecord("the member '\(timeName)' is not a time (\(unit.rawValue))") }
    try refuseFuture(time)
    let start = time.roundedDown(to: length)
    guard start >= horizon else {
      late += 1
      return
    }
    let profile = open[start] ?? Profile()
    if profile.records == 0 { open[start] = profile }
    for name in reader.names[profile.columns.count...] {
      profile.append(ColumnProfile(name, like: fixed?[name]))
    }
    profile.records += 1
    profile.since = profile.since.map { min($0, time) } ?? time
    profile.until = profile.until.map { max($0, time) } ?? time
    for cell in cells { profile.columns[cell.column].add(cell.value, window: nil) }
    latest = max(latest, time)
  }

  /// Wrong units and years make such times; what is scheduled may well lie some months ahead.
  public static let futureSkew = TimeSpan.days(366)

  /// The clock is asked only for records that would be ahead of it when it was last asked.
  private func refuseFuture(_ time: Timestamp) throws(BadRecord) {
    if time <= wallClock + WindowFollower.futureSkew { return }
    wallClock = clock.now()
    guard time > wallClock + WindowFollower.futureSkew else { return }
    throw BadRecord(
      "from the future: its time \(time.rfc3339) is more than \(WindowFollower.futureSkew.description)"
        + " ahead of the clock")
  }

  /// The reference whose edges are used, so that large columns are counted exactly.
  private var fixed: Profile? {
    if case .reference(let profile, _) = comparison { return profile }
    return nil
  }

  /// Closes the windows that the last record has left behind, the earliest first.
  public func closeWindows() throws(Failure) {
    guard latest - lateness >= horizon + length || horizon == .distantPast else { return }
    let reached = (latest - lateness).roundedDown(to: length)
    for start in open.keys.filter({ $0 < reached }).sorted() {
      try close(start, open.removeValue(forKey: start)!)
    }
    horizon = max(horizon, reached)
  }

  private func close(_ start: Timestamp, _ profile: Profile) throws(Failure) {
    for column in profile.columns { column.finish(nil) }
    // A column of other windows is not there in this one.
    profile.keep { [timeName] name in
      name != timeName && profile[name].map { $0.kinds.values + $0.kinds.nulls > 0 } ?? false
    }
    windows += 1
    let (reference, name) = counterpart(of: start)
    let report = reference.map { DriftReport($0, profile, rules) }
    if let report, report.verdict != .insufficient { compared += 1 }
    if report?.verdict == .drift { drifted += 1 }
    if case .earlier(let span) = comparison {
      closed[start] = profile
      closed = closed.filter { $0.key + span > start }
    }
    try onClosed(
      Closed(
        start: start, end: start + length, records: profile.records, against: name, report: report))
  }

  private func counterpart(of start: Timestamp) -> (Profile?, name: String) {
    switch comparison {
    case .reference(let profile, let name): (profile, name)
    case .earlier(let span): (closed[start - span], DriftReport.text(start - span))
    }
  }
}

extension WindowFollower.Closed {
  /// An alert for each column that is worth watching or has drifted, the worst first.
  public func appendAlerts(to output: OutputBuffer) {
    guard let report else { return }
    for column in report.sorted where column.verdict >= .watch {
      output.append("{\"kind\":\"alert\",\"what\":")
      output.appendQuoted("drift(\(column.name))")
      output.append(",\"action\":")
      output.appendQuoted(column.verdict == .drift ? "change" : "warning")
      for (name, text) in [
        ("since", DriftReport.text(start)), ("until", DriftReport.text(end)), ("against", against),
      ] {
        output.append(",\"\(name)\":")
        output.appendQuoted(text)
      }
      output.append(",\"n\":")
      output.append(column.currentCount)
      output.append(",\"measure\":")
      output.appendQuoted(report.rules.measure.rawValue)
      let numbers: [(String, Double?)] = [
        ("value", column.effect),
        ("bound", column.verdict == .drift ? report.rules.driftAt : report.rules.watchAt),
        ("before", column.referenceMoments.flatMap { $0.count > 0 ? $0.mean : nil }),
        ("mean", column.currentMoments.flatMap { $0.count > 0 ? $0.mean : nil }),
      ]
      for case (let name, let value?) in numbers {
        output.append(",\"\(name)\":")
        output.append(value)
      }
      output.append(",\"why\":")
      output.appendQuoted(column.why)
      output.append("}\n")
    }
  }
}
