// How fast lines become typed members: counting lines, taking three members, taking all of them. The data are
// the flights' events: `scheduled` (about 300 bytes a line) and `departed` (about 180).

import Core
import Foundation
import TestSupport
import Testing

@Suite(.serialized) struct RecordBenchmarks {
  private static let streams: [(name: String, file: String, three: [String])] = [
    ("300 bytes", "scheduled", ["id", "carrier", "distance"]),
    ("180 bytes", "departed", ["id", "carrier", "dep_delay"]),
  ]

  private func data(_ file: String) throws -> [UInt8] {
    let week = try Fixtures.bytes("flights/week/\(file).ndjson")
    guard Benchmark.isReal else { return Array(week.prefix(200_000)) }
    return Array(repeatElement(week, count: 100_000_000 / week.count).joined())
  }

  private func members(of line: [UInt8]) -> [String] {
    let scanner = RecordScanner(FieldPlan())
    return line.withBytes { bytes in
      try? scanner.scan(bytes)
      return scanner.memberNames
    }
  }

  /// Takes members by their own types; returns how many values there were, for the optimiser to keep.
  private func take(_ names: [String], from data: [UInt8]) throws -> (records: Int, values: Int) {
    var plan = FieldPlan()
    let slots = names.map { plan.slot([$0]) }
    let scanner = RecordScanner(plan)
    let reader = LineReader(MemorySource(data))
    var records = 0
    var values = 0
    while let line = try reader.next() {
      do {
        try scanner.scan(line.bytes, padding: LineReader.padding)
      } catch {
        continue
      }
      records += 1
      for slot in slots {
        if let value = scanner.scalar(slot), !value.isNull { values += 1 }
      }
    }
    return (records, values)
  }

  @Test(arguments: 0..<2)
  func readsLines(_ index: Int) throws {
    let stream = RecordBenchmarks.streams[index]
    let data = try data(stream.file)
    var lines = 0
    let seconds = try Benchmark.best {
      lines = 0
      let reader = LineReader(MemorySource(data))
      while try reader.next() != nil { lines += 1 }
    }
    Benchmark.report("lines, \(stream.name)", bytes: data.count, records: lines, seconds: seconds)
    #expect(lines > 500)
  }

  @Test(arguments: 0..<2)
  func takesThreeMembers(_ index: Int) throws {
    let stream = RecordBenchmarks.streams[index]
    let data = try data(stream.file)
    var taken = (records: 0, values: 0)
    let seconds = try Benchmark.best { taken = try take(stream.three, from: data) }
    Benchmark.report(
      "three members, \(stream.name)", bytes: data.count, records: taken.records, seconds: seconds)
    #expect(taken.values == taken.records * 3)
  }

  @Test(arguments: 0..<2)
  func takesAllMembers(_ index: Int) throws {
    let stream = RecordBenchmarks.streams[index]
    let data = try data(stream.file)
    let names = members(of: Array(data.prefix { $0 != 0x0A }))
    var taken = (records: 0, values: 0)
    let seconds = try Benchmark.best { taken = try take(names, from: data) }
    Benchmark.report(
      "all members, \(stream.name)", bytes: data.count, records: taken.records, seconds: seconds)
    #expect(taken.values > taken.records * (names.count - 3))
  }
}
