// What a log says of its sources, and the summary beside it: whatever state that is in, the answer is the log's.

import Core
import TestSupport
import Testing

@testable import Events

@Suite struct SourcePartitionTests {
  private let log = TestLog()

  /// Events with offsets of one partition.
  private func write(_ offsets: Range<Int64>, partition: Int64 = 0) throws {
    let writer = try log.open(segmentBytes: 900)
    for offset in offsets {
      let batch = LogBatch()
      batch.lines.append(
        "{\"n\":1,\"_rt\":{\"offset\":\(writer.nextOffset),\"source\":\"a \\\"t\\\"\","
          + "\"partition\":\(partition),\"source_offset\":\(offset)}}")
      batch.endEvent(time: TestLog.time(offset), ingested: log.clock.now())
      try writer.append(batch)
    }
    try writer.close()
  }

  private func found(keepsSummary: Bool = false) throws -> [Int64: [Range<Int64>]] {
    let partitions = try SourcePartitions(
      log: TestLog.path, files: log.disk, keepsSummary: keepsSummary
    ).partitions
    #expect(partitions.allSatisfy { $0.source == #"a "t""# })
    let seen = partitions.filter { !$0.seen.ranges.isEmpty }
    return Dictionary(uniqueKeysWithValues: seen.map { ($0.number, $0.seen.ranges) })
  }

  private let summary = "\(TestLog.path)/sources"

  @Test func theSummaryIsReadAndTheLogFromThereOn() throws {
    try write(0..<10)
    #expect(try found() == [0: [0..<10]])
    #expect(log.disk[summary] == nil, "only the writer keeps one")
    #expect(try found(keepsSummary: true) == [0: [0..<10]])
    #expect(log.disk[summary] != nil)
    try write(10..<14)
    try write(20..<22, partition: 7)
    let all: [Int64: [Range<Int64>]] = [0: [0..<14], 7: [20..<22]]
    #expect(try found() == all)
    #expect(try found(keepsSummary: true) == all)
    #expect(try found() == all)
  }

  @Test func aDamagedSummaryIsNotBelieved() throws {
    try write(0..<10)
    _ = try found(keepsSummary: true)
    let whole = try #require(log.disk[summary])
    for place in whole.indices {
      for bit in 0..<8 {
        var damaged = whole
        damaged[place] ^= 1 << UInt8(bit)
        log.disk[summary] = damaged
        #expect(try found() == [0: [0..<10]], "byte \(place), bit \(bit)")
      }
      log.disk[summary] = Array(whole.prefix(place))
      #expect(try found() == [0: [0..<10]], "cut at \(place)")
    }
  }

  /// A power cut has taken events back, and others were written in their place.
  @Test func aSummaryOfEventsThatAreLostIsNotBelieved() throws {
    try write(0..<6)
    let before = log.disk.paths.map { ($0, log.disk[$0]!) }
    try write(6..<9)
    _ = try found(keepsSummary: true)
    for path in log.disk.paths where path != summary { log.disk[path] = nil }
    for (path, bytes) in before { log.disk[path] = bytes }
    #expect(try found() == [0: [0..<6]], "the log is shorter than the summary")
    log.clock.advance(.seconds(60))
    try write(30..<36)
    #expect(try found() == [0: [0..<6, 30..<36]], "the log has gone another way")
  }

  @Test func whatRetentionRemovedIsStillKnown() throws {
    try write(0..<30)
    _ = try found(keepsSummary: true)
    let writer = try log.open(segmentBytes: 900, retention: LogRetention(bytes: 1_000))
    #expect(try log.text().split(separator: "\n").count < 10)
    try writer.close()
    #expect(try found() == [0: [0..<30]])
  }

  /// A run that goes on behind a log knows every event that the log holds, by its place or by its id.
  @Test func aRunBehindALogKnowsWhatIsInIt() throws {
    try write(3..<9)
    let run = try TestRun()
    let schema = EventSchema(anyType: EventType(name: ""))
    let text = (0..<12).map {
      #"{"topic":"a \"t\"","partition":0,"offset":\#($0),"ts":1357344000000,"payload":"{}"}"# + "\n"
    }.joined()
    let intake = EventIntake(
      [ChunkedSource(text)], schema: schema, rejects: try Rejects(run.invocation),
      clock: ManualClock(Timestamp("2100-01-01T00:00:00Z")), trustsMarks: false,
      layers: .layers([.kcat]), beforeWaiting: { () throws(Failure) in })
    try intake.resume(TestLog.path, nextOffset: 6, schema: schema, files: log.disk)
    var offsets: [Int64] = []
    while let arrival = try intake.next() { offsets.append(arrival.origin!.offset!) }
    #expect(offsets == [0, 1, 2, 9, 10, 11])
    #expect(intake.counts.repeats == 6)
  }
}
