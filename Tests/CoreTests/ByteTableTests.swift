import Core
import TestSupport
import Testing

@Suite struct ByteTableTests {
  /// The twin: a dictionary of arrays.
  @Test(arguments: [UInt64(1), 2, 3]) func numbersKeysAsADictionaryWould(_ seed: UInt64) {
    var random = SplitMix64(seed: seed)
    let table = ByteTable()
    var known: [[UInt8]: Int] = [:]
    var wrong = 0
    for _ in 0..<20_000 {
      let length = Int.random(in: 0...12, using: &random)
      let key = (0..<length).map { _ in UInt8.random(in: 0...2, using: &random) }
      let found = key.withBytes { table.find($0) }
      if found != known[key] { wrong += 1 }
      guard Bool.random(using: &random) else { continue }
      let (index, isNew) = key.withBytes { table.insert($0) }
      if isNew != (known[key] == nil) || index != known[key] ?? known.count { wrong += 1 }
      known[key] = index
    }
    #expect(wrong == 0)
    #expect(table.count == known.count)
    for (key, index) in known { #expect(table[index].copy() == key) }
  }

  @Test func theEmptyKeyIsAKey() {
    let table = ByteTable()
    #expect(table.find(.empty) == nil)
    #expect(table.insert(.empty) == (0, true))
    #expect(table.insert(.empty) == (0, false))
    #expect(table.find(.empty) == 0)
    #expect(table[0].isEmpty)
  }

  @Test func keysLongerThanAChunkAreKeptWhole() {
    let table = ByteTable()
    let keys = [10, 70_000, 65_536, 65_537, 1, 200_000].map { length in
      (0..<length).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ length) }
    }
    for key in keys { #expect(key.withBytes { table.insert($0) }.isNew) }
    for (index, key) in keys.enumerated() {
      #expect(key.withBytes { table.find($0) } == index)
      #expect(table[index].copy() == key)
    }
  }

  @Test func keysThatDifferOnlyInLengthDiffer() {
    let table = ByteTable()
    for length in 0..<40 {
      #expect([UInt8](repeating: 0, count: length).withBytes { table.insert($0) } == (length, true))
    }
  }
}
