// drift watch: one number of each record, and a word when the stream of them changes.

import Core
import Measure

enum DriftWatch {
  static let column = Flag(
    "column", .text("NAME"), "The column to watch, by path", default: "score")
  static let detector = Flag(
    "detector", .choice(DetectorKind.allCases.map(\.rawValue)), "How changes are found",
    default: "adwin")
  static let runLength = Flag(
    "run-length", .text("N"),
    "Values between two false alarms, on average, that the detector is set to")
  static let reference = Flag(
    "reference", .file,
    "A profile that says the column's mean and deviation (cusum, page-hinkley), or that windows are compared with"
  )

  static let command = Command(
    name: "drift watch",
    summary: "Say when a stream of numbers changes",
    story: """
      Reads records and follows one number, or true and false, in each. Prints an alert, at once, for each \
      change: the record and the time at which it was seen, and those at which it seems to have begun. Detectors: \
      adwin (a window that shrinks when its parts differ), cusum and page-hinkley (sums of deviations), kswin \
      (Kolmogorov–Smirnov on the newest values), and for a model's errors, 1 or true among 0 or false, ddm and eddm, \
      which also warn before.

      Adwin is made for values that spread over about one unit, and page-hinkley's own threshold is in units of the \
      values, too; with --run-length page-hinkley's values are first put in standard \
      deviations, as cusum always does: from the profile in --reference, else learned from the first 100 values. Ends \
      with 0 (no change), 1 (changes) or 5 (fewer than 100 values).

      With --every records are cut into windows of event time, and all columns of each, once it has closed, are compared \
      as drift check does: with the window before, the one that lies --against before (the same weekday: --every 1d \
      --against 7d), or --reference. An alert for each column that has drifted (change) or is worth watching (warning) \
      says since when; --level holds for each window. What comes for a window that has closed is left out and \
      counted, and a window that nothing has closed is not compared. A time more than 366 days ahead of the clock, which \
      would close all windows, is rejected. Ends with 5 where nothing was compared.
      """,
    operands: .files,
    flags: [column, detector, runLength, reference, DriftInput.format, DriftInput.time]
      + [DriftInput.timeUnit, DriftWatchWindows.every] + DriftWatchWindows.flags
      + CommonFlags.records,
    examples: [
      .init("rtinfer score events.ndjson | rtinfer drift watch", "Do scores change?"),
      .init(
        "rtinfer drift watch --column dep_delay --detector cusum --run-length 10000 departed.ndjson",
        "A false alarm in 10,000 flights."),
      .init(
        "rtinfer drift watch --every 1d --against 7d --columns dep_delay,origin departed.ndjson",
        "Each day against the same weekday a week before."),
    ],
    run: run)

  private static let valuesMin = 100

  private static func run(_ invocation: Invocation) throws(Failure) -> ExitStatus {
    let options = invocation.options
    if let every = try options.span(DriftWatchWindows.every, atLeast: .seconds(1)) {
      return try DriftWatchWindows.run(invocation, every: every)
    }
    try DriftWatchWindows.refuseFlags(options)
    let name = try options.value(column) ?? "score"
    let kind = DetectorKind(rawValue: try options.value(detector) ?? "adwin") ?? .adwin
    let length = try options.integer(runLength, in: 50...1_000_000_000).map(Double.init)
    guard
      let detector = kind.detector(runLength: length, known: try known(invocation, name, kind))
    else {
      throw .usage(
        "--run-length: \(kind.rawValue) has no such setting",
        hint: "adwin, cusum, kswin and page-hinkley have one")
    }
    let rejects = try Rejects(invocation)
    let follower = StreamFollower(name, kind, detector)
    let timeName = try options.value(DriftInput.time) ?? "time"
    var choice = ColumnReader.Choice()
    choice.only = [name]
    choice.time = timeName
    let sink = WatchedColumn(
      ColumnReader(choice), name: name, time: ColumnReader.name([timeName]),
      unit: try options.value(DriftInput.timeUnit).flatMap(TimeUnit.init(rawValue:)) ?? .rfc3339
    ) { (value, time) throws(Failure) in
      follower.add(value, at: time, to: invocation.output)
      // An alert does not wait for others.
      if invocation.output.count > 0 { try invocation.output.flush() }
    }
    let progress = Progress(invocation)
    for source in try invocation.inputs(options.operands) {
      try DriftInput.read(
        LineReader(source), try options.value(DriftInput.format) ?? "auto", sink, rejects, progress)
    }
    progress.finish()
    let status = try rejects.finish(total: progress.count)
    if follower.changes > 0 { return .verdictNo }
    guard follower.values >= valuesMin else {
      invocation.messages.note(
        "\(follower.values) values of '\(name)', \(valuesMin) are needed")
      return .inconclusive
    }
    return status
  }

  private static func known(
    _ invocation: Invocation, _ name: String, _ kind: DetectorKind
  ) throws(Failure) -> (mean: Double, deviation: Double)? {
    guard let path = try invocation.options.value(reference) else { return nil }
    guard kind == .cusum || kind == .pageHinkley else {
      throw .usage(
        "--reference: \(kind.rawValue) needs no mean and deviation",
        hint: "--detector cusum or page-hinkley")
    }
    let profile = try DriftProfile.read(path, invocation)
    guard let moments = profile[name]?.moments, let variance = moments.variance, variance > 0 else {
      throw .usage("\(path): no number column '\(name)' whose values differ")
    }
    return (moments.mean, variance.squareRoot())
  }
}

/// Takes one column's numbers, with their times, out of records.
final class WatchedColumn: RecordSink {
  private let reader: ColumnReader
  private let name: String
  private let time: String
  private let unit: TimeUnit
  private let onValue: (Double, Timestamp?) throws(Failure) -> Void

  init(
    _ reader: ColumnReader, name: String, time: String, unit: TimeUnit,
    onValue: @escaping (Double, Timestamp?) throws(Failure) -> Void
  ) {
    self.reader = reader
    self.name = name
    self.time = time
    self.unit = unit
    self.onValue = onValue
  }

  func add(_ line: Bytes, padding: Int) throws(BadRecord) {
    try reader.read(line, padding: padding)
  }
  func addHeader(_ row: CSVRow, source: String) throws(Failure) {
    try reader.readHeader(row, source: source)
  }
  func add(cells: UnsafeBufferPointer<Bytes>) throws(BadRecord) { try reader.read(cells: cells) }

  func endRecord() throws(Failure) {
    var value: Double?
    var at: Timestamp?
    for cell in reader.cells {
      if reader.names[cell.column] == name {
        switch cell.value {
        case .number(let number): value = number
        case .flag(let flag): value = flag ? 1 : 0
        default: break
        }
      }
      if reader.names[cell.column] == time { at = unit.timestamp(cell.value) }
    }
    if let value { try onValue(value, at) }
  }
}
