// Lines read by several threads against the one reader: the same lines, numbers, places and faults in the same order, wherever
// blocks and reads end.

import TestSupport
import Testing

@testable import Core

@Suite struct ParallelLinesTests {
  private static let lineBytesMax = 40

  private struct Found: Sendable {
    let text: String
    let number: Int
    let offset: Int
  }

  private static func describe(_ line: Line) -> String {
    "\(line.bytes.string)|\(line.fault.map { "\($0)" } ?? "whole")|\(line.endedInReturn)"
  }

  /// As one thread reads them.
  private func expected(_ text: [UInt8]) throws -> [String] {
    let reader = LineReader(ChunkedSource(text), lineBytesMax: ParallelLinesTests.lineBytesMax)
    var lines: [String] = []
    while let line = try reader.next() {
      lines.append("\(line.number)@\(line.offset) \(ParallelLinesTests.describe(line))")
    }
    return lines
  }

  private func found(_ source: ChunkedSource, threads: Int, blockBytes: Int) throws -> [String] {
    let lines = ParallelLines<[Found]>(
      threads: threads, blockBytes: blockBytes, lineBytesMax: ParallelLinesTests.lineBytesMax,
      parser: {
        { lines in
          var found: [Found] = []
          while let line = lines.next() {
            found.append(
              Found(
                text: ParallelLinesTests.describe(line), number: line.number, offset: line.offset))
          }
          return found
        }
      })
    var found: [String] = []
    try lines.read(source) { (block, before) throws(Failure) in
      for line in block {
        found.append("\(before.lines + line.number)@\(before.bytes + line.offset) \(line.text)")
      }
    }
    return found
  }

  /// Lines of all kinds: blank, with returns, with marks, too long by one and by far.
  private func text(_ random: inout SplitMix64) -> [UInt8] {
    let kinds = [
      "", " ", "\r", "a", "{\"kind\":\"sample\"}", "\u{feff}", "\u{feff}x", "ends\r",
      String(repeating: "m", count: 40), String(repeating: "l", count: 41),
      String(repeating: "L", count: 300), String(repeating: "r", count: 40) + "\r",
    ]
    var text = ""
    for _ in 0..<Int.random(in: 0..<60, using: &random) {
      text += kinds.randomElement(using: &random)! + "\n"
    }
    if Bool.random(using: &random) { text += kinds.randomElement(using: &random)! }
    return Array(text.utf8)
  }

  @Test(arguments: [1, 2, 3, 9], [1, 7, 64, 512, 100_000])
  func agreesWithOneThread(_ threads: Int, _ blockBytes: Int) throws {
    var random = SplitMix64(seed: UInt64(threads * 1_000_003 + blockBytes))
    for _ in 0..<40 {
      let text = text(&random)
      let expected = try expected(text)
      let pieces = Int.random(in: 1...100, using: &random)
      for source in [
        ChunkedSource(text), ChunkedSource(text, pieces: pieces),
        ChunkedSource(
          text, cuts: Array(stride(from: pieces, to: text.count, by: pieces)), waits: true),
      ] {
        let found = try found(source, threads: threads, blockBytes: blockBytes)
        #expect(
          found == expected, "in pieces of \(pieces): \(String(decoding: text, as: UTF8.self))")
      }
    }
  }

  @Test func stopsWhereTheCallerDoes() throws {
    let text = Array(String(repeating: "line\n", count: 10_000).utf8)
    // A parser that leaves lines unread: they are counted all the same.
    let lines = ParallelLines<Int>(
      threads: 2, blockBytes: 100, parser: { { $0.next()?.bytes.count ?? 0 } })
    var (taken, bytes) = (0, 0)
    let failure = #expect(throws: Failure.self) {
      try lines.read(ChunkedSource(text)) { (count, before) throws(Failure) in
        #expect(count == 4 && before.lines * 5 == before.bytes && before.bytes >= bytes)
        taken += 1
        bytes = before.bytes
        if taken == 123 { throw .badData("enough") }
      }
    }
    #expect(taken == 123 && bytes >= 12_200 && failure?.message == "enough")
  }
}
