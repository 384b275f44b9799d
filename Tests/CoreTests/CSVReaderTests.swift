// RFC 4180, cut at every byte; and what is no CSV, refused without losing its bytes.

import Core
import TestSupport
import Testing

@Suite struct CSVReaderTests {
  /// Rows as cells; a fault as one cell "!reason".
  private func rows(
    _ source: ChunkedSource, separator: UInt8 = UInt8(ascii: ",")
  ) throws(Failure) -> [[String]] {
    let reader = CSVReader(LineReader(source, readBytes: 2), separator: separator)
    var result: [[String]] = []
    while let row = try reader.next() {
      switch row {
      case .success(let row): result.append(row.cells.map(\.string))
      case .failure(let fault): result.append(["!\(fault.reason)"])
      }
    }
    return result
  }

  private static let wrong = "!text before or after a quoted cell"
  private static let open = "!a quote is opened and not closed"
  private static let cases: [(text: String, rows: [[String]])] = [
    ("a,b,c\n1,2,3\n", [["a", "b", "c"], ["1", "2", "3"]]), ("a,b", [["a", "b"]]),
    ("a,b\r\n1,2\r\n", [["a", "b"], ["1", "2"]]), ("a,,\n,,\n", [["a", "", ""], ["", "", ""]]),
    ("a,\n", [["a", ""]]),
    ("\"\",\"\"\n", [["", ""]]), ("\"a,b\",c\n", [["a,b", "c"]]),
    ("\"a\"\"b\",\"\"\"\"\n", [["a\"b", "\""]]),
    ("\"a\nb\",c\nd,e\n", [["a\nb", "c"], ["d", "e"]]),
    ("\"a\n\n\n b\",c\n", [["a\n\n\n b", "c"]]),
    ("\"\n\",x\n", [["\n", "x"]]), ("x,\"a\n\"\"\nb\"\ny,z\n", [["x", "a\n\"\nb"], ["y", "z"]]),
    ("\u{feff}a,b\n1,2\n", [["a", "b"], ["1", "2"]]), ("\u{feff}\"a\",b\n", [["a", "b"]]),
    ("a\n\nb\n", [["a"], ["b"]]), (" a , b \n", [[" a ", " b "]]), ("é,😀\n", [["é", "😀"]]),
    ("a\"b\"c,d\n", [["a\"b\"c", "d"]]), ("\"a\"b,c\n", [[wrong]]),
    (" \"a\",b\n", [[" \"a\"", "b"]]), ("5\" pipe,x\ny,z\n", [["5\" pipe", "x"], ["y", "z"]]),
    ("\"a\r\nb\",c\r\n", [["a\r\nb", "c"]]),
    ("\"a,b\n", [[open]]),
    ("\"a\nb\nc", [[open]]), ("a,b\n\"", [["a", "b"], [open]]), ("\"a\"\"\n", [[open]]), ("", []),
    ("\n\n", []),
  ]

  @Test(arguments: cases) func readsTheSameWhereverTheInputIsCut(
    _ text: String, _ expected: [[String]]
  ) throws {
    let bytes = Array(text)
    for cut in 0...bytes.count {
      #expect(try rows(ChunkedSource(bytes, cuts: [cut])) == expected, "cut at \(cut)")
    }
    #expect(try rows(ChunkedSource(bytes, pieces: 1)) == expected)
  }

  @Test func tabsSeparateWhereAsked() throws {
    let source = ChunkedSource("a,b\tc\n\"x\ty\"\t\n")
    #expect(try rows(source, separator: UInt8(ascii: "\t")) == [["a,b", "c"], ["x\ty", ""]])
  }

  @Test func rowsAndFaultsKnowTheirPlace() throws {
    let reader = CSVReader(LineReader(ChunkedSource("h\n\"a\nb\",c\nx\"y\"\nlast\n")))
    var places: [[Int]] = []
    var raws: [String] = []
    while let row = try reader.next() {
      switch row {
      case .success(let row):
        places.append([row.line, row.offset])
        raws.append(row.raw.string)
      case .failure(let fault):
        places.append([fault.line, fault.offset])
        raws.append(fault.raw.string)
      }
    }
    #expect(places == [[1, 0], [2, 2], [4, 10], [5, 15]])
    #expect(raws == ["h", "\"a\nb\",c", "x\"y\"", "last"])
    #expect(reader.sourceName == "test")
  }

  @Test func aLineThatIsTooLongIsAFaultInsideQuotesToo() throws {
    let long = String(repeating: "x", count: 50)
    for text in ["\(long)\na\n", "\"b\n\(long)\"\na\n"] {
      let reader = CSVReader(LineReader(ChunkedSource(text), lineBytesMax: 20))
      guard case .failure = try reader.next() else {
        Issue.record("expected a fault")
        continue
      }
    }
  }

  /// A quadratic reader would take minutes here.
  @Test(.timeLimit(.minutes(1))) func aQuoteThatIsNeverClosedCostsLinearTime() throws {
    let text = "\"" + String(repeating: "abc\n", count: 100_000)
    #expect(try rows(ChunkedSource(text)).count == 1)
  }

  @Test func whatIsWrittenIsReadBack() throws {
    let alphabet = ["a", ",", "\"", "\n", " ", "é", "", "\t"]
    var random = SplitMix64(seed: 4)
    for _ in 0..<500 {
      let cells = (0..<Int.random(in: 1...4, using: &random)).map { _ in
        "x" + (0..<4).map { _ in alphabet.randomElement(using: &random)! }.joined()
      }
      let output = OutputBuffer(MemorySink())
      for (index, cell) in cells.enumerated() {
        if index > 0 { output.append(UInt8(ascii: ",")) }
        Array(cell).withBytes { output.appendCell($0) }
      }
      output.append("\n")
      #expect(try rows(ChunkedSource(output.pending.copy())) == [cells])
    }
  }

  /// Rows without quotes against the same with one, which are read a byte at a time; lengths around blocks of 64 bytes.
  @Test func rowsWithoutQuotesAreReadAsThoseWith() throws {
    var random = SplitMix64(seed: 14)
    for count in Array(0...40) + [63, 64, 65, 127, 128, 129, 300] {
      let cells = (0..<count).map { _ in
        String(repeating: "x", count: [0, 0, 1, 5, 17, 70].randomElement(using: &random)!)
      }
      let text = cells.joined(separator: ",")
      #expect(
        try rows(ChunkedSource("y,\(text)\ny,\(text),\"\"\n")) == [
          ["y"] + (cells.isEmpty ? [""] : cells), ["y"] + (cells.isEmpty ? [""] : cells) + [""],
        ])
    }
  }

  @Test func scalarsAreCells() {
    let output = OutputBuffer(MemorySink())
    let scalars: [Scalar] = [
      .null, .int(-1), .double(0.5), .bool(true), .text(Bytes("a,b")), .text(Bytes("plain")),
      .time(Timestamp(microseconds: 0)),
    ]
    for scalar in scalars {
      output.appendCell(scalar)
      output.append(UInt8(ascii: ";"))
    }
    #expect(output.pending.string == ";-1;0.5;true;\"a,b\";plain;1970-01-01T00:00:00Z;")
  }
}
