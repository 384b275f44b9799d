// The way every event comes in: lines from one or several inputs are decoded, merged by event time under one
// watermark, and told apart: accepted, rejected (malformed, late, from the future) or a repeat.
//
//     a.ndjson ─ decoder ─┐  head 10:02
//     b.ndjson ─ decoder ─┼─ earliest head first ─▶ late? future? repeat? ─▶ offset, watermark
//     stdin ──── decoder ─┘  head 10:05
//
// Where a server is sent events there is one input, whose records are handed over request by request; between
// two of them it has no end, only nothing to give.
//
// Each input has a decoder of its own, so the heads that wait for their turn stay borrowed from their
// buffers and nothing is copied. Where marks are trusted, an event that carries one keeps its offset and
// watermark and is not judged again.

public import Core

/// An accepted event. Borrowed until the next one is asked for.
public struct Arrival {
  public let event: Event
  /// The intake's, which outlives its arrivals; counting references would cost as much as reading a member.
  let borrowedDecoder: Unmanaged<EventDecoder>
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

  /// Holds what was read of the event.
  public var decoder: EventDecoder { borrowedDecoder.takeUnretainedValue() }
}

public final class EventIntake {
  public struct Counts: Sendable {
    public var read = 0
    public var accepted = 0
    public var repeats = 0
    /// Records that say only that a key is gone.
    public var tombstones = 0
  }

  public private(set) var counts = Counts()
  /// Of the events that were judged here, the late ones included; repeats do not count.
  public private(set) var lateness = LatenessStatistics()
  public let schema: EventSchema
  private let rejects: Rejects
  private let clock: any Clock
  private let isTimed: Bool
  /// Whether marks are taken at their word; whoever reads a line again must do the same.
  public let trustsMarks: Bool
  private let inputs: [IntakeInput]
  private let first: IntakeInput
  /// Whether the first input is the only one.
  private let isAlone: Bool
  /// Whether an event may have waited for those of other inputs since it was decoded.
  public var readsAhead: Bool { !isAlone }
  /// By type: how far ahead of the clock an event may be.
  private let futureSkews: [TimeSpan]
  private var watermark: Watermark
  private let deduplicators: [Deduplicator?]
  /// The same, without a reference to count for each event.
  private let borrowedDeduplicators: [Unmanaged<Deduplicator>?]
  /// Whether any type is deduplicated.
  private let deduplicates: Bool
  private var idsAhead = IdsAhead()
  private var sources = SourcePartitions()
  /// By source partition: its place in the watermark, and the input that it came from.
  private var sourcePlaces: [(watermark: Int, input: Int)] = []
  private let identity = OutputBuffer(MemorySink(), capacity: 256)
  private var nextOffset: Int64 = 0
  /// Of the last event that was marked.
  private var lastNumber: Int64 = -1
  /// The latest time of the events that an earlier run has accepted.
  private var latestKnown = Timestamp.distantPast
  private var numbersMarksOn = false
  private var current: IntakeInput?
  private var wallClock = Timestamp.distantPast

  /// - Parameters:
  ///   - trustsMarks: events that ingest has marked are not judged again. Only a single input is taken
  ///     at its word: of several, no one's watermark speaks for the others.
  ///   - records: how they stand in each source.
  ///   - layers: what events are wrapped in.
  ///   - idle: how far a source partition may fall behind the others and still hold the watermark back.
  ///   - privacy: how private members are hidden; nil: they have been.
  ///   - isTimed: note when each line was read and decoded.
  ///   - idMemory: where the ids lie that `dedup` remembers.
  ///   - beforeWaiting: called before a read that would wait, to pass on what is ready.
  public convenience init(
    _ sources: [any ByteSource], schema: EventSchema, rejects: Rejects, clock: any Clock,
    trustsMarks: Bool, records: RecordForm = .lines, layers: EnvelopeLayers = .layers([]),
    idle: TimeSpan? = nil,
    privacy: Privacy? = nil, isTimed: Bool = false, idMemory: SpillMemory = SpillMemory(),
    beforeWaiting: @escaping () throws(Failure) -> Void
  ) {
    let inputs = sources.map {
      RecordInput($0, records, column: schema.column, beforeWaiting: beforeWaiting)
    }
    self.init(
      inputs, schema, rejects, clock, trustsMarks: trustsMarks && sources.count == 1,
      layers: layers, idle: idle, privacy: privacy, isTimed: isTimed, idMemory)
  }

