// Files that must survive a power cut, on a disk that can have one at every operation; and the real
// disk.

import Core
import Foundation
import TestSupport
import Testing

@Suite struct FileSystemTests {
  private let path = "state/file"
  private let old = Array("the old content")
  private let new = Array("the new content, which is longer")

  private func write(_ bytes: [UInt8], to disk: any FileSystem) throws(Failure) {
    try bytes.withBytes { bytes throws(Failure) in
      try AtomicFile.write(bytes, to: path, in: disk)
    }
  }

  private func contents(_ disk: SimulatedFileSystem) throws -> [UInt8]? {
    disk.exists(path) ? try disk.contents(of: path, bytesMax: 1_000) : nil
  }

  /// Operations of one undisturbed write.
  private func operations() throws -> Int {
    let disk = SimulatedFileSystem()
    try write(new, to: disk)
    return disk.operations
  }

  @Test(arguments: [false, true]) func aFileIsWhollyOldOrWhollyNew(_ hadOld: Bool) throws {
    var outcomes: Set<[UInt8]?> = []
    for count in 0...(try operations()) + 1 {
      for seed in UInt64(0)..<60 {
        let disk = SimulatedFileSystem()
        if hadOld { try write(old, to: disk) }
        disk.cutPower(afterOperations: count)
        let failed = failure { () throws(Failure) in try write(new, to: disk) } != nil
        var random = SplitMix64(seed: seed)
        disk.crash(using: &random)
        let found = try contents(disk)
        outcomes.insert(found)
        let allowed = failed ? [hadOld ? old : nil, new] : [new]
        #expect(allowed.contains(found), "power cut after \(count), seed \(seed)")
      }
    }
    // The test would prove nothing if the power were never cut in time.
    #expect(outcomes == [hadOld ? old : nil, new])
  }

  @Test func afterACrashTheFileCanBeWrittenAgain() throws {
    for count in 0..<(try operations()) {
      let disk = SimulatedFileSystem()
      try write(old, to: disk)
      disk.cutPower(afterOperations: count)
      #expect(failure { () throws(Failure) in try write(new, to: disk) }?.status == .inputOutput)
      var random = SplitMix64(seed: UInt64(count))
      disk.crash(using: &random)
      try write(new, to: disk)
      #expect(try contents(disk) == new)
      #expect(!disk.exists(path + ".new"))
    }
  }

  /// The simulation itself: what is not synced can be lost, else the tests above are worth nothing.
  @Test func theSimulatedDiskLosesWhatIsNotSynced() throws {
    var survived: Set<Int> = []
    for seed in UInt64(0)..<100 {
      let disk = SimulatedFileSystem()
      let file = try disk.open("a", .replace)
      try file.write(Bytes("0123"))
      try disk.syncFolder(".")
      var random = SplitMix64(seed: seed)
      disk.crash(using: &random)
      survived.insert(try disk.open("a", .read).size())
    }
    #expect(survived.contains(0) && survived.contains(4))
  }

