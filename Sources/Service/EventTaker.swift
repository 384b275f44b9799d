// The thread that takes events in: what has come is judged by the intake, appended to the log, brought to the disk as
// --fsync says, told to the features, and only then answered. Whoever has an answer finds the event in every look-up from
// then on.
//
//     group of requests ─▶ intake ─▶ output: log, sync ─▶ live state ─▶ answers
//                             │ what cannot be kept: 503, and everything begins anew behind the log's end
//                             │ what cannot be passed on: 503, and that is the end, since a line may have been cut
//
// The features are told last, so that nothing is known of an event that may yet be refused; each line is kept until
// then and read a second time.

public import Core
public import Events
import HTTP

/// The way of events, which is made anew when it is broken.
public struct EventWay {
  let intake: EventIntake
  let output: any EventOutput
  /// Nil where there is no log.
  let log: Events.LogWriter?

  public init(_ intake: EventIntake, to output: any EventOutput, log: Events.LogWriter?) {
    self.intake = intake
    self.output = output
    self.log = log
  }
}

public final class EventTaker {
  private let queue: EventQueue
  private let rejects: Rejects
  private let clock: any Clock
  private let makeWay: () throws(Failure) -> EventWay
  private let applier: EventApplier?
  private let writer: ArrivalWriter
  private let onFailure: (_ failure: Failure, _ isEnd: Bool) -> Void
  private var way: EventWay?
  /// Of the last way, also while it is broken.
  private var log: Events.LogWriter?
  /// After this nothing more is taken.
  public private(set) var ending: Failure?
  private var rejected: [(line: Int, reason: String)] = []
  private let body = OutputBuffer(MemorySink(), capacity: 1 << 10)
  /// Monotonic nanoseconds before which a broken way is not made anew.
  private var retryAt: UInt64 = 0

  /// - Parameters:
  ///   - rejects: where the ways put what they reject.
  ///   - applier: tells the features; nil where there are none.
  ///   - makeWay: makes the way, behind all that the log holds; called at once, and again after a failure.
  ///   - onFailure: told when events cannot be kept, for now or for good.
  public init(
    _ queue: EventQueue, schema: EventSchema, rejects: Rejects, applier: EventApplier?,
    clock: any Clock, makeWay: @escaping () throws(Failure) -> EventWay,
    onFailure: @escaping (_ failure: Failure, _ isEnd: Bool) -> Void
  ) throws(Failure) {
    self.queue = queue
    self.rejects = rejects
    self.applier = applier
    self.clock = clock
    self.makeWay = makeWay
    self.onFailure = onFailure
    writer = ArrivalWriter(schema)
    way = try makeWay()
    log = way?.log
    rejects.onRejection = { [unowned self] reason, line in rejected.append((line, reason)) }
  }

  /// Takes what comes until the queue is closed and empty, and leaves the log in order.
  public func run() {
    while let group = queue.next(milliseconds: patience) {
      if group.isEmpty { syncIfDue() } else { take(group) }
    }
    if ending == nil { finish() }
  }

  private func finish() {
    do throws(Failure) {
      if let way { try way.output.finish() } else { try log?.close() }
    } catch {
      end(error)
    }
  }

  private func end(_ failure: Failure) {
    ending = failure
    onFailure(failure, true)
  }

  /// Takes what has come so far.
  func takeWaiting() {
    if let group = queue.next(milliseconds: 0), !group.isEmpty { take(group) }
  }

  /// How long nothing has to be done, as the log's policy says.
  private var patience: Int32 {
    guard let due = way?.log?.nanosecondsUntilSync else { return -1 }
    return Int32(clamping: (due + 999_999) / 1_000_000)
  }

  private func syncIfDue() {
    guard let log = way?.log, log.nanosecondsUntilSync == 0 else { return }
    do throws(Failure) {
      try log.sync()
    } catch {
      breakOff(error)
    }
  }

  // MARK: Requests

  /// What became of one request's events.
  private struct Outcome {
    var accepted = 0
    var repeats = 0
    var rejected: [(line: Int, reason: String)] = []
    /// The request could not be taken apart.
    var refusal: Refusal?
    /// Of its last accepted event.
    var offset: Int64?
  }

  private func take(_ group: [EventRequest]) {
    guard let way = usableWay() else { return refuse(group, areUntouched: true) }
    var outcomes: [Outcome] = []
    let before = way.log?.nextOffset
    do throws(Failure) {
      for request in group { outcomes.append(try take(request, way)) }
      try way.output.passOn()
      try rejects.flush()
    } catch {
      let areUntouched = way.log.map { $0.nextOffset == before } ?? false
      breakOff(error)
      return refuse(group, areUntouched: areUntouched)
    }
    applier?.apply()
    for (request, outcome) in zip(group, outcomes) { answer(request, outcome) }
    wake(group)
  }

