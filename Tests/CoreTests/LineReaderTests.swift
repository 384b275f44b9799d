// The reader of lines against a twin that has the whole text at once and splits it.

import Core
import TestSupport
import Testing

/// A line that outlives the reader's buffer.
private struct KeptLine: Equatable {
  let text: [UInt8]
  let number: Int
  let offset: Int
  let fault: Line.Fault?
}

@Suite struct LineReaderTests {
  private func lines(
    _ source: ChunkedSource, limit: Int = 1_000, readBytes: Int = 4
  ) throws(Failure) -> [KeptLine] {
    let reader = LineReader(source, lineBytesMax: limit, readBytes: readBytes)
    var result: [KeptLine] = []
    while let line = try reader.next() {
      result.append(
        KeptLine(
          text: line.bytes.copy(), number: line.number, offset: line.offset, fault: line.fault))
    }
    #expect(try reader.next() == nil)
    return result
  }

  /// What is looked at comes, and looking changes nothing.
  @Test(arguments: [1, 3, 4, 100]) func linesThatAreLookedAtComeAsTheyWere(_ readBytes: Int) throws
  {
    for text in LineReaderTests.texts {
      let reader = LineReader(
        MemorySource(Array(text.utf8)), lineBytesMax: 1_000, readBytes: readBytes)
      var coming: [[UInt8]] = []
      var result: [[UInt8]] = []
      while let line = try reader.next() {
        result.append(line.bytes.copy())
        coming.removeFirst(min(1, coming.count))
        var seen: [[UInt8]] = []
        reader.peekLines(5) { seen.append($0.copy()) }
        seen = seen.map { $0.last == UInt8(ascii: "\r") ? Array($0.dropLast()) : $0 }
          .filter { !$0.allSatisfy { [0x20, 0x09, 0x0D].contains($0) } }
        #expect(seen.starts(with: coming.prefix(seen.count)), "\(text.debugDescription)")
        coming = seen
      }
      #expect(result == split(Array(text.utf8)).map(\.text), "\(text.debugDescription)")
    }
  }

  /// The slow and obvious twin.
  private func split(_ text: [UInt8], limit: Int = 1_000) -> [KeptLine] {
    var result: [KeptLine] = []
    var number = 0
    var offset = text.starts(with: [0xEF, 0xBB, 0xBF]) ? 3 : 0
    while offset < text.count {
      number += 1
      let end = text[offset...].firstIndex(of: UInt8(ascii: "\n"))
      var content = Array(text[offset..<(end ?? text.count)])
      let start = offset
      offset = end.map { $0 + 1 } ?? text.count
      if content.count > limit {
        let shown = Array(content.prefix(min(limit, 256)))
        result.append(KeptLine(text: shown, number: number, offset: start, fault: .tooLong))
        continue
      }
      if content.last == UInt8(ascii: "\r") { content.removeLast() }
      if content.allSatisfy({ [0x20, 0x09, 0x0A, 0x0D].contains($0) }) { continue }
      result.append(
        KeptLine(
          text: content, number: number, offset: start, fault: end == nil ? .unterminated : nil))
    }
    return result
  }

  private static let texts = [
    "", "\n", "\r\n", "a", "a\n", "a\r\n", "a\nb", "a\n\nb\n", "\n\n  \t\na\n",
    "a\r\nb\r\n\r\nc\r\n",
    "\u{feff}", "\u{feff}\n", "\u{feff}a\nb", "\u{feff}\u{feff}a\nb\n", "a\n\u{feff}b\n",
    "\u{feff}\r\n\r\na",
    "a\rb\r\r\nc", "é\n😀\nz", " a \n\tb\t\n", "long line\nx\nanother long line",
  ]

  @Test(arguments: texts) func splitsTheSameWhereverTheInputIsCut(_ text: String) throws {
    let bytes = Array(text)
    let expected = split(bytes)
    #expect(try lines(ChunkedSource(bytes)) == expected)
    #expect(try lines(ChunkedSource(bytes, pieces: 1)) == expected)
    for cut in 0...bytes.count {
      #expect(try lines(ChunkedSource(bytes, cuts: [cut])) == expected, "cut at \(cut)")
      for next in cut...bytes.count {
        #expect(try lines(ChunkedSource(bytes, cuts: [cut, next])) == expected)
      }
    }
  }

