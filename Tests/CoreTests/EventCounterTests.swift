import Foundation
import Testing

@testable import Core

/// Instructions are counted where the processor shows its counters; the system's own count of processor time goes the same way
/// (the same call, structure and reading), and is there on virtual machines as well.
@Suite struct EventCounterTests {
  private static func isThere(_ event: EventCounter.Event) -> Bool {
    (try? EventCounter(event)) != nil
  }

  /// - Returns: a number that no compiler knows.
  private func work(_ rounds: Int) -> UInt64 {
    var state = UInt64(rounds)
    for _ in 0..<rounds { state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407 }
    return state
  }

  /// Nanoseconds of this thread on a processor, by another way.
  private func threadTime() -> UInt64 {
    var time = timespec()
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
    return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
  }

  @Test(.enabled(if: isThere(.processorTime), "this system does not let processes count"))
  func processorTimeIsWhatTheThreadTook() throws {
    let counter = try EventCounter(.processorTime)
    let (before, start) = (try #require(counter.value()), threadTime())
    #expect(work(3_000_000) != 0)
    let (counted, took) = (try #require(counter.value()) - before, threadTime() - start)
    #expect(counted > 1_000_000, "\(counted) ns")
    #expect(Double(counted) > 0.9 * Double(took) && Double(counted) < 1.1 * Double(took) + 1e6)
  }

  /// What sleeps counts nothing, whatever the time.
  @Test(.enabled(if: isThere(.processorTime), "this system does not let processes count"))
  func aThreadThatSleepsCountsNothing() throws {
    let counter = try EventCounter(.processorTime)
    let before = try #require(counter.value())
    usleep(50_000)
    #expect(try #require(counter.value()) - before < 20_000_000)
  }

  @Test(.enabled(if: isThere(.processorTime), "this system does not let processes count"))
  func threadsStartedMeanwhileCount() throws {
    let counter = try EventCounter(.processorTime)
    let before = try #require(counter.value())
    nonisolated(unsafe) var took: UInt64 = 0
    let thread = try WorkerThread {
      let start = threadTime()
      if work(10_000_000) != 0 { took = threadTime() - start }
    }
    thread.join()
    let counted = try #require(counter.value()) - before
    #expect(took > 0 && Double(counted) > 0.9 * Double(took), "\(counted) of \(took) ns")
  }

  @Test(.enabled(if: isThere(.instructions), "this processor shows no counters"))
  func instructionsGrowWithTheWork() throws {
    let counter = try EventCounter(.instructions)
    let start = try #require(counter.value())
    #expect(work(1_000_000) != 0)
    let once = try #require(counter.value())
    #expect(work(2_000_000) != 0)
    let (first, second) = (once - start, try #require(counter.value()) - once)
    // A multiplication and an addition a round, at least.
    #expect(first >= 2_000_000 && Double(second) > 1.8 * Double(first))
  }

  @Test func whereNothingIsCountedThereIsAReason() {
    let lack = EventCounter.lackOfInstructions()
    #expect((lack == nil) == EventCounterTests.isThere(.instructions))
    if let lack { #expect(lack.contains("perf_event_open: ") || lack.contains("rusage: ")) }
  }
}
