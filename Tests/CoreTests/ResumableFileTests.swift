// An output that is gone on with: what it holds is left out, what was torn is cut, what is not ours is not touched; and after
// a power cut between any two operations nothing that was synced is gone and nothing is there twice.

import TestSupport
import Testing

@testable import Core

@Suite struct ResumableFileTests {
  private let disk = SimulatedFileSystem()

  private static func record(_ offset: Int64, _ part: Int = 0) -> String {
    "{\"kind\":\"decision\",\"id\":\"e\(offset)\",\"part\":\(part),\"_rt\":{\"offset\":\(offset)}}\n"
  }

  private func open() throws(Failure) -> ResumableFile {
    try ResumableFile("out/rows.ndjson", kind: "decision", files: disk)
  }

  private func holds(_ file: ResumableFile, _ offset: Int64) throws(Failure) -> Bool {
    try file.holds(offset) { Array("\"e\(offset)\"".utf8) }
  }

  private var text: String { String(decoding: disk["out/rows.ndjson"] ?? [], as: UTF8.self) }

  private func write(_ text: String, to file: ResumableFile) throws(Failure) {
    try Array(text.utf8).withBytes { (bytes) throws(Failure) in try file.write(bytes) }
  }

  private func leave(_ text: String) {
    disk["out/rows.ndjson"] = Array(text.utf8)
    disk.killProcess()
  }

  @Test func aNewFileHoldsNothing() throws {
    let file = try open()
    #expect(try file.lastOffset == -1 && !holds(file, 0))
    try write(Self.record(0), to: file)
    #expect(text == Self.record(0))
  }

  @Test func whatAnEarlierRunHasWrittenIsHeldOnceForEachRecord() throws {
    leave(Self.record(3) + Self.record(7) + Self.record(7, 1))
    let file = try open()
    #expect(file.lastOffset == 7 && file.cutBytes == 0)
    for offset in [0, 3, 6, 7, 7] as [Int64] { #expect(try holds(file, offset)) }
    #expect(try !holds(file, 7) && !holds(file, 8))
    #expect(file.heldCount == 5)
    // What is there is known by the last record alone.
    let failure = #expect(throws: Failure.self) { try holds(file, 7) }
    #expect(failure?.status == .badData)
  }

  /// At every byte of the last record.
  @Test func aTornLineIsCut() throws {
    let whole = Self.record(1) + Self.record(2)
    let last = Self.record(3)
    for count in 0..<last.utf8.count {
      leave(whole + last.prefix(count))
      let file = try open()
      #expect(file.lastOffset == 2 && file.cutBytes == count && text == whole)
      leave(String(last.prefix(count)))
      #expect(try open().lastOffset == -1 && text.isEmpty)
    }
  }

  @Test func aLineMayBeLongerThanWhatIsReadAtOnce() throws {
    let long =
      "{\"kind\":\"decision\",\"note\":\"\(String(repeating: "x", count: 300_000))\",\"_rt\":{\"offset\":9}}\n"
    leave(Self.record(8) + long + "{\"kind\":" + String(repeating: " ", count: 300_000))
    let file = try open()
    #expect(file.lastOffset == 9 && file.cutBytes == 300_008)
    #expect(text == Self.record(8) + long)
  }

  @Test(arguments: ["hello", "hello\n", "{\"a\":1}\n{\"ki", "{\"kind\":\"x\",\"_rt\":{}}\n", "\n"])
  func whatIsNotOursIsRefusedAndLeftAsItIs(_ content: String) throws {
    leave(content)
    let failure = #expect(throws: Failure.self) { try open() }
    #expect(failure?.status == .badData)
    #expect(text == content)
  }

  /// With a bound, too: records behind it are known by their offsets alone.
  @Test func whatIsNotOursIsLeftWhateverTheBound() throws {
    let verdicts = "{\"kind\":\"verdict\",\"n\":1}\n{\"kind\":\"verdict\",\"n\":2}\n"
    leave(verdicts)
    let failure = #expect(throws: Failure.self) {
      try ResumableFile("out/rows.ndjson", kind: "decision", upTo: 5, files: disk)
    }
    #expect(failure?.status == .badData && text == verdicts)
  }

