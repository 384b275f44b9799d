// Windows of a stream against profiles of the same records that are cut by hand.

import Core
import TestSupport
import Testing

@testable import Measure

@Suite struct WindowFollowerTests {
  private struct Record {
    /// Minutes since the first day.
    let minute: Int
    let delay: Double
    let origin: String

    var line: String {
      let output = OutputBuffer(MemorySink())
      output.append(Timestamp(microseconds: 1_700_006_400_000_000 + Int64(minute) * 60_000_000))
      return #"{"time":"\#(output.pending.string)","delay":\#(delay),"origin":"\#(origin)"}"#
    }
  }

  private static func text(_ day: Int) -> String {
    DriftReport.text(
      Timestamp(microseconds: 1_700_006_400_000_000 + Int64(day) * 86_400_000_000))
  }

  /// A record each ten minutes; the delays of each day have that day's mean.
  private func records(_ means: [Double]) -> [Record] {
    var random = SplitMix64(seed: 3)
    return means.enumerated().flatMap { day, mean in
      Profiling.normal(144, mean, &random).enumerated().map { place, delay in
        Record(
          minute: day * 1440 + place * 10, delay: delay, origin: place % 3 == 0 ? "JFK" : "LGA")
      }
    }
  }

  private static let clock = ManualClock(Timestamp(microseconds: 4_102_444_800_000_000))

  private func follow(
    _ records: [Record], against comparison: WindowFollower.Comparison,
    lateness: TimeSpan = .zero, onClosed: @escaping (WindowFollower.Closed) -> Void
  ) throws -> WindowFollower {
    let follower = WindowFollower(
      .init(), time: "time", unit: .rfc3339, every: .days(1), lateness: lateness, comparison,
      DriftRules(), clock: WindowFollowerTests.clock
    ) { (closed) throws(Failure) in onClosed(closed) }
    for record in records {
      try Array(record.line.utf8).withBytes { (bytes) throws(BadRecord) in
        try follower.add(bytes, padding: 0)
      }
      try follower.closeWindows()
    }
    return follower
  }

  /// The same comparison, of records that are picked out by hand.
  private func plain(_ records: [Record], _ day: Int, _ earlier: Int) throws -> DriftReport {
    func profile(_ day: Int) throws -> Profile {
      let lines = records.filter { $0.minute / 1440 == day }.map(\.line)
      let profile = try Profiling.profile(lines, time: "time")
      profile.keep { $0 != "time" }
      return profile
    }
    return DriftReport(try profile(earlier), try profile(day), DriftRules())
  }

  private func text(_ report: DriftReport) -> String {
    let output = OutputBuffer(MemorySink())
    report.appendVerdicts(to: output)
    return output.pending.string
  }

  @Test(arguments: [1, 7]) func eachWindowIsComparedWithTheEarlierOne(_ days: Int) throws {
    let records = records([0, 0, 0.2, 1.5, 1.5, 0, 0, 0, 2, 0])
    var found: [WindowFollower.Closed] = []
    let follower = try follow(records, against: .earlier(by: .days(Int64(days)))) {
      found.append($0)
    }
    // The last day is open: nothing came after it.
    #expect(found.map(\.records) == Array(repeating: 144, count: 9))
    for (day, closed) in found.enumerated() {
      #expect(DriftReport.text(closed.start) == WindowFollowerTests.text(day))
      guard day >= days else {
        #expect(closed.report == nil)
        continue
      }
      let report = try #require(closed.report)
      #expect(text(report) == text(try plain(records, day, day - days)))
      #expect(closed.against == WindowFollowerTests.text(day - days))
    }
    #expect(follower.compared == 9 - days && follower.openStarts.count == 1)
    #expect(follower.drifted == found.count { $0.report?.verdict == .drift })
    #expect(follower.drifted >= 1)
  }

  @Test func aGapIsNotCompared() throws {
    let records = records([0, 0, 0, 0, 0]).filter { $0.minute / 1440 != 2 }
    var reports: [String: Bool] = [:]
    _ = try follow(records, against: .earlier(by: .days(1))) {
      reports[DriftReport.text($0.start)] = $0.report != nil
    }
    #expect(
      reports == [
        WindowFollowerTests.text(0): false, WindowFollowerTests.text(1): true,
        WindowFollowerTests.text(3): false,
      ])
  }

  @Test func lateRecordsCountWithinTheirStretch() throws {
    var shuffled = records([0, 0, 0])
    // The last ten of each day come after the first five of the next.
    for day in 0..<2 { shuffled[day * 144 + 134..<day * 144 + 149].reverse() }
    var counts: [Int64] = []
    let strict = try follow(shuffled, against: .earlier(by: .days(1))) { counts.append($0.records) }
    #expect(counts == [134, 134] && strict.late == 20)
    counts = []
    let patient = try follow(
      shuffled, against: .earlier(by: .days(1)), lateness: .hours(1)
    ) { counts.append($0.records) }
    #expect(counts == [144, 144] && patient.late == 0)
  }

  @Test func aReferenceStaysTheSame() throws {
    let before = records([0])
    let reference = try Profiling.profile(before.map(\.line), time: "time")
    reference.keep { $0 != "time" }
    var verdicts: [DriftVerdict?] = []
    _ = try follow(records([0, 2, 2, 2]), against: .reference(reference, name: "before")) {
      #expect($0.against == "before")
      verdicts.append($0.report?.verdict)
    }
    #expect(verdicts == [.ok, .drift, .drift])
  }

  /// One wrong year would close all windows, and make late what comes after it.
  @Test func recordsFarInTheFutureAreRefused() throws {
    let clock = ManualClock(Timestamp(microseconds: 0))
    let follower = WindowFollower(
      .init(), time: "time", unit: .s, every: .seconds(100), lateness: .zero,
      .earlier(by: .seconds(100)), DriftRules(), clock: clock
    ) { (_) throws(Failure) in }
    func add(_ second: Int64) throws(BadRecord) {
      try Array(#"{"time":\#(second),"a":1}"#.utf8)
        .withBytes { (bytes) throws(BadRecord) in try follower.add(bytes, padding: 0) }
    }
    let year: Int64 = 366 * 86_400
    try add(year)
    #expect(throws: BadRecord.self) { try add(year + 1) }
    clock.advance(.seconds(1))
    try add(year + 1)
    try follower.closeWindows()
    #expect(follower.windows == 0 && follower.late == 0)
  }

  /// A column that is in some windows only.
  @Test func columnsComeAndGo() throws {
    var findings: [[DriftFinding.Code]] = []
    let follower = WindowFollower(
      .init(), time: "time", unit: .s, every: .seconds(100), lateness: .zero,
      .earlier(by: .seconds(100)), DriftRules(), clock: WindowFollowerTests.clock
    ) { (closed) throws(Failure) in
      findings.append(closed.report?.columns.flatMap { $0.findings.map(\.code) } ?? [])
    }
    for second in 0..<400 {
      let extra = (100..<200).contains(second) ? #","b":\#(second % 7)"# : ""
      try Array(#"{"time":\#(second),"a":\#(second % 5)\#(extra)}"#.utf8)
        .withBytes { (bytes) throws(BadRecord) in try follower.add(bytes, padding: 0) }
      try follower.closeWindows()
    }
    #expect(findings == [[], [.columnNew], [.columnMissing]])
  }
}
