// The table of ids against a dictionary, through many sizes, with ids of every length and hashes that collide.

import TestSupport
import Testing

@testable import Core
@testable import Events

@Suite struct IdTableTests {
  /// In memory, in files, and in both.
  @Test(arguments: [0, 5_000], [SpillMemory.standardBytes, 0, 700_000])
  func agreesWithADictionary(_ expected: Int, _ bytesMax: Int) {
    var random = SplitMix64(seed: 11)
    let memory = SpillMemory(bytesMax: bytesMax)
    let table = IdTable(expecting: expected, in: memory)
    var twin: [[UInt8]: Timestamp] = [:]
    for round in 0..<20_000 {
      let length = [0, 1, 7, 8, 9, 16, 40, 300][Int.random(in: 0..<8, using: &random)]
      let id = (0..<length).map { _ in UInt8.random(in: 0..<3, using: &random) }
      let time = Timestamp(microseconds: Int64(round))
      id.withBytes { bytes in
        let hash = ByteTable.hash(bytes)
        let found = table.find(bytes, hash)
        #expect(found.map(table.time) == twin[id])
        guard found == nil else { return }
        table.insert(bytes, hash, at: time)
        twin[id] = time
      }
    }
    #expect(table.count == twin.count && twin.count > 5_000)
    #expect((memory.spilledBytes > 0) == (bytesMax < SpillMemory.standardBytes))
    #expect(memory.heldBytes <= bytesMax && (memory.heldBytes > 0) == (bytesMax > 0))
    for (id, time) in twin {
      #expect(id.withBytes { table.find($0, ByteTable.hash($0)).map(table.time) } == time)
    }
  }

  @Test(arguments: [0, 1 << 20, 1 << 63 | 5, ~0] as [UInt64])
  func idsWithOneHashAreToldApart(_ hash: UInt64) {
    let table = IdTable()
    for number in 0..<500 {
      Array("id\(number)".utf8).withBytes { id in
        #expect(table.find(id, hash) == nil)
        table.insert(id, hash, at: Timestamp(microseconds: Int64(number)))
      }
    }
    for number in 0..<500 {
      let found = Array("id\(number)".utf8).withBytes { table.find($0, hash).map(table.time) }
      #expect(found == Timestamp(microseconds: Int64(number)))
    }
  }

  @Test func anIdLongerThanAChunkIsKept() {
    let table = IdTable()
    let long = [UInt8](repeating: 7, count: 1 << 19)
    for (number, id) in [[1], long, [2], long + [1], [3]].enumerated() {
      id.withBytes {
        table.insert($0, ByteTable.hash($0), at: Timestamp(microseconds: Int64(number)))
      }
    }
    for _ in 0..<100 {
      let id = Array("more\(table.count)".utf8)
      id.withBytes { table.insert($0, ByteTable.hash($0), at: .distantPast) }
    }
    for (number, id) in [[1], long, [2], long + [1], [3]].enumerated() {
      let found = id.withBytes { table.find($0, ByteTable.hash($0)).map(table.time) }
      #expect(found == Timestamp(microseconds: Int64(number)))
    }
    #expect(table.byteCount > 2 * long.count)
  }
}