  @Test(arguments: [1, 2, 3, 5, 8, 40, 255, 256, 257, 600])
  func passesOverLinesBeyondTheLimit(_ limit: Int) throws {
    var text: [UInt8] = []
    for length in [limit, limit + 1, 1, limit * 3, limit - 1, limit + 1] {
      text += Array(String(repeating: "x", count: length) + "\n")
    }
    text += Array(String(repeating: "y", count: limit + 1))
    let expected = split(text, limit: limit)
    #expect(expected.contains { $0.fault == .tooLong } && expected.contains { $0.fault == nil })
    for pieces in [1, 2, 3, 7, text.count] {
      for readBytes in [1, 4, 10_000] {
        let source = ChunkedSource(text, pieces: pieces)
        #expect(try lines(source, limit: limit, readBytes: readBytes) == expected)
      }
    }
  }

  @Test func agreesWithTheTwinOnRandomTexts() throws {
    var random = SplitMix64(seed: 11)
    let alphabet = Array("ab \t\r\n\n")
    for round in 0..<2_000 {
      let mark = Array([UInt8]("\u{feff}").prefix(round % 5))
      let text =
        mark
        + (mark.count...40).map { _ in alphabet.randomElement(using: &random)! }
        .prefix(Int.random(in: 0...40, using: &random))
      let count = text.count
      let cuts = (0..<3).map { _ in Int.random(in: 0...count, using: &random) }.sorted()
      let limit = Int.random(in: 1...12, using: &random)
      let source = ChunkedSource(text, cuts: cuts)
      #expect(try lines(source, limit: limit) == split(text, limit: limit), "\(text)")
    }
  }

  @Test func asksToPassOnOutputBeforeEachWait() throws {
    let source = ChunkedSource(Array("a\nb\nc\nd\n"), cuts: [4, 6], waits: true)
    let reader = LineReader(source)
    var handedOut: [String] = []
    var log: [[String]] = []
    reader.beforeWaiting = { () throws(Failure) in log.append(handedOut) }
    while let line = try reader.next() { handedOut.append(line.bytes.string) }
    // Before each piece, and before the end was seen: all that was ready had been handed out.
    #expect(log == [[], ["a", "b"], ["a", "b", "c"], ["a", "b", "c", "d"]])
  }

  @Test func staysSilentWhenNothingMustBeWaitedFor() throws {
    let reader = LineReader(ChunkedSource(Array("a\nb\n"), pieces: 1))
    reader.beforeWaiting = { () throws(Failure) in Issue.record("nothing to wait for") }
    while try reader.next() != nil {}
  }

  @Test func aFailureBeforeWaitingEndsTheRead() {
    let reader = LineReader(ChunkedSource(Array("a\n"), waits: true))
    reader.beforeWaiting = { () throws(Failure) in throw .outputClosed }
    #expect(failure { () throws(Failure) in _ = try reader.next() } == .outputClosed)
  }

  @Test func peeksAtTheFirstByteThatIsNotBlank() throws {
    for pieces in 1...6 {
      let reader = LineReader(ChunkedSource(Array(" \n\t {\"a\":1}\nb\n"), pieces: pieces))
      #expect(try reader.peekByte() == UInt8(ascii: "{"))
      #expect(try reader.peekByte() == UInt8(ascii: "{"))
      let first = try reader.next()
      #expect(first?.bytes.string == "\t {\"a\":1}")
      #expect(first?.number == 2 && first?.offset == 2)
      #expect(try reader.peekByte() == UInt8(ascii: "b"))
    }
    for pieces in 1...4 {
      let marked = LineReader(ChunkedSource(Array("\u{feff}\n{}\n"), pieces: pieces))
      #expect(try marked.peekByte() == UInt8(ascii: "{"))
      #expect(try marked.next()?.offset == 4)
    }
    #expect(try LineReader(ChunkedSource(" \n\n")).peekByte() == nil)
    #expect(try LineReader(ChunkedSource("")).peekByte() == nil)
  }
}