  /// One whose records are handed over, as by a server's requests.
  ///
  /// - Parameters:
  ///   - name: what rejects call the source.
  ///   - layers: of those records that are wrapped.
  ///   - privacy: how private members are hidden; nil: none are declared.
  ///   - idMemory: where the ids lie that `dedup` remembers.
  public convenience init(
    handedOverAs name: String, schema: EventSchema, rejects: Rejects, clock: any Clock,
    layers: EnvelopeLayers, privacy: Privacy?, idMemory: SpillMemory = SpillMemory()
  ) {
    self.init(
      [RecordInput(handedOverAs: name)], schema, rejects, clock, trustsMarks: false,
      layers: layers, idle: nil, privacy: privacy, isTimed: false, idMemory)
  }

  private init(
    _ inputs: [RecordInput], _ schema: EventSchema, _ rejects: Rejects, _ clock: any Clock,
    trustsMarks: Bool, layers: EnvelopeLayers, idle: TimeSpan?, privacy: Privacy?, isTimed: Bool,
    _ idMemory: SpillMemory
  ) {
    self.schema = schema
    self.rejects = rejects
    self.clock = clock
    self.isTimed = isTimed
    self.trustsMarks = trustsMarks
    // Decoders are made first to last: the first completes the plan, the others find it complete.
    self.inputs = inputs.enumerated().map { partition, records in
      IntakeInput(
        records, EventDecoder(schema, trustsMarks: trustsMarks), partition,
        layers == .layers([]) ? nil : Unwrapper(layers, schema),
        privacy.flatMap { PrivacyFilter($0, schema) })
    }
    first = self.inputs[0]
    isAlone = self.inputs.count == 1
    self.futureSkews = schema.types.map(\.maxFutureSkew)
    let lateness = schema.types.map(\.lateness).max()!
    self.watermark = Watermark(partitions: inputs.count, lateness: lateness, idle: idle)
    self.deduplicates = schema.types.contains { $0.dedup != nil }
    deduplicators = schema.types.map { type in
      type.dedup.map { Deduplicator(stretch: $0, lateness: lateness, memory: idMemory) }
    }
    borrowedDeduplicators = deduplicators.map { $0.map { Unmanaged.passUnretained($0) } }
  }

  /// Goes on behind events that an earlier run has accepted.
  public func resume(at offset: Int64, watermark: Timestamp) {
    nextOffset = offset
    self.watermark.raise(to: watermark)
  }

  /// Asks how complete each window of this length will have been. Of those in which an earlier run may have accepted events,
  /// which do not begin behind the latest that it has seen, nothing is told.
  public func watchWindows(_ length: TimeSpan) {
    lateness = LatenessStatistics(
      windows: length, since: latestKnown + TimeSpan(microseconds: 1))
  }

  /// Source partitions as an earlier run has left them.
  func resume(_ partitions: SourcePartitions) { sources = partitions }

  /// An event that an earlier run has accepted: it is known if it comes again.
  func remember(_ event: Event, _ origin: EventOrigin?) {
    latestKnown = max(latestKnown, event.time)
    guard let id = identity(event, origin) else { return }
    _ = deduplicators[event.type]?.isRepeat(id, at: event.time)
  }

  /// Events come in wrappings, so what is remembered of them must be read from their marks.
  var unwraps: Bool { inputs.contains { $0.layers != nil } }

  /// For how long the ids of events before the watermark are worth knowing; nil if they are not at all.
  var memory: TimeSpan? {
    guard let stretch = schema.types.compactMap(\.dedup).max() else { return nil }
    let lateness = schema.types.map(\.lateness).max()!
    return TimeSpan(microseconds: stretch.microseconds + lateness.microseconds)
  }