  @Test func theRealDiskKeepsWhatIsWritten() throws {
    let folder = try TemporaryFolder()
    let disk = RealFileSystem()
    let path = folder.path("f")
    #expect(!disk.exists(path))
    for bytes in [old, new, []] {
      try bytes.withBytes { (bytes) throws(Failure) in
        try AtomicFile.write(bytes, to: path, in: disk)
      }
      #expect(try disk.contents(of: path, bytesMax: 100) == bytes)
      #expect(try FileManager.default.contentsOfDirectory(atPath: folder.url.path()) == ["f"])
    }
    let file = try disk.open(path, .append)
    try file.write(Bytes("abc"))
    try file.write(Bytes("def"))
    try file.truncate(to: 5)
    try file.sync()
    #expect(try file.size() == 5)
    #expect(try disk.contents(of: path, bytesMax: 5) == Array("abcde"))
    try disk.rename(path, to: folder.path("g"))
    try disk.remove(folder.path("g"))
    try disk.syncFolder(folder.url.path())
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.url.path()).isEmpty)
  }

  @Test func aFailedWriteNamesTheFileAndLeavesNothing() throws {
    let folder = try TemporaryFolder()
    let path = folder.path("missing/f")
    let found = message { () throws(Failure) in
      try AtomicFile.write(Bytes("x"), to: path, in: RealFileSystem())
    }
    #expect(found == "\(path): open: No such file or directory")
  }

  @Test func readingHoldsTheLimitAndNamesTheFile() throws {
    let folder = try TemporaryFolder()
    let disk = RealFileSystem()
    let path = folder.path("f")
    try [UInt8](repeating: 7, count: 9_000).withBytes { (bytes) throws(Failure) in
      try AtomicFile.write(bytes, to: path, in: disk)
    }
    #expect(try disk.contents(of: path, bytesMax: 9_000).count == 9_000)
    let tooLarge = failure { () throws(Failure) in _ = try disk.contents(of: path, bytesMax: 8_999)
    }
    #expect(tooLarge == .inputOutput("\(path): larger than the limit of 8999 bytes"))
    let missing = failure { () throws(Failure) in _ = try disk.contents(of: "/no/file", bytesMax: 1)
    }
    #expect(missing == .inputOutput("/no/file: No such file or directory"))
    let folderError = message { () throws(Failure) in
      _ = try disk.contents(of: folder.url.path(), bytesMax: 9_999)
    }
    #expect(folderError == "\(folder.url.path()): Is a directory")
  }

  /// Files under /proc say that they are empty.
  @Test(.enabled(if: FileManager.default.fileExists(atPath: "/proc/self/status")))
  func theLimitHoldsWhereTheSizeIsNotKnown() throws {
    let disk = RealFileSystem()
    #expect(try disk.contents(of: "/proc/self/status", bytesMax: 1 << 20).count > 100)
    let error = failure { () throws(Failure) in
      _ = try disk.contents(of: "/proc/self/status", bytesMax: 10)
    }
    #expect(error?.message == "/proc/self/status: larger than the limit of 10 bytes")
  }

  @Test func clocksMoveAsTheyShould() {
    let manual = ManualClock(Timestamp(microseconds: 5))
    #expect(manual.now().microseconds == 5 && manual.monotonicNanoseconds() == 0)
    manual.advance(.seconds(2))
    #expect(
      manual.now().microseconds == 2_000_005 && manual.monotonicNanoseconds() == 2_000_000_000)
    let system = SystemClock()
    let (first, second) = (system.monotonicNanoseconds(), system.monotonicNanoseconds())
    #expect(first <= second)
    let now = Double(system.now().microseconds) / 1e6
    #expect(abs(now - Date().timeIntervalSince1970) < 60)
  }

  /// A link, a pipe or a device that the user names is written through; renamed over it would be gone.
  @Test func whatStandsForAnotherIsWrittenThrough() throws {
    let folder = try TemporaryFolder()
    let files = RealFileSystem()
    try folder.write("old", "file")
    try FileManager.default.createSymbolicLink(
      atPath: folder.path("link"), withDestinationPath: folder.path("file"))
    #expect(mkfifo(folder.path("pipe"), 0o600) == 0)
    #expect(["link", "pipe"].allSatisfy { files.standsForAnother(folder.path($0)) })
    #expect(files.standsForAnother("/dev/null"))
    #expect(!["file", "absent", "."].contains { files.standsForAnother(folder.path($0)) })
    for name in ["link", "file", "absent"] {
      try Array("new \(name)".utf8).withBytes { (bytes) throws(Failure) in
        try OutputFile.write(bytes, to: folder.path(name), in: files)
      }
      #expect(try folder.text(name) == "new \(name)")
      if name == "link" { #expect(try folder.text("file") == "new link") }
    }
    #expect(files.standsForAnother(folder.path("link")))
  }
}
