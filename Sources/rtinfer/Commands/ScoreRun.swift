// The loop of `score`: each row is taken up, judged, concluded and written, with a look at the clock between
// the layers.

import Core
import Decisions
import Measure
import Models

/// A model at work, with what it has decided so far.
final class Judge {
  let decider: Decider
  let version: String
  var times = LayerTimes()
  var decided = 0
  /// Of these, the ones by rows that had no input at all.
  var unfounded = 0
  /// By decision, label, or nothing.
  var kinds: [String: Int] = [:]
  /// Nanoseconds of the last decision, by layer.
  fileprivate var layers = [UInt64](repeating: 0, count: Layer.allCases.count)

  init(decider: Decider, version: String) {
    self.decider = decider
    self.version = version
  }

  /// - Parameter online: where features come from that a plain row does not bring.
  convenience init(_ declared: DeclaredModel, online: OnlineFeatures? = nil) throws(Failure) {
    self.init(
      decider: try Decider(
        declared.definition, model: declared.model, schema: declared.schema, online: online),
      version: declared.version)
  }
}

final class ScoreRun {
  private let judges: [Judge]
  private let output: OutputBuffer
  /// What it goes to, where that is gone on with.
  private let file: ResumableFile?
  /// Why the file cannot be gone on with, which is no fault of the row at hand.
  private var fault: Failure?
  private let rejects: Rejects
  private let clock: any Clock
  private let withMargin: Bool
  /// Between the cells of a table; nil where records are written.
  private let tableSeparator: UInt8?
  private let messages: Messages
  /// What becomes of a row once its inputs are gathered, where it is not decided and written.
  var onRow: ((Decider) -> Void)?
  let progress: Progress
  private(set) var rows = 0

  init(
    _ invocation: Invocation, judges: [Judge], rejects: Rejects, withMargin: Bool,
    tableSeparator: UInt8?, resumes file: ResumableFile? = nil
  ) {
    self.judges = judges
    self.output = file.map { OutputBuffer($0) } ?? invocation.output
    self.file = file
    self.messages = invocation.messages
    self.rejects = rejects
    self.clock = invocation.clock
    self.withMargin = withMargin
    self.tableSeparator = tableSeparator
    self.progress = Progress(invocation)
  }

  /// The table's first row, where a table is written.
  func writeHeader() throws(Failure) {
    guard let tableSeparator else { return }
    guard judges.count == 1 else {
      let names = judges.map(\.decider.name).joined(separator: ", ")
      throw .usage(
        "--to: a table is of one model, the project has \(judges.count): \(names)",
        hint: "name one with --model")
    }
    for (index, name) in judges[0].decider.columns(withMargin: withMargin).enumerated() {
      if index > 0 { output.append(tableSeparator) }
      output.appendCell(.text(Bytes(owning: name)), separator: tableSeparator)
    }
    output.append(UInt8(ascii: "\n"))
  }

  // MARK: Rows

  /// Scores all rows of one input.
  func score(_ reader: LineReader, format: String) throws(Failure) {
    switch format {
    case "csv": try scoreTable(reader, separator: UInt8(ascii: ","))
    case "tsv": try scoreTable(reader, separator: UInt8(ascii: "\t"))
    case "ndjson": try scoreLines(reader)
    default:
      if reader.source.name.hasSuffix(".csv") { return try score(reader, format: "csv") }
      if reader.source.name.hasSuffix(".tsv") { return try score(reader, format: "tsv") }
      // JSON rows are objects, so the first byte tells.
      let first = try reader.peekByte()
      let isJSON = first == nil || first == UInt8(ascii: "{") || first == UInt8(ascii: "[")
      try score(reader, format: isJSON ? "ndjson" : "csv")
    }
  }

  private func scoreLines(_ reader: LineReader) throws(Failure) {
    while let line = try reader.next() {
      rows += 1
      do throws(BadRecord) {
        if line.fault == .tooLong { throw BadRecord("longer than \(Limits.lineBytesMax) bytes") }
        for judge in judges { try take(line.bytes, judge) }
      } catch {
        try rejects.add(
          error.reason, source: reader.source.name, line: line.number, byte: line.offset,
          raw: line.bytes)
        continue
      }
      try endRow()
    }
  }

  private func endRow() throws(Failure) {
    if let fault { throw fault }
    if output.count >= Limits.writeBytes { try output.flush() }
    progress.advance()
  }

  private func take(_ line: Bytes, _ judge: Judge) throws(BadRecord) {
    let start = clock.monotonicNanoseconds()
    let decider = judge.decider
    let kind = try decider.read(line, padding: LineReader.padding)
    // Of several models each decides what is its own.
    if judges.count > 1, let type = decider.rowType, let own = decider.decides, !(type == own) {
      return
    }
    try decide(judge, kind, from: start)
  }

  private func scoreTable(_ reader: LineReader, separator: UInt8) throws(Failure) {
    let table = CSVReader(reader, separator: separator)
    guard let header = try table.next() else { return }
    guard case .success(let row) = header else {
      throw .badData("\(table.sourceName): the header row cannot be read")
    }
    let names = row.cells.map { $0.trimmed.string }
    let slots = judges.map { $0.decider.slots(ofColumns: names) }
    for judge in judges { try checkColumns(names, judge.decider, table.sourceName) }
    while let next = try table.next() {
      rows += 1
      switch next {
      case .failure(let fault):
        try rejects.add(
          fault.reason, source: table.sourceName, line: fault.line, byte: fault.offset,
          raw: fault.raw)
      case .success(let row):
        do throws(BadRecord) {
          guard row.cells.count == names.count else {
            throw BadRecord("\(row.cells.count) cells where the header has \(names.count)")
          }
          for (index, judge) in judges.enumerated() {
            let start = clock.monotonicNanoseconds()
            try judge.decider.read(cells: row.cells, slots: slots[index])
            try decide(judge, .plain, from: start)
          }
        } catch {
          try rejects.add(
            error.reason, source: table.sourceName, line: row.line, byte: row.offset, raw: row.raw)
        }
        try endRow()
      }
    }
  }

