// What a log's events say of the source partitions that they came from. The log itself is the record; a file
// beside it sums up what was read of it before, so that only what is new need be read again.
//
//     sources    {"format":"rtinfer-sources","version":1,"offset":91204,"epoch":3}
//                {"source":"departures","partition":0,"seen":[0,4711,4712,90200]}
//                CRC-32C of all before, in hexadecimal
//
// It is written only by the log's writer, of what is on the disk already, and never believed beyond the log.

public import Core

extension SourcePartitions {
  /// All that a log's events say.
  ///
  /// - Parameter keepsSummary: write down what was read; only for the log's writer.
  /// - Complexity: O(bytes of the log since the last summary).
  public convenience init(
    log path: String, files: any FileSystem, keepsSummary: Bool
  ) throws(Failure) {
    self.init()
    let folder = LogFolder(path: path, files: files)
    var reader: LogReader
    do throws(Failure) {
      var position = try readSummary(folder)
      // What retention has removed since cannot be read any more.
      if let first = try folder.bases().first, position.offset < first {
        position = LogPosition(offset: first)
      }
      reader = try LogReader(path, after: position, files: files)
      try read(reader)
    } catch {
      // A log that is not the one the summary was made of: it lost events, or others were written. What is
      // wrong with the log itself comes up again.
      forgetAll()
      reader = try LogReader(path, files: files)
      try read(reader)
    }
    if keepsSummary, !partitions.isEmpty { try writeSummary(folder, reader.end) }
  }

  private func read(_ reader: LogReader) throws(Failure) {
    let marks = OriginMarks()
    while let events = try reader.next() {
      events.visit { event in
        guard let origin = marks.read(event.line), let offset = origin.offset else { return }
        _ = see(offset, at: index(origin.source, origin.partition ?? 0))
      }
    }
  }

  // MARK: The summary

  private func readSummary(_ folder: LogFolder) throws(Failure) -> LogPosition {
    let start = LogPosition(offset: 0)
    guard folder.files.exists(folder.sources) else { return start }
    let bytes = try folder.files.contents(
      of: folder.sources, bytesMax: Limits.sourceOffsetsBytesMax)
    return take(bytes) ?? start
  }

  /// Nil, and nothing taken, where the file is not whole.
  private func take(_ bytes: [UInt8]) -> LogPosition? {
    let text = String(decoding: bytes, as: UTF8.self)
    var lines = text.split(separator: "\n", omittingEmptySubsequences: false)
    guard lines.count >= 3, lines.removeLast().isEmpty else { return nil }
    let checksum = lines.removeLast()
    let body = lines.map { "\($0)\n" }.joined()
    guard Array(body.utf8).withBytes({ CRC32C.of($0) }) == UInt32(checksum, radix: 16) else {
      return nil
    }
    var plan = FieldPlan()
    let slots = ["format", "version", "offset", "epoch", "source", "partition", "seen"].map {
      plan.slot([$0])
    }
    let scanner = RecordScanner(plan)
    var position: LogPosition?
    for line in lines {
      let isTaken = Array(line.utf8).withBytes { (line) -> Bool in
        guard (try? scanner.scan(line)) != nil else { return false }
        if position == nil {
          position = SourcePartitions.position(scanner, slots)
          return position != nil
        }
        return takePartition(scanner, slots)
      }
      guard isTaken else {
        forgetAll()
        return nil
      }
    }
    return position
  }

  private static func position(_ scanner: RecordScanner, _ slots: [Int]) -> LogPosition? {
    guard scanner.isString(slots[0]), scanner.text(slots[0]) == "rtinfer-sources",
      scanner.integer(slots[1]) == 1, let offset = scanner.integer(slots[2])
    else { return nil }
    return LogPosition(
      offset: offset, epoch: scanner.integer(slots[3]).flatMap { UInt32(exactly: $0) })
  }

  private func takePartition(_ scanner: RecordScanner, _ slots: [Int]) -> Bool {
    guard scanner.isString(slots[4]), let number = scanner.integer(slots[5]) else { return false }
    let array = scanner.raw(slots[6]).bytes.string.dropFirst().dropLast()
    let bounds = array.split(separator: ",").compactMap { Int64($0) }
    let ranges = stride(from: 0, to: bounds.count - 1, by: 2).compactMap { place in
      bounds[place] < bounds[place + 1] ? bounds[place]..<bounds[place + 1] : nil
    }
    guard ranges.count * 2 == bounds.count, let seen = OffsetSet(ranges) else { return false }
    restore(scanner.text(slots[4]).string, number, seen)
    return true
  }

  private func writeSummary(_ folder: LogFolder, _ end: LogPosition) throws(Failure) {
    let output = OutputBuffer(MemorySink())
    output.append("{\"format\":\"rtinfer-sources\",\"version\":1,\"offset\":")
    output.append(end.offset)
    if let epoch = end.epoch {
      output.append(",\"epoch\":")
      output.append(Int64(epoch))
    }
    output.append("}\n")
    for partition in partitions {
      output.append("{\"source\":")
      output.appendQuoted(partition.source)
      output.append(",\"partition\":")
      output.append(partition.number)
      output.append(",\"seen\":[")
      for (number, range) in partition.seen.ranges.enumerated() {
        if number > 0 { output.append(UInt8(ascii: ",")) }
        output.append(range.lowerBound)
        output.append(UInt8(ascii: ","))
        output.append(range.upperBound)
      }
      output.append("]}\n")
    }
    output.append(String(CRC32C.of(output.pending), radix: 16))
    output.append(UInt8(ascii: "\n"))
    try AtomicFile.write(output.pending, to: folder.sources, in: folder.files)
  }
}

/// Reads of a logged line where its event came from.
final class OriginMarks {
  private let scanner: RecordScanner
  private let source, partition, offset, id: Int

  init() {
    var plan = FieldPlan()
    source = plan.slot(["_rt", "source"])
    partition = plan.slot(["_rt", "partition"])
    offset = plan.slot(["_rt", "source_offset"])
    id = plan.slot(["_rt", "source_id"])
    scanner = RecordScanner(plan)
  }

  /// Nil where the line names no source; borrowed until the next one.
  func read(_ line: Bytes) -> EventOrigin? {
    // Most logs have events that came as they are.
    guard line.contains(OriginMarks.sign) else { return nil }
    guard (try? scanner.scan(line[0..<line.count - 1])) != nil else { return nil }
    var origin = EventOrigin()
    if scanner.isString(source) { origin.source = scanner.text(source) }
    if scanner.isString(id) { origin.id = scanner.text(id) }
    origin.partition = scanner.integer(partition)
    origin.offset = scanner.integer(offset)
    return origin
  }

  private static let sign = Bytes("\"source_")
}
