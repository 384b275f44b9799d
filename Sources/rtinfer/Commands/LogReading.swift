// materialize --log: the events come from the durable log itself, from where the online store ends. The store holds state and
// offset together, so it is the checkpoint; the consumer's name is for the log, which then keeps what was not read.

import Core
import Events
import Features

struct LogReading {
  static let log = Flag(
    "log", .optionalFolder,
    "Take the events from the durable log, with --online from where the store ends",
    default: "files or stdin; without DIR, log in the state folder")
  static let consumer = Flag(
    "consumer", .text("NAME"),
    "With --log and --online: the log keeps what this reader has yet to read")
  static let follow = Flag("follow", "With --log: wait for more at its end")
  static let flags = [log, LogFlags.state, consumer, follow]

  private let folder: String
  private let consumer: String?
  private let follows: Bool
  private let files: any FileSystem
  private let clock: any Clock

  /// Nil without --log. Only what is typed counts: an environment may well set it for ingest.
  init?(_ invocation: Invocation) throws(Failure) {
    let options = invocation.options
    guard options.isTyped(LogReading.log) else {
      for flag in LogReading.flags where options.isTyped(flag) {
        throw .usage("\(options.origin(flag)) is for --log")
      }
      return nil
    }
    folder = try LogFlags.folder(invocation, try Project.find(invocation))
    consumer = try options.value(LogReading.consumer)
    if let consumer, !LogConsumers.isName(consumer) {
      throw .usage(
        "\(options.origin(LogReading.consumer)): '\(consumer)' is no consumer's name",
        hint: "letters, digits, '-', '_' and '.', not first, at most 64")
    }
    follows = options.isOn(LogReading.follow)
    files = invocation.files
    clock = invocation.clock
  }

  /// All events, from the log or the files named.
  static func events(
    _ invocation: Invocation, _ operands: [String]? = nil
  ) throws(Failure) -> [any ByteSource] {
    let operands = operands ?? invocation.options.operands
    guard let reading = try LogReading(invocation) else { return try invocation.inputs(operands) }
    try reading.refuse(operands)
    guard reading.consumer == nil, !reading.follows else {
      throw .usage(
        "--consumer and --follow are for a stream, which goes on; this reads the log from its beginning"
      )
    }
    return [try reading.source(try LogReader(reading.folder, files: reading.files))]
  }

  func refuse(_ operands: [String]) throws(Failure) {
    guard let operand = operands.first else { return }
    throw .usage("--log reads the log, not '\(operand)'")
  }

  private func source(
    _ reader: LogReader, remembersPlaces: Bool = false
  ) throws(Failure) -> LogSource {
    LogSource(reader, name: folder, follows: follows, remembersPlaces: remembersPlaces)
  }

  /// The events that a store does not hold yet.
  ///
  /// - Parameter rebuilds: the store is made anew: of all events, or with a consumer of those that it has read, so that
  ///   its next run goes on as if nothing had been lost.
  func open(_ online: OnlineWriter?, rebuilds: Bool) throws(Failure) -> LogFeed {
    guard let online, !rebuilds else {
      var range = LogRange()
      if let consumer {
        guard rebuilds else {
          throw .usage(
            "--consumer needs --online: the store is what knows how far it has read",
            hint: "rtinfer ingest --replay prints a log without keeping a place in it")
        }
        range.offsets = 0..<(try read(by: consumer))
      }
      return LogFeed(
        source: try source(try LogReader(folder, range: range, files: files)), consumption: nil,
        bound: consumer == nil ? .max : range.offsets.upperBound - 1)
    }
    let next = online.offset + 1
    let consumers = LogConsumers(folder, files: files)
    let known = try consumer.flatMap { (name) throws(Failure) in try consumers.position(of: name) }
    // The consumer's own place also knows who wrote the event before it, and so notices a log that was begun anew.
    let position = known?.offset == next ? known! : LogPosition(offset: next)
    if position.epoch == nil { try checkHolds(online.offset, "the online store") }
    let reader = try LogReader(folder, after: position, files: files)
    let source = try source(reader, remembersPlaces: consumer != nil)
    return LogFeed(
      source: source,
      consumption: consumer.map { LogConsumption(source, consumers, name: $0, clock: clock) },
      bound: .max)
  }

  /// A log that was begun anew, or another one, would have nothing new for a long time.
  ///
  /// - Parameter holder: what was made of the log up to the event of this offset.
  func checkHolds(_ offset: Int64, _ holder: String) throws(Failure) {
    guard offset >= 0 else { return }
    var range = LogRange()
    range.offsets = offset..<offset + 1
    // Where retention has removed it, the events behind it are there or missed by name.
    guard let reader = try? LogReader(folder, range: range, files: files) else { return }
    guard try reader.next() == nil else { return }
    throw .badData(
      "\(folder): ends before event \(offset), which \(holder) holds: it is not the log that was read before",
      hint:
        "materialize backfill --online … --log makes a store anew from this log; an output gets a new name"
    )
  }

  private func read(by name: String) throws(Failure) -> Int64 {
    guard let position = try LogConsumers(folder, files: files).position(of: name) else {
      throw .usage(
        "\(folder): no consumer '\(name)' has read this log",
        hint: "without --consumer the store is made of all events")
    }
    return position.offset
  }
}

/// A log as the input of a stream of features.
struct LogFeed {
  let source: LogSource
  /// Nil for a reader without a name.
  let consumption: LogConsumption?
  /// The last event that is read.
  let bound: Int64
}

/// A named reader's place in the log, moved forward from time to time.
final class LogConsumption {
  private let source: LogSource
  private let consumers: LogConsumers
  private let name: String
  private let clock: any Clock
  private var committedAt: UInt64
  private static let pauseNanoseconds: UInt64 = 1_000_000_000

  init(_ source: LogSource, _ consumers: LogConsumers, name: String, clock: any Clock) {
    self.source = source
    self.consumers = consumers
    self.name = name
    self.clock = clock
    committedAt = clock.monotonicNanoseconds()
  }

  /// Each costs a sync or two, and retention is in no hurry.
  var isDue: Bool {
    clock.monotonicNanoseconds() >= committedAt + LogConsumption.pauseNanoseconds
  }

  /// All up to this offset has been done with, and what came of it is durable.
  func commit(upTo offset: Int64) throws(Failure) {
    committedAt = clock.monotonicNanoseconds()
    guard let position = source.position(before: offset + 1) else { return }
    try consumers.commit(LogConsumer(name: name, position: position))
  }
}
