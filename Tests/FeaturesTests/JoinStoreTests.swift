// A join whose online store's writer stops at every single write, and goes on from what is there: nothing is lost and
// nothing counts twice.

import TestSupport
import Testing

@testable import Core
@testable import Events
@testable import Features

/// What outlives a writer. It fails when its writes are used up.
private final class Disk {
  typealias Table = (rows: [[UInt8]: [UInt8]], offset: Int64, watermark: Timestamp)
  var tables: [String: Table] = [:]
  /// Made anew beside those that are there, until they are finished.
  var rebuilt: [String: Table] = [:]
  var writesLeft = Int.max

  func spend() throws(Failure) {
    guard writesLeft > 0 else { throw .inputOutput("the writer stops") }
    writesLeft -= 1
  }
}

private final class DiskTable: RowSink {
  let name: String
  private let disk: Disk
  private var rebuilds: Bool

  init(_ name: String, _ disk: Disk, rebuilds: Bool = false) {
    self.name = name
    self.disk = disk
    self.rebuilds = rebuilds
    let empty: Disk.Table = ([:], -1, .distantPast)
    if rebuilds { disk.rebuilt[name] = empty }
    if disk.tables[name] == nil { disk.tables[name] = empty }
  }

  private var table: Disk.Table {
    get { (rebuilds ? disk.rebuilt[name] : disk.tables[name])! }
    set { if rebuilds { disk.rebuilt[name] = newValue } else { disk.tables[name] = newValue } }
  }

  var offset: Int64 { table.offset }
  var watermark: Timestamp { table.watermark }

  func put(_ key: Bytes, _ row: Bytes, order: Int64) throws(Failure) {
    try disk.spend()
    table.rows[key.copy()] = row.copy()
  }

  func forget(_ key: Bytes) throws(Failure) {
    try disk.spend()
    table.rows[key.copy()] = nil
  }

  func commit(offset: Int64, watermark: Timestamp) throws(Failure) {
    try disk.spend()
    table.offset = offset
    table.watermark = watermark
    guard name.hasSuffix(".join") else { return }
    // As a folder's store drops rows that are past their time.
    let rows = table.rows
    table.rows = rows.filter { _, row in
      row.withUnsafeBytes { $0.loadUnaligned(as: Int64.self) } >= watermark.microseconds
    }
  }

  func visitRows(_ body: (Bytes, Bytes) -> Bool) throws(Failure) -> Int {
    table.rows.count { key, row in
      !key.withBytes { key in row.withBytes { body(key, $0) } }
    }
  }

  func finish() throws(Failure) {
    try disk.spend()
    if rebuilds { disk.tables[name] = disk.rebuilt[name] }
    rebuilds = false
  }

  func abandon() {}
}

@Suite struct JoinStoreTests {
  private static let late: Int64 = 8
  private let events: [JoinEvent]
  private let watermarks: [Timestamp]

  init() {
    var random = SplitMix64(seed: 17)
    events = JoinEvent.shuffled(
      JoinEvent.generate(60, &random), late: JoinStoreTests.late, &random)
    var latest = Timestamp.distantPast
    watermarks = events.map { event in
      latest = max(latest, event.time)
      return latest - .seconds(JoinStoreTests.late)
    }
  }

  private func answers(_ world: JoinWorld) throws -> [[Double?]] {
    let end = watermarks.last! + .seconds(JoinStoreTests.late + 1)
    return try (0...2).map { try world.ask($0, at: end) }
  }

  /// - Returns: what is known in the end; nil where the disk has failed.
  private func run(
    _ disk: Disk, _ shape: JoinShape, fromTheBeginning: Bool, rebuildsOf count: Int? = nil
  ) throws -> [[Double?]]? {
    let world = try JoinWorld(shape)
    let rebuilds = count != nil
    do throws(Failure) {
      let writer = try OnlineWriter(
        world.engine,
        sinks: [
          DiskTable("v", disk, rebuilds: rebuilds), DiskTable("v.join", disk, rebuilds: rebuilds),
        ])
      for order in Int(fromTheBeginning ? 0 : writer.offset + 1)..<(count ?? events.count) {
        try? world.apply(events[order], order: order, watermark: watermarks[order])
        writer.noteEvent(offset: Int64(order), watermark: watermarks[order])
        if order % 9 == 8 { try writer.flush() }
      }
      try writer.finish()
    } catch {
      return nil
    }
    return try answers(world)
  }

  @Test(arguments: [false, true]) func aWriterThatStopsAtAnyWriteGoesOnAsIfItHadNot(
    _ isOuter: Bool
  ) throws {
    let shape = JoinShape(before: 4, after: 15, isOuter: isOuter)
    let world = try JoinWorld(shape)
    for (order, event) in events.enumerated() {
      try world.apply(event, order: order, watermark: watermarks[order])
    }
    let expected = try answers(world)
    #expect(expected.contains { ($0[1] ?? 0) > 5 })
    var stops = 0
    for writes in 0... {
      let disk = Disk()
      disk.writesLeft = writes
      if let answers = try run(disk, shape, fromTheBeginning: false) {
        #expect(answers == expected)
        break
      }
      stops += 1
      // And a second time, a few writes on.
      disk.writesLeft = 11
      _ = try run(disk, shape, fromTheBeginning: writes % 3 == 0)
      disk.writesLeft = .max
      let answers = try run(disk, shape, fromTheBeginning: writes % 2 == 0)
      #expect(answers == expected, "stopped after \(writes) writes")
    }
    #expect(stops > 100)
  }

  /// From a third of the events a store is made anew, and the writer stops between the two replacements: what is there
  /// then is of two ages.
  @Test(arguments: [false, true]) func aBackfillThatStopsBetweenItsTablesLosesNothing(
    _ isOuter: Bool
  ) throws {
    let shape = JoinShape(before: 4, after: 15, isOuter: isOuter)
    let third = events.count / 3
    let whole = Disk()
    let expected = try #require(try run(whole, shape, fromTheBeginning: true))
    let trial = Disk()
    trial.writesLeft = 1_000_000
    _ = try run(trial, shape, fromTheBeginning: true, rebuildsOf: third)
    let writes = 1_000_000 - trial.writesLeft
    for missing in 0...3 {
      let disk = Disk()
      disk.tables = whole.tables
      disk.writesLeft = writes - missing
      let answers = try run(disk, shape, fromTheBeginning: true, rebuildsOf: third)
      #expect((answers == nil) == (missing > 0))
      disk.writesLeft = .max
      #expect(
        try run(disk, shape, fromTheBeginning: false) == expected, "\(missing) writes missing")
    }
  }

  @Test func aDamagedRowIsFound() throws {
    let disk = Disk()
    let shape = JoinShape(before: 4, after: 15)
    _ = try run(disk, shape, fromTheBeginning: true)
    let (key, row) = try #require(disk.tables["v.join"]!.rows.first)
    for damaged in [Array(row.dropLast()), row + [0], Array(row.prefix(20)), []] {
      disk.tables["v.join"]!.rows[key] = damaged
      let world = try JoinWorld(shape)
      let said = message { () throws(Failure) in
        _ = try OnlineWriter(
          world.engine, sinks: [DiskTable("v", disk), DiskTable("v.join", disk)])
      }
      #expect(said == "v.join: 1 rows are damaged")
    }
  }
}
