// The embedded store's files: against a dictionary, under a writer that never rests, with bits turned over, and with a
// writer that stops anywhere.

import Foundation
import Synchronization
import TestSupport
import Testing

@testable import Core
@testable import Features

@Suite struct OnlineTableTests {
  private static let digest = [UInt8](repeating: 7, count: 32)
  private let folder: TemporaryFolder
  private var path: String { folder.path("v.online") }

  init() throws { folder = try TemporaryFolder() }

  private func makeWriter(timeToLive: TimeSpan? = nil) throws -> TableWriter {
    let writer = try TableWriter(
      new: path, view: "v", digest: OnlineTableTests.digest, timeToLive: timeToLive, boot: 1)
    writer.state = .serving
    try writer.close()
    return writer
  }

  private func makeReader() throws -> TableReader {
    try TableReader(path, view: "v", digest: OnlineTableTests.digest, files: RealFileSystem())
  }

  private func put(_ writer: TableWriter, _ key: String, _ row: [UInt8]) throws {
    try Array(key.utf8).withBytes { (key) throws(Failure) in
      try row.withBytes { (row) throws(Failure) in try writer.put(key, row) }
    }
  }

  private func find(_ reader: TableReader, _ key: String) -> [UInt8]? {
    Array(key.utf8).withBytes { key in
      if case .row(let row) = reader.find(key) { row.copy() } else { nil }
    }
  }

  /// A row that begins with the latest event time, as all do.
  private func row(_ latest: Int64, _ count: Int) -> [UInt8] {
    withUnsafeBytes(of: latest.littleEndian) { Array($0) }
      + [UInt8](repeating: UInt8(truncatingIfNeeded: latest), count: count)
  }

  @Test func agreesWithADictionary() throws {
    let writer = try makeWriter()
    let reader = try makeReader()
    var known: [String: [UInt8]] = [:]
    var random = SplitMix64(seed: 11)
    for step in 0..<30_000 {
      let key = "key \(Int.random(in: 0..<4_000, using: &random))"
      if Int.random(in: 0..<10, using: &random) == 0 {
        known[key] = nil
        Array(key.utf8).withBytes { writer.remove($0) }
      } else {
        let bytes = row(Int64(step), Int.random(in: 0..<900, using: &random))
        known[key] = bytes
        try put(writer, key, bytes)
      }
      let asked = "key \(Int.random(in: 0..<4_000, using: &random))"
      if find(reader, asked) != known[asked] { Issue.record("\(asked) at step \(step)") }
    }
    #expect(reader.rowCount == known.count)
    var rows = 0
    let damaged = reader.visitRows { key, row in
      rows += 1
      #expect(known[key.string] == row.copy())
    }
    #expect(rows == known.count && damaged == 0)
    // Freed slots are used again: the file is no more than a small multiple of what is in it.
    #expect(reader.fileBytes < reader.liveBytes * 3)
    // Another writer goes on with it.
    let next = try TableWriter(
      resuming: path, digest: OnlineTableTests.digest, files: RealFileSystem(), boot: 1)
    try put(next, "new", row(1, 10))
    #expect(find(reader, "new") == row(1, 10))
    #expect(reader.rowCount == known.count + 1)
  }

  @Test func rowsPastTheirTimeGo() throws {
    let writer = try makeWriter(timeToLive: .seconds(10))
    let reader = try makeReader()
    for second in 0..<100 { try put(writer, "k\(second)", row(Int64(second) * 1_000_000, 8)) }
    writer.commit(offset: 99, watermark: Timestamp(microseconds: 60_000_000))
    #expect(find(reader, "k49") == nil)
    #expect(find(reader, "k50") != nil)
    #expect(reader.rowCount == 50)
    #expect(reader.offset == 99)
  }

  @Test func everyFlippedBitOfARowIsFound() throws {
    let writer = try makeWriter()
    try put(writer, "k", row(5, 200))
    try writer.close()
    let bytes = try Data(contentsOf: URL(filePath: path))
    let place = try #require(bytes.range(of: Data(row(5, 200)))).lowerBound
    for byte in place..<place + 208 {
      var damaged = bytes
      damaged[byte] ^= 1 << (byte % 8)
      try damaged.write(to: URL(filePath: path))
      let reader = try makeReader()
      let found = Array("k".utf8).withBytes { reader.find($0) }
      guard case .damaged = found else {
        Issue.record("byte \(byte - place): \(found)")
        continue
      }
    }
  }

