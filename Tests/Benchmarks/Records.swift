// How fast lines become typed members: counting lines, taking three members, taking all of them. The data are
// the flights' events: `scheduled` (about 300 bytes a line) and `departed` (about 180).

import Core
import Foundation

extension Benchmark {
  func records() throws {
    let week = URL(filePath: #filePath).deletingLastPathComponent()
      .appending(path: "../../Fixtures/flights/week")
    for (name, file, three) in [
      ("300 bytes", "scheduled.ndjson", ["id", "carrier", "distance"]),
      ("180 bytes", "departed.ndjson", ["id", "carrier", "dep_delay"]),
    ] {
      let text = [UInt8](try Data(contentsOf: week.appending(path: file)))
      try lines(name, in: repeated(text))
      try members(three, "three members, \(name)", of: repeated(text))
      try members(memberNames(of: text), "all members, \(name)", of: repeated(text))
    }
  }

  /// Some 100 MB of the same lines, far beyond what a processor caches.
  private func repeated(_ lines: [UInt8]) -> [UInt8] {
    guard !isSmall else { return Array(lines.prefix(200_000)) }
    return Array(repeatElement(lines, count: 100_000_000 / lines.count).joined())
  }

  private func memberNames(of lines: [UInt8]) -> [String] {
    let scanner = RecordScanner(FieldPlan())
    return lines.prefix { $0 != 0x0A }.withContiguousStorageIfAvailable { first in
      try? scanner.scan(Bytes(first))
      return scanner.memberNames
    } ?? []
  }

  private func lines(_ name: String, in data: [UInt8]) throws {
    var count = 0
    let seconds = try best {
      count = 0
      let reader = LineReader(MemorySource(data))
      while try reader.next() != nil { count += 1 }
    }
    precondition(count > 500, "lines were not read")
    report("lines, \(name)", bytes: data.count, records: count, seconds: seconds)
  }

  private func members(_ names: [String], _ what: String, of data: [UInt8]) throws {
    var taken = (records: 0, values: 0)
    let seconds = try best { taken = try take(names, from: data) }
    // In a flight's events few members are null.
    precondition(taken.records > 500, "records were not read")
    precondition(taken.values > taken.records * max(1, names.count - 3), "members were not taken")
    report(what, bytes: data.count, records: taken.records, seconds: seconds)
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
      // The last line of a small run may be cut.
      do { try scanner.scan(line.bytes, padding: LineReader.padding) } catch { continue }
      records += 1
      for slot in slots {
        if let value = scanner.scalar(slot), !value.isNull { values += 1 }
      }
    }
    return (records, values)
  }
}
