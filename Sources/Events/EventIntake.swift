// The way every event comes in: lines from one or several inputs are decoded, merged by event time under one
// watermark, and told apart: accepted, rejected (malformed, late, from the future) or a repeat.
//
//     a.ndjson ─ decoder ─┐  head 10:02
//     b.ndjson ─ decoder ─┼─ earliest head first ─▶ late? future? repeat? ─▶ offset, watermark
//     stdin ──── decoder ─┘  head 10:05
//
// Each input has a decoder of its own, so the heads that wait for their turn stay borrowed from their
// buffers and nothing is copied. Where marks are trusted, an event that carries one keeps its offset and
// watermark and is not judged again.

public import Core

/// An accepted event. Borrowed until the next one is asked for.
public struct Arrival {
  public let event: Event
  public let decoder: EventDecoder
  /// Dense, from 0, in order of arrival.
  public let offset: Int64
  public let watermark: Timestamp
  /// Which input it came from.
  public let partition: Int
  /// Where its wrapping says that it came from; nil for an event that came as it is.
  public let origin: EventOrigin?
  /// When its line was taken up and when it was decoded, on the monotonic clock; 0 unless timing is on.
  public let readAt: UInt64
  public let decodedAt: UInt64
}

public final class EventIntake {
  public struct Counts: Sendable {
    public var read = 0
    public var accepted = 0
    public var repeats = 0
    /// Records that say only that a key is gone.
    public var tombstones = 0
  }

  private final class Input {
    let reader: LineReader
    let decoder: EventDecoder
    let partition: Int
    var head: Event?
    var line: Line?
    var readAt: UInt64 = 0
    var decodedAt: UInt64 = 0
    var isStarted = false
    /// A rejected record that came back: its raw bytes. Nil for any other line.
    var unwrapped: [UInt8]?
    /// Nil where events come as they are.
    let unwrapper: Unwrapper?
    /// Where the head came from, and which of the source partitions that is.
    var origin: EventOrigin?
    var sourcePartition: Int?
    /// Nil where nothing is private.
    let filter: PrivacyFilter?

    init(
      _ reader: LineReader, _ decoder: EventDecoder, _ partition: Int, _ unwrapper: Unwrapper?,
      _ filter: PrivacyFilter?
    ) {
      self.reader = reader
      self.decoder = decoder
      self.partition = partition
      self.unwrapper = unwrapper
      self.filter = filter
    }
  }

  public private(set) var counts = Counts()
  /// Of the events that were judged here, the late ones included; repeats do not count.
  public private(set) var lateness = LatenessStatistics()
  private let schema: EventSchema
  private let rejects: Rejects
  private let clock: any Clock
  private let isTimed: Bool
  /// Whether marks are taken at their word; whoever reads a line again must do the same.
  public let trustsMarks: Bool
  private let inputs: [Input]
  private var watermark: Watermark
  private var deduplicators: [Deduplicator?]
  private var sources = SourcePartitions()
  /// By source partition: its place in the watermark, and the input that it came from.
  private var sourcePlaces: [(watermark: Int, input: Int)] = []
  private var identity: [UInt8] = []
  private var nextOffset: Int64 = 0
  private var current: Input?
  private var wallClock = Timestamp.distantPast

