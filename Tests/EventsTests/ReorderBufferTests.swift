import Core
import Events
import TestSupport
import Testing

@Suite struct ReorderBufferTests {
  private func event(_ time: Int64, _ id: String, _ offset: Int64) -> WaitingEvent {
    WaitingEvent(
      time: Timestamp(microseconds: time), id: Array(id), offset: offset, line: Array("\(offset)"))
  }

  private func random(_ seed: UInt64, _ count: Int) -> [WaitingEvent] {
    var random = SplitMix64(seed: seed)
    return (0..<count).map { offset in
      let id = ["", "a", "b", "ab"].randomElement(using: &random)!
      return event(Int64.random(in: 0..<20, using: &random), id, Int64(offset))
    }
  }

  /// By time, then id, then offset.
  private func sorted(_ events: [WaitingEvent]) -> [Int64] {
    events.sorted { left, right in
      if left.time != right.time { return left.time < right.time }
      if left.id != right.id { return left.id.lexicographicallyPrecedes(right.id) }
      return left.offset < right.offset
    }.map(\.offset)
  }

  @Test(arguments: [0, 1, 2, 3, 10, 100, 500]) func leavesInTheOrderOfASort(_ count: Int) {
    let events = random(UInt64(count), count)
    var buffer = ReorderBuffer()
    for event in events { buffer.insert(event) }
    #expect(buffer.count == count)
    var found: [Int64] = []
    while let next = buffer.next() {
      found.append(next.offset)
      #expect(next.line == Array("\(next.offset)"))
    }
    #expect(found == sorted(events) && buffer.count == 0)
  }

  @Test func holdsBackWhatTheWatermarkHasNotPassed() {
    var buffer = ReorderBuffer()
    for event in [event(5, "b", 0), event(3, "a", 1), event(5, "a", 2)] { buffer.insert(event) }
    #expect(buffer.next(before: Timestamp(microseconds: 3)) == nil)
    #expect(buffer.next(before: Timestamp(microseconds: 5))?.offset == 1)
    #expect(buffer.next(before: Timestamp(microseconds: 5)) == nil, "at the watermark it waits")
    #expect(buffer.next(before: Timestamp(microseconds: 6))?.offset == 2)
    #expect(buffer.next()?.offset == 0)
    #expect(buffer.next() == nil && buffer.next(before: .distantFuture) == nil)
  }

  @Test func theOrderOfArrivalMakesNoDifference() {
    var random = SplitMix64(seed: 1)
    let events = self.random(7, 60)
    for _ in 0..<20 {
      var buffer = ReorderBuffer()
      var found: [Int64] = []
      for event in events.shuffled(using: &random) { buffer.insert(event) }
      for watermark in Int64(0)...20 {
        while let next = buffer.next(before: Timestamp(microseconds: watermark)) {
          found.append(next.offset)
        }
      }
      #expect(found == sorted(events))
    }
  }
}
