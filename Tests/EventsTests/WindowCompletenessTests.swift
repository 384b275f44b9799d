// Windows of a stream with events that were refused as late, against plain counting; and memory that stays flat.

import Core
import TestSupport
import Testing

@testable import Events

@Suite struct WindowCompletenessTests {
  private static func time(_ second: Int64) -> Timestamp {
    Timestamp(microseconds: 0) + .seconds(second)
  }

  @Test(arguments: 0..<20) func isWhatCountingSays(_ seed: UInt64) {
    var random = SplitMix64(seed: seed)
    var windows = WindowCompleteness(.seconds(10))
    var accepted: [Int64: Int] = [:]
    var late: [Int64: Int] = [:]
    var latest: Int64 = -500
    for _ in 0..<2_000 {
      let time = latest + Int64.random(in: -40...3, using: &random)
      latest = max(latest, time)
      let start = Int64((Double(time) / 10).rounded(.down)) * 10
      if time < latest - 15 {
        windows.refuse(Self.time(time), watermark: Self.time(latest - 15))
        late[start, default: 0] += 1
      } else {
        windows.accept(Self.time(time), watermark: Self.time(latest - 15))
        accepted[start, default: 0] += 1
      }
    }
    let watermark = latest - 15
    let starts = Set(accepted.keys).union(late.keys).filter { $0 + 10 <= watermark }.sorted()
    let passed = windows.passed(Self.time(watermark))
    #expect(passed.map(\.start) == starts.map(Self.time))
    #expect(passed.map(\.accepted) == starts.map { accepted[$0] ?? 0 })
    #expect(passed.map(\.late) == starts.map { late[$0] ?? 0 })
    let summary = windows.summary(passed: Self.time(watermark))
    #expect(summary.windows == starts.count && summary.windows > 20)
    #expect(summary.incomplete == starts.count { late[$0] != nil } && summary.incomplete > 0)
    let shares = starts.map {
      Double(accepted[$0] ?? 0) / Double((accepted[$0] ?? 0) + (late[$0] ?? 0))
    }
    #expect(summary.least?.share == shares.min())
    #expect(summary.least?.start == Self.time(starts[shares.firstIndex(of: shares.min()!)!]))
  }

  /// Of a few kept windows the older ones are summed up all the same.
  @Test func onlyTheNewestAreKept() {
    var windows = WindowCompleteness(.seconds(10), keptMax: 3)
    for second in Int64(0)..<100 {
      windows.accept(Self.time(second), watermark: Self.time(second - 5))
      if second == 25 { windows.refuse(Self.time(11), watermark: Self.time(20)) }
    }
    windows.refuse(Self.time(50), watermark: Self.time(94))
    #expect(windows.beyond == 1 && windows.olderCount == 7)
    windows.refuse(Self.time(70), watermark: Self.time(94))
    #expect(windows.passed(Self.time(100)).map(\.events) == [11, 10, 10])
    let summary = windows.summary(passed: Self.time(100))
    #expect(summary.windows == 10 && summary.incomplete == 2)
    #expect(summary.least?.start == Self.time(10) && summary.least?.late == 1)
  }

  /// Of which it cannot be said that they were complete.
  @Test func windowsThatTheWatermarkHasNotPassedAreNotSummedUp() {
    var windows = WindowCompleteness(.seconds(10), keptMax: 3)
    for second in Int64(0)..<100 {
      windows.accept(Self.time(second), watermark: Self.time(second - 45))
    }
    #expect(windows.dropped == 7 && windows.olderCount == 0 && windows.beyond == 0)
    #expect(windows.summary(passed: Self.time(54)).windows == 0)
    windows.accept(Self.time(100), watermark: Self.time(90))
    #expect(windows.dropped == 7 && windows.olderCount == 1)
  }

  /// They go many at a time; a late event of one that has gone must not make it anew.
  @Test func windowsThatHaveGoneDoNotComeBack() {
    var windows = WindowCompleteness(.seconds(1), keptMax: 32)
    for second in Int64(0)..<33 {
      windows.accept(Self.time(second), watermark: Self.time(second - 5))
    }
    #expect(windows.olderCount == 2 && windows.passed(Self.time(100)).count == 31)
    windows.refuse(Self.time(1), watermark: Self.time(27))
    windows.accept(Self.time(0), watermark: Self.time(27))
    #expect(windows.beyond == 1 && windows.olderCount == 2)
    #expect(windows.summary(passed: Self.time(100)).incomplete == 0)
    #expect(windows.passed(Self.time(100)).first?.start == Self.time(2))
  }

  @Test func windowsOfAnEarlierRunAreLeftOut() {
    var windows = WindowCompleteness(.seconds(10), since: Self.time(15))
    for second in Int64(0)..<50 {
      windows.accept(Self.time(second), watermark: .distantPast)
    }
    #expect(windows.passed(Self.time(100)).map(\.start) == [20, 30, 40].map(Self.time))
  }
}