  /// - Parameters:
  ///   - trustsMarks: events that ingest has marked are not judged again. Only a single input is taken
  ///     at its word: of several, no one's watermark speaks for the others.
  ///   - layers: what events are wrapped in.
  ///   - idle: how far a source partition may fall behind the others and still hold the watermark back.
  ///   - privacy: how private members are hidden; nil: they have been.
  ///   - isTimed: note when each line was read and decoded.
  ///   - beforeWaiting: called before a read that would wait, to pass on what is ready.
  public init(
    _ sources: [any ByteSource], schema: EventSchema, rejects: Rejects, clock: any Clock,
    trustsMarks: Bool, layers: EnvelopeLayers = .layers([]), idle: TimeSpan? = nil,
    privacy: Privacy? = nil, isTimed: Bool = false,
    beforeWaiting: @escaping () throws(Failure) -> Void
  ) {
    self.schema = schema
    self.rejects = rejects
    self.clock = clock
    self.isTimed = isTimed
    let trusts = trustsMarks && sources.count == 1
    self.trustsMarks = trusts
    // Decoders are made first to last: the first completes the plan, the others find it complete.
    self.inputs = sources.enumerated().map { partition, source in
      let reader = LineReader(source)
      reader.beforeWaiting = beforeWaiting
      return Input(
        reader, EventDecoder(schema, trustsMarks: trusts), partition,
        layers == .layers([]) ? nil : Unwrapper(layers, schema),
        privacy.flatMap { PrivacyFilter($0, schema) })
    }
    let lateness = schema.types.map(\.lateness).max()!
    self.watermark = Watermark(partitions: sources.count, lateness: lateness, idle: idle)
    self.deduplicators = schema.types.map { type in
      type.dedup.map { Deduplicator(stretch: $0, lateness: lateness) }
    }
  }

  /// Goes on behind events that an earlier run has accepted.
  func resume(at offset: Int64, watermark: Timestamp) {
    nextOffset = offset
    self.watermark.raise(to: watermark)
  }

  /// Source partitions as an earlier run has left them.
  func resume(_ partitions: SourcePartitions) { sources = partitions }

  /// An event that an earlier run has accepted: it is known if it comes again.
  func remember(_ event: Event, _ origin: EventOrigin?) {
    _ = withIdentity(event, origin) { deduplicators[event.type]?.isRepeat($0, at: event.time) }
  }

  /// Events come in wrappings, so what is remembered of them must be read from their marks.
  var unwraps: Bool { inputs.contains { $0.unwrapper != nil } }

  /// For how long the ids of events before the watermark are worth knowing; nil if they are not at all.
  var memory: TimeSpan? {
    guard let stretch = schema.types.compactMap(\.dedup).max() else { return nil }
    let lateness = schema.types.map(\.lateness).max()!
    return TimeSpan(microseconds: stretch.microseconds + lateness.microseconds)
  }

  /// The watermark after the last event that was handed out.
  public var currentWatermark: Timestamp { watermark.current }

  /// The next event that is accepted, or nil at the end.
  public func next() throws(Failure) -> Arrival? {
    while true {
      if let done = current {
        current = nil
        try advance(done)
      } else {
        for input in inputs where !input.isStarted { try advance(input) }
      }
      guard let input = earliest() else { return nil }
      current = input
      if let arrival = try judge(input) { return arrival }
    }
  }

  private func earliest() -> Input? {
    if inputs.count == 1 { return inputs[0].head == nil ? nil : inputs[0] }
    var best: Input?
    for input in inputs {
      guard let head = input.head else { continue }
      if let known = best?.head, known.time <= head.time { continue }
      best = input
    }
    return best
  }

  // MARK: Reading

  /// Reads on until the input has an event at its head or ends.
  private func advance(_ input: Input) throws(Failure) {
    input.isStarted = true
    input.head = nil
    if let unwrapper = input.unwrapper { return try advance(input, unwrapper) }
    while let line = try input.reader.next() {
      counts.read += 1
      input.line = line
      input.unwrapped = nil
      input.filter?.forget()
      if line.fault == .tooLong {
        try reject("longer than \(Limits.lineBytesMax) bytes; only its beginning is kept", input)
        continue
      }
      if isTimed { input.readAt = clock.monotonicNanoseconds() }
      do throws(BadRecord) {
        let event = try decode(line.bytes, input)
        if isTimed { input.decodedAt = clock.monotonicNanoseconds() }
        input.head = event
        if event.mark == nil, !isFuture(event) {
          watermark.observe(event.time, partition: input.partition)
        }
        return
      } catch {
        input.head = nil
        try reject(truncated(line, error.reason), input)
      }
    }
    watermark.end(partition: input.partition)
  }

