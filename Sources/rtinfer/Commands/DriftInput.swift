// What the verbs of drift that read records have in common: which columns, where the time is, and the loop.

import Core
import Measure

/// What becomes of records, be they lines of JSON or rows of a table.
protocol RecordSink {
  func add(_ line: Bytes, padding: Int) throws(BadRecord)
  func addHeader(_ row: CSVRow, source: String) throws(Failure)
  func add(cells: UnsafeBufferPointer<Bytes>) throws(BadRecord)
  /// After each record that was taken.
  func endRecord() throws(Failure)
}

extension ProfileBuilder: RecordSink {
  func endRecord() {}
}

enum DriftInput {
  static let format = Flag(
    "format", .choice(["auto", "ndjson", "csv", "tsv"]),
    "How records are written; auto goes by the file's name, else by the first byte",
    default: "auto")
  static let columns = Flag(
    "columns", .text("NAME,…"), "Only these columns, by path; names with commas cannot be listed")
  static let without = Flag("without", .text("NAME,…"), "Not these columns")
  static let under = Flag(
    "under", .text("MEMBER"),
    "Only what is inside this member, named without it: features, or a decision's inputs")
  static let time = Flag(
    "time", .text("NAME"), "The top-level member with the event time", default: "time")
  static let timeUnit = Flag(
    "time-unit", .choice(TimeUnit.allCases.map(\.rawValue)), "How the time is written",
    default: "rfc3339")
  static let every = Flag(
    "every", .text("SPAN"),
    "Keep means by windows of this length of event time, aligned to the epoch: 1h, 1d")

  static let flags = [format, columns, without, under, time, timeUnit]

  static func choice(_ options: Options) throws(Failure) -> ColumnReader.Choice {
    var choice = ColumnReader.Choice()
    func list(_ flag: Flag) throws(Failure) -> Set<String>? {
      try options.value(flag).map { Set($0.split(separator: ",").map(String.init)) }
    }
    choice.only = try list(columns)
    choice.without = try list(without) ?? []
    choice.under = try options.value(under).map { [$0] } ?? []
    return choice
  }

  /// Reads all inputs into a profile.
  static func profile(
    _ invocation: Invocation, _ names: [String], like reference: Profile? = nil, _ rejects: Rejects
  ) throws(Failure) -> (profile: Profile, records: Int) {
    let options = invocation.options
    let every = try options.span(self.every, atLeast: TimeSpan(microseconds: 1_000_000))
    let builder = ProfileBuilder(
      try choice(options), like: reference, time: try options.value(time) ?? "time",
      unit: try options.value(timeUnit).flatMap(TimeUnit.init(rawValue:)) ?? .rfc3339,
      every: every ?? reference?.window)
    let progress = Progress(invocation)
    let format = try options.value(format) ?? "auto"
    for source in try invocation.inputs(names) {
      try read(LineReader(source), format, builder, rejects, progress)
    }
    progress.finish()
    let profile = builder.finish()
    try checkChoice(options, profile)
    return (profile, progress.count)
  }

  /// Columns that were asked for and are nowhere are a mistake of who asks, not a finding.
  private static func checkChoice(_ options: Options, _ profile: Profile) throws(Failure) {
    guard profile.records > 0, profile.columns.isEmpty else { return }
    for flag in [columns, under] {
      guard let text = try options.value(flag) else { continue }
      let what = flag.name == under.name ? "member with columns" : "column"
      throw .usage("\(options.origin(flag)): no record has a \(what) '\(text)'")
    }
  }

  static func read(
    _ reader: LineReader, _ format: String, _ sink: any RecordSink, _ rejects: Rejects,
    _ progress: Progress
  ) throws(Failure) {
    switch format {
    case "csv": try readTable(reader, UInt8(ascii: ","), sink, rejects, progress)
    case "tsv": try readTable(reader, UInt8(ascii: "\t"), sink, rejects, progress)
    case "ndjson": try readLines(reader, sink, rejects, progress)
    default:
      for ending in ["csv", "tsv"] where reader.source.name.hasSuffix(".\(ending)") {
        return try read(reader, ending, sink, rejects, progress)
      }
      // Records are objects, so the first byte tells.
      let first = try reader.peekByte()
      let isJSON = first == nil || first == UInt8(ascii: "{") || first == UInt8(ascii: "[")
      try read(reader, isJSON ? "ndjson" : "csv", sink, rejects, progress)
    }
  }

  private static func readLines(
    _ reader: LineReader, _ sink: any RecordSink, _ rejects: Rejects, _ progress: Progress
  ) throws(Failure) {
    while let line = try reader.next() {
      progress.advance()
      do throws(BadRecord) {
        if line.fault == .tooLong { throw BadRecord("longer than \(Limits.lineBytesMax) bytes") }
        try sink.add(line.bytes, padding: LineReader.padding)
      } catch {
        try rejects.add(
          error.reason, source: reader.source.name, line: line.number, byte: line.offset,
          raw: line.bytes)
        continue
      }
      try sink.endRecord()
    }
  }

  private static func readTable(
    _ reader: LineReader, _ separator: UInt8, _ sink: any RecordSink, _ rejects: Rejects,
    _ progress: Progress
  ) throws(Failure) {
    let table = CSVReader(reader, separator: separator)
    guard let header = try table.next() else { return }
    guard case .success(let row) = header else {
      throw .badData("\(table.sourceName): the header row cannot be read")
    }
    try sink.addHeader(row, source: table.sourceName)
    while let next = try table.next() {
      progress.advance()
      switch next {
      case .failure(let fault):
        try rejects.add(
          fault.reason, source: table.sourceName, line: fault.line, byte: fault.offset,
          raw: fault.raw)
      case .success(let row):
        do throws(BadRecord) {
          try sink.add(cells: row.cells)
        } catch {
          try rejects.add(
            error.reason, source: table.sourceName, line: row.line, byte: row.offset, raw: row.raw)
          continue
        }
        try sink.endRecord()
      }
    }
  }
}