  /// How often the inputs were read: as long as it stays the same, all events have come at one time.
  public var readCount: Int {
    isAlone ? first.records.readCount : inputs.reduce(0) { $0 + $1.records.readCount }
  }

  /// The watermark after the last event that was handed out.
  public var currentWatermark: Timestamp { watermark.current }

  /// Takes up records where they are handed over; `next` then gives their events, and nil behind the last.
  ///
  /// - Precondition: all earlier ones have been asked for.
  /// - Parameters:
  ///   - records: valid until the next are taken up, with `LineReader.padding` bytes behind each.
  ///   - areWrapped: they are what the layers are taken off.
  public func take(_ records: [Bytes], areWrapped: Bool) {
    precondition(first.records.isHandedOver, "an intake whose records are handed over")
    first.take(records, areWrapped: areWrapped)
  }

  /// The next event that is accepted, or nil at the end.
  public func next() throws(Failure) -> Arrival? {
    guard isAlone else { return try nextMerged() }
    while true {
      try advance(first)
      guard let event = first.head else { return nil }
      if let arrival = try judge(event, first) { return arrival }
    }
  }

  /// Looks at lines that are still to come, as far as they have been read already: of a single input whose events are not
  /// wrapped, else at none.
  ///
  /// - Parameter look: is given lines as they stand, good or bad, with `LineReader.padding` bytes behind each.
  public func peekLines(_ max: Int, _ look: (Bytes) -> Void) {
    guard isAlone, first.unwrapper == nil else { return }
    first.records.peekLines(max, look)
  }

  /// The same of several inputs: the earliest head is the next.
  private func nextMerged() throws(Failure) -> Arrival? {
    while true {
      if let done = current {
        current = nil
        try advance(done)
      } else {
        for input in inputs where !input.isStarted { try advance(input) }
      }
      guard let input = earliest() else { return nil }
      current = input
      if let arrival = try judge(input.head!, input) { return arrival }
    }
  }

  private func earliest() -> IntakeInput? {
    var best: IntakeInput?
    for input in inputs {
      guard let head = input.head else { continue }
      if let known = best?.head, known.time <= head.time { continue }
      best = input
    }
    return best
  }

  // MARK: Reading

  /// Reads on until the input has an event at its head or ends.
  private func advance(_ input: IntakeInput) throws(Failure) {
    input.isStarted = true
    input.head = nil
    if let unwrapper = input.unwrapper { return try advance(input, unwrapper) }
    while let record = try input.next() {
      counts.read += 1
      if record.isProblem {
        try input.reject(input.records.problem, to: rejects)
        continue
      }
      if isTimed { input.readAt = clock.monotonicNanoseconds() }
      do throws(BadRecord) {
        let event = try input.decode(record)
        if isTimed { input.decodedAt = clock.monotonicNanoseconds() }
        input.head = event
        if event.mark == nil, !isFuture(event) {
          watermark.observe(event.time, partition: input.partition)
        }
        return
      } catch {
        input.head = nil
        try input.reject(input.explained(error.reason), to: rejects)
      }
    }
    end(input)
  }

  /// The input has no more events.
  private func end(_ input: IntakeInput) {
    guard !input.records.isHandedOver else { return }
    watermark.end(partition: input.partition)
    for place in sourcePlaces where place.input == input.partition {
      watermark.end(partition: place.watermark)
    }
  }

