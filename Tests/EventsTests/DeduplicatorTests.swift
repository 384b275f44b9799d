import Core
import Events
import TestSupport
import Testing

@Suite struct DeduplicatorTests {
  /// Keeps everything for ever and compares with all of it.
  private struct Twin {
    let stretch: Int64
    var seen: [Int: [Int64]] = [:]

    mutating func isRepeat(_ id: Int, at time: Int64) -> Bool {
      if seen[id, default: []].contains(where: { abs($0 - time) < stretch }) { return true }
      seen[id, default: []].append(time)
      return false
    }
  }

  private static let shapes: [(stretch: Int64, lateness: Int64)] = [
    (10, 0), (10, 3), (50, 10), (1, 0), (20, 19), (1_000, 5), (10, 30), (5, 100),
  ]

  @Test(arguments: shapes) func agreesWithATwinThatKeepsEverything(
    _ stretch: Int64, _ lateness: Int64
  ) {
    var random = SplitMix64(seed: UInt64(stretch * 100 + lateness))
    var repeats = 0
    for _ in 0..<40 {
      let dedup = Deduplicator(
        stretch: TimeSpan(microseconds: stretch), lateness: TimeSpan(microseconds: lateness))
      var twin = Twin(stretch: stretch)
      var latest: Int64 = 0
      for _ in 0..<300 {
        let jump = Int.random(in: 0..<20, using: &random) == 0 ? stretch * 3 : 2
        latest += Int64.random(in: 0...jump, using: &random)
        let time = latest - Int64.random(in: 0...lateness, using: &random)
        let id = Int.random(in: 0..<12, using: &random)
        let expected = twin.isRepeat(id, at: time)
        let found = Array("id\(id)").withBytes {
          dedup.isRepeat($0, at: Timestamp(microseconds: time))
        }
        #expect(found == expected, "id \(id) at \(time)")
        if expected { repeats += 1 }
      }
    }
    #expect(repeats > 0 || stretch == 1)
  }

  @Test func theStretchIsOpenAtItsEnd() {
    let dedup = Deduplicator(stretch: .minutes(10), lateness: .minutes(1))
    let start = Timestamp("2013-01-05T10:00:00Z")
    #expect(!dedup.isRepeat(Bytes("a"), at: start))
    #expect(dedup.isRepeat(Bytes("a"), at: start))
    #expect(dedup.isRepeat(Bytes("a"), at: start + TimeSpan(microseconds: 599_999_999)))
    #expect(!dedup.isRepeat(Bytes("b"), at: start))
    #expect(!dedup.isRepeat(Bytes("a"), at: start + .minutes(10)))
  }
}
