// One input of an intake: its records, the decoder that reads them, and the event at its head.

import Core

final class IntakeInput {
  let records: RecordInput
  let decoder: EventDecoder
  let partition: Int
  /// The event that waits for its turn; nil before the first and behind the last.
  var head: Event?
  /// What the head was read from.
  var record: InputRecord?
  /// That record's text.
  var line: Bytes { record?.text ?? .empty }
  var readAt: UInt64 = 0
  var decodedAt: UInt64 = 0
  var isStarted = false
  /// A rejected record that came back: its raw bytes. Nil for any other.
  var unwrapped: [UInt8]?
  /// Nil where events come as they are.
  private(set) var unwrapper: Unwrapper?
  /// What can be taken off, even if the records at hand are not wrapped.
  let layers: Unwrapper?
  /// Where the head came from, and which of the source partitions that is.
  var origin: EventOrigin?
  var sourcePartition: Int?
  /// Nil where nothing is private.
  let filter: PrivacyFilter?

  init(
    _ records: RecordInput, _ decoder: EventDecoder, _ partition: Int, _ unwrapper: Unwrapper?,
    _ filter: PrivacyFilter?
  ) {
    self.records = records
    self.decoder = decoder
    self.partition = partition
    self.unwrapper = unwrapper
    self.layers = unwrapper
    self.filter = filter
  }

  /// Takes up records that are handed over.
  func take(_ records: [Bytes], areWrapped: Bool) {
    layers?.clear()
    unwrapper = areWrapped ? layers : nil
    origin = nil
    sourcePartition = nil
    self.records.take(records)
  }

  /// The next record; nil at the end.
  func next() throws(Failure) -> InputRecord? {
    let next = try records.next()
    record = next
    if unwrapped != nil { unwrapped = nil }
    filter?.forget()
    return next
  }

  /// Decodes the record at hand.
  func decode(_ record: InputRecord) throws(BadRecord) -> Event {
    // A row is never one of ours.
    if !records.isTable { unwrapped = RejectedRecord.raw(in: record.text) }
    guard let raw = unwrapped else { return try decode(record.text, padding: LineReader.padding) }
    // The array lives in the input until its next record: what is borrowed from it is as good as a line.
    return try raw.withBytes { (bytes) throws(BadRecord) in try decode(bytes, padding: 0) }
  }

  /// Takes the record at hand out of its wrappings.
  func takeApart(_ record: InputRecord, _ unwrapper: Unwrapper) {
    if !records.isTable { unwrapped = RejectedRecord.raw(in: record.text) }
    if let raw = unwrapped {
      raw.withBytes { unwrapper.take($0, padding: 0) }
    } else {
      unwrapper.take(record.text, padding: LineReader.padding)
    }
  }

  private func decode(_ bytes: Bytes, padding: Int) throws(BadRecord) -> Event {
    guard let filter else { return try decoder.decode(bytes, padding: padding) }
    let hidden = try filter.hide(bytes, as: nil, padding: padding)
    return try decoder.decode(hidden, padding: LineReader.padding)
  }

  /// Why the record at hand cannot be read, and that its end may be missing where it may be.
  func explained(_ reason: String) -> String {
    record!.isUnterminated
      ? "\(reason) (the last line has no line end: it may be cut off)" : reason
  }

  /// Adds what is at hand to the rejects: as it came, or as it may be seen.
  func reject(_ reason: String, to rejects: Rejects) throws(Failure) {
    let record = record!
    func add(_ raw: Bytes?) throws(Failure) {
      try rejects.add(
        reason, source: records.name, line: record.line, byte: record.offset, raw: raw)
    }
    if let filter { return try add(filter.hidden) }
    if records.isTable { return try add(record.raw) }
    if let unwrapper, unwrapper.hasItem { return try add(unwrapper.raw) }
    // What is rejected again keeps its own bytes, so it can come back any number of times.
    guard let unwrapped else { return try add(record.raw) }
    try unwrapped.withBytes { (raw) throws(Failure) in try add(raw) }
  }
}
