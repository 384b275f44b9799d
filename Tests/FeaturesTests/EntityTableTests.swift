// The table of entities against a dictionary, and a history's rows against an array that is sorted anew.

import TestSupport
import Testing

@testable import Core
@testable import Features

@Suite struct EntityTableTests {
  /// Keys of 1 to 80 bytes, short and long ones, many of which come again.
  @Test func entitiesAreFoundByTheirKeys() {
    var random = SplitMix64(seed: 11)
    let table = EntityTable(columns: 1)
    var order: [[UInt8]: Int64] = [:]
    for index in 0..<20_000 {
      var key = Array("k\(Int.random(in: 0..<8_000, using: &random))".utf8)
      if key.count.isMultiple(of: 2) { key += Array(repeating: 7, count: Int(key[1])) }
      key.withBytes { key in
        let known = order[Array(key.buffer)]
        #expect(table.find(key).map { $0.rowCount > 0 } == known.map { _ in true })
        let history = table.insert(key)
        if known == nil {
          order[Array(key.buffer)] = Int64(index)
          withUnsafePointer(to: Cell.int(Int64(index))) {
            _ = history.insert(Timestamp(microseconds: Int64(index)), order: 0, cells: $0)
          }
        }
      }
    }
    #expect(table.count == order.count)
    for (key, index) in order {
      let history = key.withBytes { table.find($0) }
      #expect(history?.latest == Timestamp(microseconds: index))
    }
    #expect([1, 2, 3].withBytes { table.find($0) }.map { _ in true } == nil)
  }

  /// Entities come, go and come again; those that stay are found, and numbers are used again.
  @Test func removedEntitiesAreGoneAndTheOthersAreNot() {
    var random = SplitMix64(seed: 13)
    let table = EntityTable(columns: 1)
    var numbers: [Int: Int] = [:]
    var most = 0
    func key(_ id: Int) -> [UInt8] {
      Array(String(repeating: "k", count: id % 60).utf8) + Array("\(id)".utf8)
    }
    for step in 0..<30_000 {
      let id = Int.random(in: 0..<600, using: &random)
      if let number = numbers[id], Bool.random(using: &random) {
        table.remove(number)
        #expect(table.isFree(number))
        numbers[id] = nil
      } else {
        let history = key(id).withBytes { table.insert($0) }
        #expect(numbers[id] ?? history.number == history.number)
        if numbers[id] == nil { #expect(history.rowCount == 0 && history.track == nil) }
        numbers[id] = history.number
        withUnsafePointer(to: Cell.int(Int64(step))) {
          _ = history.insert(Timestamp(microseconds: Int64(step)), order: Int64(step), cells: $0)
        }
      }
      most = max(most, numbers.count)
      let asked = Int.random(in: 0..<600, using: &random)
      let found = key(asked).withBytes { table.find($0)?.number }
      if found != numbers[asked] { Issue.record("\(asked) at step \(step)") }
    }
    #expect(table.count == numbers.count)
    #expect(table.numberCount == most)
  }

  @Test func rowsAreFoundByTheirTimes() {
    var random = SplitMix64(seed: 12)
    let table = EntityTable(columns: 1)
    let history = [UInt8(1)].withBytes { table.insert($0) }
    var rows: [(time: Int64, order: Int64)] = []
    for order in 0..<1_000 as Range<Int64> {
      // Nearly in order, with ties and late ones.
      let time = order / 2 - (Int.random(in: 0..<10, using: &random) == 0 ? 10 : 0)
      rows.append((time, order))
      withUnsafePointer(to: Cell.int(order)) {
        _ = history.insert(Timestamp(microseconds: time), order: order, cells: $0)
      }
      if order % 100 == 99 { history.drop(before: history.endRow - 60) }
      let asked = time - Int64.random(in: -3..<70, using: &random)
      let before = rows.count { $0.time < asked }
      #expect(
        history.firstRow(notBefore: Timestamp(microseconds: asked))
          == max(before, history.firstRow))
    }
    rows.sort { $0 < $1 }
    history.withRows(from: history.firstRow, column: 0) { times, cells, stride in
      for index in 0..<history.rowCount {
        let row = rows[history.firstRow + index]
        #expect(times[index] == Timestamp(microseconds: row.time))
        #expect(cells[index * stride] == .int(row.order))
      }
    }
  }
}