  @Test func whatIsNoStoreOrAnotherIsRefusedByName() throws {
    let writer = try makeWriter()
    try put(writer, "k", row(5, 20))
    let other = #expect(throws: Failure.self) {
      try TableReader(
        path, view: "v", digest: [UInt8](repeating: 8, count: 32), files: RealFileSystem())
    }
    #expect(other?.message.contains("view 'v' by another definition") == true)
    // Writing, and the boot is another one: what was not synced may be lost.
    let cut = #expect(throws: Failure.self) {
      _ = try TableWriter(
        resuming: path, digest: OnlineTableTests.digest, files: RealFileSystem(), boot: 12_345)
      _ = try makeReader()
    }
    #expect(cut?.message.contains("the machine went down") == true)
    try Data("no store".utf8).write(to: URL(filePath: path))
    let none = #expect(throws: Failure.self) { try makeReader() }
    #expect(none?.message.contains("is no online store") == true)
  }

  /// What `rtinfer help online` says of bytes a key, and of the time to open: 10 million keys with RTINFER_LONG=1.
  @Test func keysCostWhatTheHelpSaysAndOpeningCostsNothing() throws {
    let isLong = ProcessInfo.processInfo.environment["RTINFER_LONG"] != nil
    for count in isLong ? [1_000, 10_000_000] : [1_000, 40_000] {
      let writer = try makeWriter()
      let row = row(1, 112)
      for number in 0..<count {
        let key = withUnsafeBytes(of: number.littleEndian) { Array($0) } + [1, 2, 3, 4]
        try key.withBytes { (key) throws(Failure) in
          try row.withBytes { (row) throws(Failure) in try writer.put(key, row) }
        }
      }
      try writer.close()
      let clock = ContinuousClock()
      var spans: [Duration] = []
      for _ in 0..<21 {
        let start = clock.now
        let reader = try makeReader()
        spans.append(clock.now - start)
        #expect(reader.rowCount == count)
      }
      // 32 bytes, the key and the row, up to an eighth more; 32 to 64 of index.
      let slot = Double(32 + 12 + row.count)
      let bytes = Double(try makeReader().fileBytes - TableLayout.heap) / Double(count)
      #expect(bytes >= slot + 32 && bytes <= slot * 9 / 8 + 64, "\(bytes) bytes a key of \(count)")
      // No wall-clock figure fails a build; the long test is run by hand.
      if isLong { #expect(spans.sorted()[10] < .milliseconds(10), "\(spans.sorted()[10])") }
    }
  }

  /// Each row holds its number many times over. A reader must never see two numbers in one row, nor an earlier one than
  /// it has seen before. A second, or a minute with RTINFER_LONG=1.
  @Test func noReaderEverSeesHalfARowOrAnOlderOne() throws {
    // One thread writes; the others have readers of their own.
    nonisolated(unsafe) let writer = try makeWriter()
    let path = path
    let keys = 50
    for key in 0..<keys { try put(writer, "k\(key)", row(0, 64)) }
    let isDone = Atomic(false)
    let seconds = ProcessInfo.processInfo.environment["RTINFER_LONG"] == nil ? 1.0 : 60.0
    let faults = Mutex<[String]>([])
    let reads = Atomic(0)
    let group = DispatchGroup()
    func start(_ body: @escaping @Sendable () -> Void) {
      group.enter()
      Thread {
        body()
        group.leave()
      }.start()
    }
    start {
      let end = Date().addingTimeInterval(seconds)
      var version: Int64 = 0
      while Date() < end {
        for key in 0..<keys {
          version += 1
          // Of all sizes, so that slots are used by one key after another and the file grows.
          try? put(writer, "k\(key)", row(version, Int(version * 37 % 1_500)))
        }
      }
      isDone.store(true, ordering: .releasing)
    }
    for _ in 0..<2 {
      start {
        guard
          let reader = try? TableReader(
            path, view: "v", digest: OnlineTableTests.digest, files: RealFileSystem())
        else { return faults.withLock { $0.append("cannot be opened") } }
        var seen = [Int64](repeating: -1, count: keys)
        while !isDone.load(ordering: .acquiring) {
          for key in 0..<keys {
            guard let found = find(reader, "k\(key)"), found.count >= 8 else {
              faults.withLock { $0.append("k\(key) is not there") }
              continue
            }
            let version = found.withUnsafeBytes { $0.loadUnaligned(as: Int64.self) }
            if found != row(version, found.count - 8) { faults.withLock { $0.append("torn") } }
            if version < seen[key] {
              faults.withLock { $0.append("\(version) after \(seen[key])") }
            }
            seen[key] = version
            reads.add(1, ordering: .relaxed)
          }
        }
      }
    }
    group.wait()
    let found = faults.withLock { $0 }
    #expect(found.isEmpty, "\(found.prefix(5))")
    #expect(reads.load(ordering: .relaxed) > 1_000)
  }
}
