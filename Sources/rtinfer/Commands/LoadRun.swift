// One run: requests go out when they are due, what comes of them is tallied, and samples are handed on. All on one
// thread, which waits in one place only.
//
//     schedule ─due─▶ pool.send ─▶ pool.turn(until the next is due) ─▶ ended: tally, samples
//                        └─ all connections taken: waiting, from when it was due
//
// Time is spent in the system calls of `ClientPool`.

import Core
import HTTP
import Measure

final class LoadRun: ExchangeObserver {
  private let plan: LoadPlan
  private let source: RequestSource
  private let options: ClientOptions
  private let clock: any Clock
  private(set) var tally: LoadTally
  /// What monotonic zero was by the wall clock.
  let epoch: Timestamp
  let started: Timestamp
  /// Told of each sample that counts.
  var onSample: ((LoadSample) -> Void)?
  /// Told about four times a second while it runs.
  var onTick: ((LoadTally, _ begin: UInt64, _ now: UInt64) -> Void)?
  /// A run that is asked so ends early.
  var shouldStop: (LoadTally) -> Bool = { _ in false }

  private let start: UInt64
  private var nextRequest = 0
  private var nextTick: UInt64 = 0
  /// When the requests were due that wait for a connection; the first at `waitingStart`.
  private var waiting: [UInt64] = []
  private var waitingStart = 0
  private(set) var opened = 0

  /// Requests that may wait for a connection: eight bytes each.
  private static let waitingMax = 1 << 22

  init(_ plan: LoadPlan, _ source: RequestSource, _ options: ClientOptions, clock: any Clock) {
    self.plan = plan
    self.source = source
    self.options = options
    self.clock = clock
    started = clock.now()
    start = clock.monotonicNanoseconds()
    epoch = started - TimeSpan(microseconds: Int64(start / 1_000))
    tally = LoadTally(begin: start + plan.warmup.nanoseconds)
  }

  // MARK: Open loop

  /// - Parameter schedule: the warm-up included.
  func runOpen(_ schedule: ArrivalSchedule) throws(Failure) {
    var schedule = schedule
    let pool = try makePool()
    var next = schedule.next()
    while let offset = next, !isOver {
      let due = start + offset
      let now = clock.monotonicNanoseconds()
      if due <= now {
        if due >= tally.begin { tally.recordLag(now - due) }
        try give(due, pool)
        next = schedule.next()
        // Replies that are there are taken up in between, or a burst would keep them waiting.
        if pool.busy > 0, now - due > 100_000 { try turn(pool, until: 0) }
      } else {
        try turn(pool, until: due)
      }
    }
    try finish(pool)
  }

  private func give(_ due: UInt64, _ pool: ClientPool) throws(Failure) {
    guard pool.hasRoom, waitingStart == waiting.count else {
      if due >= tally.begin { tally.waitedForConnection += 1 }
      guard waiting.count - waitingStart < LoadRun.waitingMax else {
        tally.unsent += 1
        return
      }
      waiting.append(due)
      return
    }
    try pool.send(takeRequest(), token: due)
  }

  private func turn(_ pool: ClientPool, until deadline: UInt64) throws(Failure) {
    pool.turn(until: deadline)
    while waitingStart < waiting.count, pool.hasRoom {
      let due = waiting[waitingStart]
      waitingStart += 1
      try pool.send(takeRequest(), token: due)
    }
    if waitingStart == waiting.count, waitingStart > 0 {
      waiting.removeAll(keepingCapacity: true)
      waitingStart = 0
    }
    tick()
  }

  // MARK: Closed loop

  func runClosed(_ concurrency: Int, for length: TimeSpan) throws(Failure) {
    let pool = try makePool()
    let end = tally.begin + length.nanoseconds
    while clock.monotonicNanoseconds() < end, !isOver {
      while pool.busy < concurrency, pool.hasRoom {
        let now = clock.monotonicNanoseconds()
        try pool.send(takeRequest(), token: now)
        // A refusal ends at once: the clock decides when it is enough.
        if pool.busy == 0, tally.faults["refused"] ?? 0 > 0 { break }
      }
      pool.turn(until: pool.busy > 0 ? end : clock.monotonicNanoseconds() + 1_000_000)
      tick()
    }
    try finish(pool)
  }

  // MARK: Both

  private func makePool() throws(Failure) -> ClientPool {
    try ClientPool(
      source.endpoint.address, source.requests, options, observer: self, clock: clock)
  }

  private var isOver: Bool { Signals.drainStatus != nil || shouldStop(tally) }

  private func takeRequest() -> Int {
    defer { nextRequest = nextRequest + 1 == source.requests.count ? 0 : nextRequest + 1 }
    return nextRequest
  }

  /// What is on its way is waited for, as long as any request may take: to leave out what has not been answered
  /// yet would leave out the slowest.
  private func finish(_ pool: ClientPool) throws(Failure) {
    let patience = clock.monotonicNanoseconds() + options.timeout.nanoseconds
    while pool.busy > 0 || waitingStart < waiting.count, Signals.drainStatus == nil,
      clock.monotonicNanoseconds() < patience
    {
      try turn(pool, until: min(patience, clock.monotonicNanoseconds() + 50_000_000))
    }
    pool.abandon()
    tally.unsent += waiting.count - waitingStart
    opened = pool.opened
    tally.finish()
  }

  func ended(_ exchange: Exchange, serverTiming: Bytes) {
    let sample = LoadSample(
      due: exchange.token, sent: exchange.sent, ended: exchange.ended, status: exchange.status,
      fault: exchange.fault?.rawValue, path: exchange.request,
      layers: serverTiming.isEmpty ? LayerTiming() : LayerTiming(serverTiming: serverTiming))
    if tally.record(sample) { onSample?(sample) }
  }

  private func tick() {
    guard let onTick else { return }
    let now = clock.monotonicNanoseconds()
    guard now >= nextTick else { return }
    nextTick = now + 250_000_000
    onTick(tally, tally.begin, now)
  }
}