  /// The same for events that are wrapped.
  private func advance(_ input: IntakeInput, _ unwrapper: Unwrapper) throws(Failure) {
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
        try input.reject(input.explained(error.reason), to: rejects)
      }
    }
    end(input)
  }

  /// The input's next record; false at its end.
  private func takeApart(_ input: IntakeInput, _ unwrapper: Unwrapper) throws(Failure) -> Bool {
    guard let record = try input.next() else { return false }
    unwrapper.clear()
    if record.isProblem {
      counts.read += 1
      try input.reject(input.records.problem, to: rejects)
      return true
    }
    input.takeApart(record, unwrapper)
    counts.tombstones += unwrapper.tombstones
    return true
  }

  /// Each source partition is one for the watermark; an input that has such is none itself.
  private func observe(_ event: Event, _ input: IntakeInput) {
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

  // MARK: Judging

  private func judge(_ event: Event, _ input: IntakeInput) throws(Failure) -> Arrival? {
    if let mark = event.mark {
      counts.accepted += 1
      lastNumber = number(mark)
      nextOffset = lastNumber + 1
      return arrival(event, input, offset: lastNumber, watermark: mark.watermark)
    }
    if let place = input.sourcePartition, let offset = input.origin?.offset,
      !sources.see(offset, at: place)
    {
      counts.repeats += 1
      return nil
    }
    if isFuture(event) {
      try input.reject(
        "from the future: its time \(event.time.rfc3339) is more than"
          + " \(futureSkews[event.type].description) ahead of the clock", to: rejects)
      return nil
    }
    if event.time < watermark.current {
      try refuseLate(event, input)
      return nil
    }
    if deduplicates, isRepeat(event, input.origin) {
      counts.repeats += 1
      return nil
    }
    counts.accepted += 1
    lateness.record(event.time, front: watermark.front, watermark: watermark.current)
    lastNumber = nextOffset
    nextOffset += 1
    return arrival(event, input, offset: lastNumber, watermark: watermark.current)
  }

  /// The offset that ingest gave, as long as they grow. Behind the end of one run of ingest, or behind events that none has
  /// seen, another's may follow, which began to count anew: its events are numbered on, so that what came later has
  /// the greater number.
  private func number(_ mark: Event.Mark) -> Int64 {
    if mark.offset <= lastNumber { numbersMarksOn = true }
    return numbersMarksOn ? nextOffset : mark.offset
  }

  private func refuseLate(_ event: Event, _ input: IntakeInput) throws(Failure) {
    if isKnown(event, input.origin) {
      counts.repeats += 1
      return
    }
    lateness.refuse(event.time, front: watermark.front, watermark: watermark.current)
    try input.reject(
      "late: its time \(event.time.rfc3339) is before the watermark"
        + " \(watermark.current.rfc3339)", to: rejects)
  }

  /// A late event that has been accepted before is no news: a source that is read again is late with
  /// everything.
  private func isKnown(_ event: Event, _ origin: EventOrigin?) -> Bool {
    guard let deduplicator = deduplicators[event.type] else { return false }
    return identity(event, origin).map { deduplicator.knows($0, at: event.time) } ?? false
  }

  private func isRepeat(_ event: Event, _ origin: EventOrigin?) -> Bool {
    guard let deduplicator = borrowedDeduplicators[event.type], let id = identity(event, origin)
    else { return false }
    return deduplicator.borrowed {
      if isAlone, origin == nil { idsAhead.follow(id, in: first.line, first.records, $0) }
      return $0.isRepeat(id, at: event.time)
    }
  }

  /// What names the event for good: by its wrapping, else by its own id; nil where nothing does. Borrowed until
  /// the next is asked for.
  private func identity(_ event: Event, _ origin: EventOrigin?) -> Bytes? {
    guard let id = origin?.id, !id.isEmpty else {
      return event.id.kind == .null ? nil : event.id.literal
    }
    // No event's own id begins so.
    identity.rewind(to: 0)
    identity.append(UInt8(1))
    identity.append(id)
    return identity.pending
  }

  private func arrival(
    _ event: Event, _ input: IntakeInput, offset: Int64, watermark: Timestamp
  ) -> Arrival {
    Arrival(
      event: event, borrowedDecoder: .passUnretained(input.decoder), offset: offset,
      watermark: watermark,
      partition: input.partition, origin: input.origin, readAt: input.readAt,
      decodedAt: input.decodedAt)
  }

  /// The clock is asked only for events that would be ahead of it when it was last asked.
  private func isFuture(_ event: Event) -> Bool {
    let bound = futureSkews[event.type]
    if event.time <= wallClock + bound { return false }
    wallClock = clock.now()
    return event.time > wallClock + bound
  }
}