  /// The same for events that are wrapped.
  private func advance(_ input: Input, _ unwrapper: Unwrapper) throws(Failure) {
    while true {
      guard let next = unwrapper.next() else {
        guard try takeApart(input, unwrapper) else { break }
        continue
      }
      counts.read += 1
      input.origin = nil
      input.filter?.forget()
      do throws(BadRecord) {
        guard case .event(let content, let type) = next else {
          guard case .problem(let reason) = next else { continue }
          throw BadRecord(reason)
        }
        if isTimed { input.readAt = clock.monotonicNanoseconds() }
        let event = try input.decoder.decode(
          try input.filter?.hide(content, as: type, padding: LineReader.padding) ?? content,
          as: type, padding: LineReader.padding)
        if isTimed { input.decodedAt = clock.monotonicNanoseconds() }
        input.head = event
        input.origin = unwrapper.origin
        observe(event, input)
        return
      } catch {
        input.head = nil
        try reject(truncated(input.line!, error.reason), input)
      }
    }
    watermark.end(partition: input.partition)
    for place in sourcePlaces where place.input == input.partition {
      watermark.end(partition: place.watermark)
    }
  }

  /// The input's next line; false at its end.
  private func takeApart(_ input: Input, _ unwrapper: Unwrapper) throws(Failure) -> Bool {
    guard let line = try input.reader.next() else { return false }
    input.line = line
    input.unwrapped = nil
    unwrapper.clear()
    input.filter?.forget()
    if line.fault == .tooLong {
      counts.read += 1
      try reject("longer than \(Limits.lineBytesMax) bytes; only its beginning is kept", input)
      return true
    }
    input.unwrapped = RejectedRecord.raw(in: line.bytes)
    if let raw = input.unwrapped {
      raw.withBytes { unwrapper.take($0, padding: 0) }
    } else {
      unwrapper.take(line.bytes, padding: LineReader.padding)
    }
    counts.tombstones += unwrapper.tombstones
    return true
  }

  /// Each source partition is one for the watermark; an input that has such is none itself.
  private func observe(_ event: Event, _ input: Input) {
    input.sourcePartition = nil
    var partition = input.partition
    if let origin = input.origin, let number = origin.partition {
      let index = sources.index(origin.source, number)
      while sourcePlaces.count <= index {
        sourcePlaces.append((watermark: watermark.addPartition(), input: input.partition))
      }
      input.sourcePartition = index
      sourcePlaces[index].input = input.partition
      partition = sourcePlaces[index].watermark
    }
    if isFuture(event) { return }
    watermark.observe(event.time, partition: partition)
    if partition != input.partition { watermark.end(partition: input.partition) }
  }

  private func decode(_ bytes: Bytes, _ input: Input) throws(BadRecord) -> Event {
    input.unwrapped = RejectedRecord.raw(in: bytes)
    guard let raw = input.unwrapped else {
      return try decode(bytes, padding: LineReader.padding, input)
    }
    // The array lives in the input until its next line: what is borrowed from it is as good as a line.
    return try raw.withBytes { (bytes) throws(BadRecord) in try decode(bytes, padding: 0, input) }
  }

  private func decode(
    _ bytes: Bytes, padding: Int, _ input: Input
  ) throws(BadRecord) -> Event {
    guard let filter = input.filter else {
      return try input.decoder.decode(bytes, padding: padding)
    }
    let hidden = try filter.hide(bytes, as: nil, padding: padding)
    return try input.decoder.decode(hidden, padding: LineReader.padding)
  }

  private func truncated(_ line: Line, _ reason: String) -> String {
    line.fault == .unterminated
      ? "\(reason) (the last line has no line end: it may be cut off)" : reason
  }

  private func reject(_ reason: String, _ input: Input) throws(Failure) {
    let line = input.line!
    func add(_ raw: Bytes?) throws(Failure) {
      try rejects.add(
        reason, source: input.reader.source.name, line: line.number, byte: line.offset, raw: raw)
    }
    if let filter = input.filter { return try add(filter.hidden) }
    if let unwrapper = input.unwrapper, unwrapper.hasItem { return try add(unwrapper.raw) }
    // What is rejected again keeps its own bytes, so it can come back any number of times.
    guard let unwrapped = input.unwrapped else { return try add(line.bytes) }
    try unwrapped.withBytes { (raw) throws(Failure) in try add(raw) }
  }