  /// A header that fits no input is the wrong table, or none at all; one that lacks some is worth a word.
  private func checkColumns(
    _ names: [String], _ decider: Decider, _ source: String
  ) throws(Failure) {
    let missing = decider.inputsMissing(inColumns: names)
    guard !missing.isEmpty else { return }
    let shown = missing.prefix(5).joined(separator: ", ") + (missing.count > 5 ? ", …" : "")
    guard missing.count < decider.inputNames.count else {
      throw .badData(
        "\(source): the header has none of the inputs of \(decider.name)",
        hint: "it takes \(shown); the first row must name the columns")
    }
    messages.note(
      "\(source): no column for \(missing.count) of \(decider.inputNames.count) inputs,"
        + " taken as missing values: \(shown)")
  }

  // MARK: Deciding

  private func decide(_ judge: Judge, _ kind: RowKind, from start: UInt64) throws(BadRecord) {
    let decider = judge.decider
    let earlier = decider.earlierLayers
    let read = clock.monotonicNanoseconds()
    try decider.gather(kind)
    if let file {
      guard let offset = decider.eventOffset else {
        throw BadRecord("no _rt.offset, by which --out knows what it holds")
      }
      do throws(Failure) {
        if try file.holds(offset, id: { decider.shownId }) { return }
      } catch {
        fault = error
        return
      }
    }
    if let onRow { return onRow(decider) }
    let gathered = clock.monotonicNanoseconds()
    decider.judge()
    decider.explain()
    let judged = clock.monotonicNanoseconds()
    decider.conclude(kind)
    let concluded = clock.monotonicNanoseconds()
    judge.layers[0] = earlier.request + read - start
    judge.layers[1] = earlier.features + gathered - read
    judge.layers[2] = judged - gathered
    judge.layers[3] = concluded - judged
    if let tableSeparator {
      decider.appendRow(on: output, separator: tableSeparator, withMargin: withMargin)
      judge.layers[4] = clock.monotonicNanoseconds() - concluded
    } else {
      decider.openRecord(
        on: output, kind,
        DecisionMarks(model: decider.name, version: judge.version, layers: judge.layers),
        withMargin: withMargin)
      judge.layers[4] = clock.monotonicNanoseconds() - concluded
      decider.closeRecord(on: output, responseNanoseconds: judge.layers[4])
    }
    output.append(UInt8(ascii: "\n"))
    judge.times.record(judge.layers)
    judge.decided += 1
    if decider.decision.missing == decider.inputNames.count { judge.unfounded += 1 }
    judge.kinds[kindName(decider), default: 0] += 1
  }

  private func kindName(_ decider: Decider) -> String {
    if let rule = decider.decision.rule { return decider.decisions[rule] }
    if let label = decider.decision.label {
      return decider.labels.indices.contains(label) ? decider.labels[label] : "class \(label)"
    }
    return ""
  }

  /// Rows without any input are scored as the library scores them, but hardly meant.
  private func noteUnfounded() {
    for judge in judges where judge.unfounded > 0 {
      let names = judge.decider.inputNames
      let shown = names.prefix(5).joined(separator: ", ") + (names.count > 5 ? ", …" : "")
      messages.note(
        "\(judge.unfounded.grouped) of \(judge.decided.grouped) rows have none of the inputs of"
          + " \(judge.decider.name), taken as missing values: \(shown)")
    }
  }

  /// Hands on what is ready.
  func passOn() throws(Failure) {
    try output.flush()
    try rejects.flush()
  }

  /// Hands on the rest, and makes it durable where later runs count on it.
  func finish() throws(Failure) {
    progress.finish()
    if let fault { throw fault }
    try passOn()
    noteUnfounded()
    guard let file else { return }
    try file.sync()
    if Signals.drainStatus == nil { try file.checkEnd() }
    messages.report(file)
  }

  // MARK: Summary

  /// For people: what was decided, how fast, and where the time went.
  func summary(budgets: [Budget]) -> String {
    let seconds = progress.elapsedSeconds
    let rate = Int(Double(rows) / max(seconds, 1e-9))
    var parts = [
      "\(rows.grouped) rows in \(seconds.fixed(2)) s, \(rate.grouped)/s;"
        + " \(rejects.count.grouped) rejected\n"
    ]
    for judge in judges {
      var text =
        "\(judge.decided.grouped) decisions of \(judge.decider.name) (\(judge.version))\n"
      let sorted = judge.kinds.sorted { ($1.value, $0.key) < ($0.value, $1.key) }
      for (kind, count) in sorted where !kind.isEmpty {
        let share = (Double(count) * 100 / Double(judge.decided)).fixed(1)
        let padding = String(repeating: " ", count: max(0, 12 - count.grouped.count))
        text += "  \(Help.padded(kind, 14))\(padding)\(count.grouped)  \(share) %\n"
      }
      let budget = budgets.first { $0.name == judge.decider.name }
      parts.append(text + "\n" + judge.times.table(budget))
    }
    return parts.joined(separator: "\n")
  }
}
