// Streams of Python's zlib and gzip become what they were; damaged ones are refused, whatever the damage.

import Core
import Foundation
import TestSupport
import Testing

@Suite struct InflateTests {
  private static let names = try! FileManager.default.contentsOfDirectory(
    atPath: Fixtures.root.appending(path: "compressed").path()
  ).filter { $0.hasSuffix(".zlib") || $0.hasSuffix(".gz") }.sorted()

  private static func wrapping(_ name: String) -> Inflate.Wrapping {
    name.hasSuffix(".gz") ? .gzip : .zlib
  }

  private static func raw(_ name: String) throws -> [UInt8] {
    let stem = name.prefix { $0 != "-" && $0 != "." }
    return try Fixtures.bytes("compressed/\(stem).raw")
  }

  private static func inflate(
    _ bytes: [UInt8], _ wrapping: Inflate.Wrapping, bytesMax: Int = 1 << 20
  ) throws(InflateError) -> [UInt8] {
    try bytes.withBytes { (bytes) throws(InflateError) in
      try Inflate.inflate(bytes, wrapping, bytesMax: bytesMax)
    }
  }

  @Test(arguments: names) func whatPythonMadeSmallIsMadeLargeAgain(_ name: String) throws {
    let bytes = try Fixtures.bytes("compressed/\(name)")
    let raw = try Self.raw(name)
    #expect(try Self.inflate(bytes, Self.wrapping(name)) == raw)
    #expect(try Self.inflate(bytes, Self.wrapping(name), bytesMax: raw.count) == raw)
    guard !raw.isEmpty else { return }
    let over = failure { () throws(InflateError) in
      _ = try Self.inflate(bytes, Self.wrapping(name), bytesMax: raw.count - 1)
    }
    #expect(over == .tooLarge)
  }

  @Test(arguments: ["short-9.zlib", "short.gz", "named.gz"])
  func whatIsCutOrFollowedByMoreIsRefused(_ name: String) throws {
    let bytes = try Fixtures.bytes("compressed/\(name)")
    for count in 0..<bytes.count {
      let cut = failure { () throws(InflateError) in
        _ = try Self.inflate(Array(bytes[..<count]), Self.wrapping(name))
      }
      #expect(cut == .truncated, "\(count) bytes")
    }
    let more = failure { () throws(InflateError) in
      _ = try Self.inflate(bytes + [0], Self.wrapping(name))
    }
    #expect(more != nil)
  }

  /// Either the damage is noticed, or it lies where nothing depends on it (a time, a name).
  @Test(arguments: ["short-9.zlib", "short.gz", "letters-1.zlib", "noise-0.zlib", "repeats.gz"])
  func damageIsNoticed(_ name: String) throws {
    let bytes = try Fixtures.bytes("compressed/\(name)")
    let raw = try Self.raw(name)
    var random = SplitMix64(seed: 3)
    var noticed = 0
    for _ in 0..<300 {
      var damaged = bytes
      damaged[Int(random.next() % UInt64(bytes.count))] ^= UInt8(1 << (random.next() % 8))
      do throws(InflateError) {
        #expect(try Self.inflate(damaged, Self.wrapping(name)) == raw)
      } catch {
        noticed += 1
      }
    }
    #expect(noticed > 100)
  }

  /// A thousand zeros are a few bytes; a bomb is stopped at the bound.
  @Test func noiseIsNeverABomb() throws {
    var random = SplitMix64(seed: 5)
    for _ in 0..<2_000 {
      var bytes: [UInt8] =
        [0x78, 0x9C] + (0..<40).map { _ in UInt8(truncatingIfNeeded: random.next()) }
      bytes[2] = bytes[2] & 0xF8 | UInt8(random.next() % 8)
      if let made = try? Self.inflate(bytes, .zlib, bytesMax: 1_000) {
        #expect(made.count <= 1_000)
      }
    }
  }
}