  private func take(_ request: EventRequest, _ way: EventWay) throws(Failure) -> Outcome {
    var outcome = Outcome()
    let records: [Bytes]
    do throws(Refusal) {
      records = try request.records()
    } catch {
      outcome.refusal = error
      return outcome
    }
    let before = way.intake.counts
    rejected.removeAll(keepingCapacity: true)
    way.intake.take(records, areWrapped: request.areWrapped)
    while let arrival = try way.intake.next() {
      let ingested = clock.now()
      applier?.keep(arrival)
      writer.append(arrival, ingested: ingested, to: way.output.lines)
      try way.output.endEvent(time: arrival.event.time, ingested: ingested)
      outcome.offset = arrival.offset
    }
    outcome.accepted = way.intake.counts.accepted - before.accepted
    outcome.repeats = way.intake.counts.repeats - before.repeats
    outcome.rejected = rejected
    return outcome
  }

  /// The way, made anew if it was broken; nil for a while after it was.
  private func usableWay() -> EventWay? {
    if let way { return way }
    guard ending == nil, clock.monotonicNanoseconds() >= retryAt else { return nil }
    applier?.forget()
    // That it was broken is known; that it still is, is no news.
    way = try? makeWay()
    if way == nil { pause() } else { log = way?.log }
    return way
  }

  private func pause() { retryAt = clock.monotonicNanoseconds() + Limits.eventRetryNanoseconds }

  /// What the intake takes for accepted is not in the log: it begins anew behind what is.
  private func breakOff(_ failure: Failure) {
    if way?.output.isBroken == true {
      end(failure)
      // What is in the log stays there.
      try? way?.output.finish()
    } else {
      onFailure(failure, false)
      pause()
    }
    way = nil
  }

  // MARK: Answers

  /// - Parameter areUntouched: whether nothing of any can have been kept or passed on.
  private func refuse(_ group: [EventRequest], areUntouched: Bool) {
    let what = areUntouched ? "none of these was taken" : "some of these may have been taken"
    let reply = Array("{\"error\":\"events cannot be kept for now; \(what)\"}".utf8)
    for request in group {
      request.replies.add(.init(number: request.number, status: .unavailable, body: reply))
    }
    queue.count { $0.failed += group.count }
    wake(group)
  }

  private func wake(_ group: [EventRequest]) {
    var woken: [LateReplies] = []
    for request in group where !woken.contains(where: { $0 === request.replies }) {
      woken.append(request.replies)
      request.replies.wake()
    }
  }

  private func answer(_ request: EventRequest, _ outcome: Outcome) {
    body.rewind(to: 0)
    body.append("{")
    if let refusal = outcome.refusal {
      body.append("\"error\":")
      body.appendQuoted(refusal.reason)
    } else {
      append(outcome)
    }
    body.append("}")
    let isRejected = !outcome.rejected.isEmpty
    let status = outcome.refusal?.status ?? (isRejected ? .badRequest : .ok)
    request.replies.add(
      .init(number: request.number, status: status, body: body.pending.copy()))
    let taken = clock.monotonicNanoseconds() &- request.arrived
    queue.count { counts in
      counts.accepted += outcome.accepted
      counts.repeats += outcome.repeats
      counts.rejected += outcome.rejected.count
      counts.taken.record(taken)
    }
  }

  private func append(_ outcome: Outcome) {
    let rejected = outcome.rejected
    if let first = rejected.first {
      let more = rejected.count > 1 ? " (and \(rejected.count - 1) more rejected)" : ""
      body.append("\"error\":")
      body.appendQuoted(first.reason + more)
      body.append(",")
    }
    body.append("\"accepted\":")
    body.append(Int64(outcome.accepted))
    body.append(",\"repeats\":")
    body.append(Int64(outcome.repeats))
    if let offset = outcome.offset {
      body.append(",\"offset\":")
      body.append(offset)
    }
    guard !rejected.isEmpty else { return }
    body.append(",\"rejected\":[")
    for (index, fault) in rejected.prefix(Limits.faultsShownMax).enumerated() {
      if index > 0 { body.append(",") }
      body.append("{\"line\":")
      body.append(Int64(fault.line))
      body.append(",\"reason\":")
      body.appendQuoted(fault.reason)
      body.append("}")
    }
    body.append("]")
  }
}
