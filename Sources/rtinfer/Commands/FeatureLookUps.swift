// What bench features measures: look-ups of requests that have been read, in one order or another, while a second thread
// may be writing.

import Core
import Features
import Synchronization

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

struct FeatureLookUps {
  private let reader: OnlineReader
  private let plan: RequestPlan
  private let requests: FeatureRequests
  private let clock: any Clock
  private let event: EventCounter.Event
  /// Look-ups of one repeat, at least.
  private static let hotMin = 10_000

  init(
    _ reader: OnlineReader, _ plan: RequestPlan, _ requests: FeatureRequests,
    _ invocation: Invocation
  ) {
    self.reader = reader
    self.plan = plan
    self.requests = requests
    clock = invocation.clock
    event = invocation.counting
  }

  struct Result {
    let isHot: Bool
    let batch: Int
    /// Look-ups of one repeat.
    let lookUps: Int
    /// Different rows among them.
    let rows: Int
    /// Microseconds a look-up, one figure for each repeat, ascending.
    var repeats: [Double] = []
    var calls = LatencyHistogram(bits: 7)
    /// Views of one repeat that had no row, a damaged one, or none in time.
    var absent = 0
    var damaged = 0
    var unanswered = 0
    /// The share of rows that were answered from memory once all repeats were made.
    var recalled = 0.0
    /// Of a call, on the average; nil where they are not counted.
    var instructions: Double?

    /// As a peer makes them.
    var own: OwnCalls {
      OwnCalls(batch: batch, rows: lookUps, threads: 1, repeats: repeats.count, median: median)
    }

    var best: Double { repeats[0] }
    var median: Double { repeats[repeats.count / 2] }
  }

  /// Which requests are asked for, one after another.
  ///
  /// - Parameter hot: so many, the first ones, again and again; nil: all, each once, in a random order.
  func order(hot: Int?, seed: UInt64) -> [Int] {
    guard let hot else {
      var random = SplitMix64(seed: seed)
      return Array(0..<requests.count).shuffled(using: &random)
    }
    let some = min(hot, requests.count)
    let rounds = max(1, FeatureLookUps.hotMin / some)
    return (0..<some * rounds).map { $0 % some }
  }

  /// Makes all look-ups of the order, `batch` to a call; those that do not fill a last call are left out.
  func measure(
    _ order: [Int], isHot: Bool, batch: Int, repeats: Int
  ) throws(Failure) -> Result {
    let batch = min(batch, order.count)
    let calls = order.count / batch
    var result = Result(
      isHot: isHot, batch: batch, lookUps: calls * batch, rows: Set(order[..<(calls * batch)]).count
    )
    // The first pass only warms up, and is looked at for what it finds.
    count(order[..<(calls * batch)], &result)
    var values: [Scalar] = []
    try requests.scalars.withUnsafeBufferPointer { (scalars) throws(Failure) in
      for _ in 0..<repeats where Signals.drainStatus == nil || result.repeats.isEmpty {
        let start = clock.monotonicNanoseconds()
        var before = start
        for call in 0..<calls {
          for place in call * batch..<(call + 1) * batch {
            look(order[place], scalars, &values)
          }
          let now = clock.monotonicNanoseconds()
          result.calls.record(now - before)
          before = now
        }
        result.repeats.append(Double(before - start) / 1e3 / Double(calls * batch))
      }
      result.instructions = try InstructionCount.ofEach(calls, counting: event) { call in
        for place in call * batch..<(call + 1) * batch { look(order[place], scalars, &values) }
      }
    }
    result.repeats.sort()
    result.recalled = recalledShare(order[..<(calls * batch)])
    return result
  }

  /// What the request is answered; texts are valid until the next look-up.
  func values(of request: Int) -> [Scalar] {
    var values: [Scalar] = []
    requests.scalars.withUnsafeBufferPointer { look(request, $0, &values) }
    return values
  }

  @inline(__always)
  private func look(
    _ request: Int, _ scalars: UnsafeBufferPointer<Scalar>, _ values: inout [Scalar]
  ) {
    reader.lookUp(
      plan, scalars.baseAddress! + request * requests.width, at: requests.times[request], given: [],
      into: &values)
  }

  /// Of rows, not of look-ups, which ask for one of each view.
  private func recalledShare(_ order: ArraySlice<Int>) -> Double {
    var values: [Scalar] = []
    var recalled = 0
    requests.scalars.withUnsafeBufferPointer { scalars in
      for request in order {
        look(request, scalars, &values)
        recalled += reader.outcome.recalled
      }
    }
    return Double(recalled) / Double(max(1, order.count * plan.viewCount))
  }

  private func count(_ order: ArraySlice<Int>, _ result: inout Result) {
    var values: [Scalar] = []
    requests.scalars.withUnsafeBufferPointer { scalars in
      for request in order {
        look(request, scalars, &values)
        result.absent += reader.outcome.absent
        result.damaged += reader.outcome.damaged
        result.unanswered += reader.outcome.unanswered + reader.outcome.stale
      }
    }
  }
}

/// Rows written again by a thread of their own, so many a second, until told to stop.
final class FeatureUpdates {
  private final class State: Sendable {
    let isStopped = Atomic(false)
    let written = Atomic(0)
    let seconds = Mutex(0.0)
    let failure = Mutex<Failure?>(nil)
  }

  private let state = State()
  private let thread: WorkerThread
  /// Rows that are written without a look at the clock.
  private static let turn = 16

  init(
    _ views: [FeatureView], _ address: OnlineAddress, perSecond: Int, _ clock: any Clock
  ) throws(Failure) {
    guard case .folder(let folder) = address else {
      preconditionFailure("only a folder is written here")
    }
    let rewriter = try RowRewriter(views, folder: folder)
    let state = state
    let start = clock.monotonicNanoseconds()
    thread = try WorkerThread {
      do throws(Failure) {
        while !state.isStopped.load(ordering: .relaxed) {
          let elapsed = Double(clock.monotonicNanoseconds() - start) / 1e9
          let due = Int(elapsed * Double(perSecond)) - state.written.load(ordering: .relaxed)
          let rows = min(due, FeatureUpdates.turn)
          try rewriter.rewrite(rows)
          state.written.add(rows, ordering: .relaxed)
          if rows == due { usleep(500) }
        }
        let seconds = Double(clock.monotonicNanoseconds() - start) / 1e9
        state.seconds.withLock { $0 = seconds }
        try rewriter.close()
      } catch {
        state.failure.withLock { $0 = error }
      }
    }
  }

  /// - Returns: how many rows a second were written.
  func finish() throws(Failure) -> Double {
    state.isStopped.store(true, ordering: .relaxed)
    thread.join()
    if let failure = state.failure.withLock({ $0 }) { throw failure }
    let written = state.written.load(ordering: .relaxed)
    let seconds = state.seconds.withLock { $0 }
    return seconds > 0 ? Double(written) / seconds : 0
  }
}
