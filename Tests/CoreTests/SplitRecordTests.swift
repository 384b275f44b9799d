// The whole fast path, rolling buffer, learned templates and short values, against the slow one, which has each
// line by itself and a scanner that has learned nothing. Where reads end may make no difference, so the
// stream is cut at every byte.

import Core
import TestSupport
import Testing

@Suite struct SplitRecordTests {
  private static let paths = [
    ["id"], ["delay"], ["carrier"], ["a"], ["a", "b"], ["né"], ["absent"],
  ]
  /// Longer than most lines that are written here, shorter than some.
  private static let lineBytesMax = 300

  private func scanner() -> RecordScanner {
    var plan = FieldPlan()
    for path in Self.paths { _ = plan.slot(path) }
    return RecordScanner(plan)
  }

  /// All that a scanner says of a line.
  private func outcome(_ scanner: RecordScanner, _ line: Bytes, padding: Int) -> String {
    if let problem = failure({ () throws(JSONError) in try scanner.scan(line, padding: padding) }) {
      return problem.description
    }
    var text = scanner.memberNames.joined(separator: ",")
    for slot in Self.paths.indices {
      let raw = scanner.raw(slot)
      text += "|" + (raw.kind == .string ? "'\(scanner.text(slot).string)'" : raw.literal.string)
      let output = OutputBuffer(MemorySink())
      if let scalar = scanner.scalar(slot) {
        output.append(scalar)
      } else {
        output.append("beyond")
      }
      text += " " + output.pending.string
    }
    return text
  }

  // MARK: Streams

  /// Lines of one form, as a stream's mostly are, and between them what breaks the form.
  private func stream(_ random: inout SplitMix64) -> [UInt8] {
    var writer = RecordWriter(random: SplitMix64(seed: random.next()))
    var bytes: [UInt8] = []
    for number in 0..<14 {
      var line = flight(number, &random)
      switch Int.random(in: 0..<8, using: &random) {
      case 0:
        writer.text = ""
        writer.write(writer.object(depth: 3))
        line = [UInt8](writer.text)
      case 1:
        line[Int.random(in: 0..<line.count, using: &random)] = UInt8.random(
          in: 0...255, using: &random)
      case 2: line.removeLast(Int.random(in: 1...line.count, using: &random))
      case 3: line.insert(contentsOf: repeatElement(0x20, count: 290), at: 1)
      default: break
      }
      bytes += line.filter { $0 != 0x0A }
      bytes += Bool.random(using: &random) ? [0x0A] : [0x0D, 0x0A]
    }
    if Bool.random(using: &random) { bytes.removeLast() }
    return (Bool.random(using: &random) ? [0xEF, 0xBB, 0xBF] : []) + bytes
  }

  private func flight(_ number: Int, _ random: inout SplitMix64) -> [UInt8] {
    let delays = [
      "-5", "12.25", "0", "1e2", "18446744073709551615", "null", "123456789.125", "\"n\"",
    ]
    let carriers = ["UA", "a longer name, beyond sixteen", "é", "q\\\"", "\\ud83d\\ude00", ""]
    return [UInt8](
      "{\"id\":\"N\(number)\", \"delay\":\(delays.randomElement(using: &random)!),"
        + "\"carrier\":\"\(carriers.randomElement(using: &random)!)\",\"a\":{\"b\":\(number)}}")
  }

  // MARK: Both ways

  private func fast(_ source: ChunkedSource, readBytes: Int) throws(Failure) -> [String] {
    let reader = LineReader(source, lineBytesMax: Self.lineBytesMax, readBytes: readBytes)
    let scanner = scanner()
    var result: [String] = []
    while let line = try reader.next() {
      let text =
        line.fault == .tooLong
        ? "too long" : outcome(scanner, line.bytes, padding: LineReader.padding)
      result.append("\(line.number) \(line.offset) \(text)")
    }
    return result
  }

  private func slow(_ bytes: [UInt8]) -> [String] {
    var result: [String] = []
    var offset = bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? 3 : 0
    for (index, part) in bytes[offset...].split(separator: 0x0A, omittingEmptySubsequences: false)
      .enumerated()
    {
      defer { offset += part.count + 1 }
      let line = part.last == 0x0D ? part.dropLast() : part
      if part.count <= Self.lineBytesMax, Array(line).withBytes({ $0.trimmed.isEmpty }) { continue }
      let text =
        part.count > Self.lineBytesMax
        ? "too long" : Array(line).withBytes { outcome(scanner(), $0, padding: 0) }
      result.append("\(index + 1) \(offset) \(text)")
    }
    return result
  }

  @Test(arguments: 1...6) func isReadTheSameWhereverReadsEnd(_ seed: Int) throws {
    var random = SplitMix64(seed: UInt64(seed))
    let bytes = stream(&random)
    let expected = slow(bytes)
    #expect(expected.count > 8)
    #expect(try fast(ChunkedSource(bytes), readBytes: 1 << 16) == expected)
    for cut in 0...bytes.count {
      #expect(
        try fast(ChunkedSource(bytes, cuts: [cut]), readBytes: 64) == expected, "cut at \(cut)")
    }
    for size in 1...40 {
      #expect(
        try fast(ChunkedSource(bytes, pieces: size), readBytes: 16) == expected, "pieces of \(size)"
      )
    }
  }
}
