// The files that --table names, read into memory before the first event: each row becomes a record of its view's table,
// checked like an event; what cannot be read goes to the rejects.
//
//     --table customers.csv                              the project has one view that draws from a table
//     --table customer=customers.csv,shop=shops.ndjson   it has several

import Core
import Features

struct TableFiles {
  /// In the order of the project file's views.
  private(set) var all: [TableRows] = []
  private(set) var rowsRead = 0
  private let rejects: Rejects

  init(
    _ invocation: Invocation, _ features: FeatureDefinitions, _ rejects: Rejects
  ) throws(Failure) {
    self.rejects = rejects
    let flag = MaterializeCommand.table
    let origin = invocation.options.origin(flag)
    let files = try TableFiles.files(
      try invocation.options.value(flag) ?? "", origin, features.tables.map(\.name))
    for view in features.tables {
      guard let file = files.first(where: { $0.view == view.name }) else {
        throw .usage(
          "the view '\(view.name)' draws from a table, and no file is named for it",
          hint: "name it with --table \(view.name)=FILE")
      }
      all.append(try read(file.path, TableRows(view)))
    }
  }

  private static func files(
    _ text: String, _ origin: String, _ views: [String]
  ) throws(Failure) -> [(view: String, path: String)] {
    var files: [(view: String, path: String)] = []
    for part in text.split(separator: ",") {
      let pieces = part.split(separator: "=", maxSplits: 1).map(String.init)
      if views.isEmpty {
        throw .usage("\(origin): no view of the project draws from a table")
      }
      var view = views[0]
      if pieces.count == 2 {
        view = pieces[0]
      } else if views.count > 1 {
        throw .usage(
          "\(origin): '\(part)' does not say whose table it is",
          hint: "write \(views.map { "\($0)=FILE" }.joined(separator: ","))")
      }
      guard views.contains(view) else {
        throw .usage(
          "\(origin): no view '\(view)' draws from a table",
          hint: Spelling.nearest(view, among: views).map { "did you mean '\($0)'?" }
            ?? "declared: \(views.joined(separator: ", "))")
      }
      if files.contains(where: { $0.view == view }) {
        throw .usage("\(origin): names two files for the view '\(view)'")
      }
      files.append((view, pieces[pieces.count - 1]))
    }
    return files
  }

  // MARK: Rows

  private mutating func read(_ path: String, _ rows: TableRows) throws(Failure) -> TableRows {
    let reader = LineReader(try DescriptorSource.file(path))
    if path.hasSuffix(".csv") { return try read(reader, separator: UInt8(ascii: ","), rows) }
    if path.hasSuffix(".tsv") { return try read(reader, separator: UInt8(ascii: "\t"), rows) }
    while let line = try reader.next() {
      rowsRead += 1
      do throws(BadRecord) {
        if line.fault == .tooLong { throw BadRecord("longer than \(Limits.lineBytesMax) bytes") }
        try rows.add(line.bytes, padding: LineReader.padding)
      } catch {
        try reject(error.reason, rows, path, line.number, line.offset, line.bytes)
      }
    }
    return rows
  }

  private mutating func read(
    _ reader: LineReader, separator: UInt8, _ rows: TableRows
  ) throws(Failure) -> TableRows {
    let fields = rows.view.fields
    let records = try CSVRecords(reader, separator: separator) { name in
      fields.first { $0.name == name }
    }
    while let next = try records.next() {
      rowsRead += 1
      switch next {
      case .failure(let fault):
        try reject(
          fault.reason, rows, records.sourceName, fault.line, fault.offset, fault.raw)
      case .success(let record):
        do throws(BadRecord) {
          try rows.add(record.json, padding: LineReader.padding)
        } catch {
          try reject(
            error.reason, rows, records.sourceName, record.line, record.offset, record.raw)
        }
      }
    }
    return rows
  }

  private func reject(
    _ reason: String, _ rows: TableRows, _ source: String, _ line: Int, _ byte: Int, _ raw: Bytes
  ) throws(Failure) {
    try rejects.add(
      "table of \(rows.view.name): \(reason)", source: source, line: line, byte: byte, raw: raw)
  }
}