  // MARK: Judging

  private func judge(_ input: Input) throws(Failure) -> Arrival? {
    let event = input.head!
    if let mark = event.mark {
      counts.accepted += 1
      nextOffset = mark.offset + 1
      return arrival(event, input, offset: mark.offset, watermark: mark.watermark)
    }
    if let place = input.sourcePartition, let offset = input.origin?.offset,
      !sources.see(offset, at: place)
    {
      counts.repeats += 1
      return nil
    }
    do throws(BadRecord) {
      if isFuture(event) {
        throw BadRecord(
          "from the future: its time \(event.time.rfc3339) is more than"
            + " \(schema.types[event.type].maxFutureSkew.description) ahead of the clock")
      }
      if event.time < watermark.current {
        if isKnown(event, input.origin) {
          counts.repeats += 1
          return nil
        }
        lateness.record(event.time, front: watermark.front)
        lateness.refused += 1
        throw BadRecord(
          "late: its time \(event.time.rfc3339) is before the watermark"
            + " \(watermark.current.rfc3339)")
      }
    } catch {
      try reject(error.reason, input)
      return nil
    }
    if let deduplicator = deduplicators[event.type],
      withIdentity(event, input.origin, { deduplicator.isRepeat($0, at: event.time) }) == true
    {
      counts.repeats += 1
      return nil
    }
    counts.accepted += 1
    lateness.record(event.time, front: watermark.front)
    defer { nextOffset += 1 }
    return arrival(event, input, offset: nextOffset, watermark: watermark.current)
  }

  /// A late event that has been accepted before is no news: a source that is read again is late with
  /// everything.
  private func isKnown(_ event: Event, _ origin: EventOrigin?) -> Bool {
    guard let deduplicator = deduplicators[event.type] else { return false }
    return withIdentity(event, origin) { deduplicator.knows($0, at: event.time) } ?? false
  }

  /// What names the event for good: by its wrapping, else by its own id; nil where nothing does.
  private func withIdentity<Result>(
    _ event: Event, _ origin: EventOrigin?, _ body: (Bytes) -> Result?
  ) -> Result? {
    guard let id = origin?.id, !id.isEmpty else {
      return event.id.kind == .null ? nil : body(event.id.literal)
    }
    // No event's own id begins so.
    identity.removeAll(keepingCapacity: true)
    identity.append(1)
    identity.append(contentsOf: id.buffer)
    return identity.withBytes { body($0) }
  }

  private func arrival(
    _ event: Event, _ input: Input, offset: Int64, watermark: Timestamp
  ) -> Arrival {
    Arrival(
      event: event, decoder: input.decoder, offset: offset, watermark: watermark,
      partition: input.partition, origin: input.origin, readAt: input.readAt,
      decodedAt: input.decodedAt)
  }

  /// The clock is asked only for events that would be ahead of it when it was last asked.
  private func isFuture(_ event: Event) -> Bool {
    let bound = schema.types[event.type].maxFutureSkew
    if event.time <= wallClock + bound { return false }
    wallClock = clock.now()
    return event.time > wallClock + bound
  }
}

/// A record that was rejected before and comes back through `ingest`.
enum RejectedRecord {
  private static let prefix = Bytes("{\"kind\":\"rejected\"")

  /// The raw bytes inside, or nil if the line is not one of ours.
  static func raw(in line: Bytes) -> [UInt8]? {
    guard line.starts(with: prefix) else { return nil }
    var cursor = JSONCursor(line)
    var first = true
    do throws(JSONError) {
      try cursor.beginObject()
      while let key = try cursor.nextKey(first: &first) {
        if key.bytes == "raw" { return Array(try cursor.readString().utf8) }
        if key.bytes == "raw_base64" {
          return try cursor.readString().utf8.withContiguousStorageIfAvailable {
            Base64.decode(Bytes($0))
          } ?? nil
        }
        try cursor.skipValue()
      }
    } catch {
      return nil
    }
    return nil
  }
}