  /// Offsets that begin anew would leave out what is new.
  @Test func theOffsetsOfAnotherLogAreNoticed() throws {
    leave(Self.record(3) + Self.record(7))
    var file: ResumableFile? = try open()
    #expect(try holds(file!, 3))
    let failure = #expect(throws: Failure.self) { try file!.holds(7) { Array("\"other\"".utf8) } }
    #expect(failure?.message.contains("is of event \"e7\", now it is \"other\"") == true)
    file = nil
    // Fewer records than are there.
    file = try open()
    #expect(try holds(file!, 3))
    #expect(throws: Failure.self) { try file!.checkEnd() }
    #expect(try holds(file!, 7))
    try file!.checkEnd()
  }

  @Test func recordsOfAnotherKindAreNotGoneOnWith() throws {
    let rows = Self.record(3).replacing("decision", with: "features")
    for content in [rows, rows + rows, String(rows.dropLast())] {
      leave(content)
      #expect(throws: Failure.self) { try open() }
      #expect(text == content)
    }
  }

  @Test func oneWriterAtATime() throws {
    let file = try open()
    let failure = #expect(throws: Failure.self) { try open() }
    #expect(failure?.status == .locked)
    #expect(try !holds(file, 0))
  }

  /// As a disk leaves it that kept a later page and not an earlier one.
  @Test func whatWasNotSyncedIsCut() throws {
    let synced = Self.record(4) + Self.record(5)
    let zeros = String(repeating: "\0", count: 100)
    for rest in [zeros, "x\ny\n", zeros + "\n" + Self.record(8), Self.record(6) + zeros] {
      leave(synced + rest)
      let file = try ResumableFile("out/rows.ndjson", kind: "decision", upTo: 5, files: disk)
      // Nothing is gone before that is asked for, or something is written.
      #expect(text == synced + rest && file.cutBytes == 0)
      try file.cutBack()
      #expect(text == synced && file.lastOffset == 5 && file.cutBytes == rest.utf8.count)
    }
    // Without a bound only what is no record goes.
    leave(synced + zeros)
    #expect(try open().lastOffset == 5 && text == synced)
    leave(Self.record(6) + zeros)
    let file = try ResumableFile("out/rows.ndjson", kind: "decision", upTo: 5, files: disk)
    #expect(file.lastOffset == -1)
    try write(Self.record(3), to: file)
    #expect(text == Self.record(3))
  }

  /// Runs that answer events 0 to 19, two records each, and lose power after any number of operations.
  @Test func aPowerCutAnywhereLeavesNoGapAndNoDouble() throws {
    let expected = (Int64(0)..<20).map { Self.record($0) + Self.record($0, 1) }.joined()
    let sign = Array("{\"kind\":\"decision\"".utf8)
    var random = SplitMix64(seed: 11)
    var cuts = 0
    for seed in Int64(0)..<40 {
      disk["out/rows.ndjson"] = nil
      var synced: Int64 = -1
      for count in stride(from: Int(seed % 7), to: 400, by: 3) {
        disk.cutPower(afterOperations: count)
        // A file whose very beginning was never kept is not known as one of ours, and its owner is asked to remove it.
        if synced < 0, !sign.starts(with: disk["out/rows.ndjson"]?.prefix(sign.count) ?? []) {
          disk["out/rows.ndjson"] = nil
        }
        if (try? run(syncEvery: 1 + seed % 5, &synced)) != nil { break }
        cuts += 1
        disk.crash(using: &random)
      }
      #expect(text == expected)
      disk.killProcess()
    }
    #expect(cuts > 100)
  }

  private func run(syncEvery: Int64, _ synced: inout Int64) throws(Failure) {
    let file = try ResumableFile("out/rows.ndjson", kind: "decision", upTo: synced, files: disk)
    for offset in Int64(0)..<20 {
      for part in 0..<2 where try !holds(file, offset) {
        try write(Self.record(offset, part), to: file)
      }
      guard offset % syncEvery == 0 || offset == 19 else { continue }
      try file.sync()
      synced = max(synced, offset)
    }
    try file.cutBack()
  }
}
