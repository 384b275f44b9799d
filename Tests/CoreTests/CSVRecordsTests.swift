// Tables as records: what a row says is what the record says, and a row that says nothing right is told by its line.

import Core
import TestSupport
import Testing

@Suite struct CSVRecordsTests {
  private static let fields = [
    Field(name: "id", type: .string), Field(name: "amount", type: .number),
    Field(name: "count", type: .integer), Field(name: "ok", type: .boolean),
    Field(name: "time", type: .time), Field(name: "at", type: .time, unit: .ms),
    Field(name: "free", type: .any),
  ]

  private func records(
    _ text: String, separator: UInt8 = UInt8(ascii: ","), pieces: Int = 7
  ) throws(Failure) -> [String] {
    let reader = LineReader(ChunkedSource(Array(text.utf8), pieces: pieces), readBytes: 16)
    let table = try CSVRecords(reader, separator: separator) { name in
      Self.fields.first { $0.name == name }
    }
    var result: [String] = []
    while let next = try table.next() {
      switch next {
      case .success(let record):
        result.append("\(record.line) \(record.offset) \(record.json.string)")
      case .failure(let fault):
        result.append("\(fault.line) \(fault.offset) \(fault.reason): \(fault.raw.string)")
      }
    }
    return result
  }

  @Test(arguments: [
    // Declared types decide how a cell is written.
    ("id", "007", #"{"id":"007"}"#), ("id", "true", #"{"id":"true"}"#),
    ("id", " a ", #"{"id":" a "}"#),
    ("amount", "12.50", #"{"amount":12.50}"#), ("amount", " 3 ", #"{"amount":3}"#),
    ("amount", "1e400", #"{"amount":1e400}"#), ("amount", "007", #"{"amount":"007"}"#),
    ("amount", "abc", #"{"amount":"abc"}"#), ("amount", "1.", #"{"amount":"1."}"#),
    ("count", "18446744073709551615", #"{"count":18446744073709551615}"#),
    ("ok", "true", #"{"ok":true}"#), ("ok", "yes", #"{"ok":"yes"}"#),
    ("at", "1714557600000", #"{"at":1714557600000}"#),
    ("time", "2024-05-01T10:00:00Z", #"{"time":"2024-05-01T10:00:00Z"}"#),
    ("time", "7", #"{"time":"7"}"#),
    // Others are what they look like.
    ("free", "-0.5", #"{"free":-0.5}"#), ("other", "7", #"{"other":7}"#),
    ("other", "7a", #"{"other":"7a"}"#),
    ("other", "false", #"{"other":false}"#), ("other", "null", #"{"other":"null"}"#),
    ("other", "{}", #"{"other":"{}"}"#),
    ("größe", "é\t\\", #"{"größe":"é\t\\"}"#), ("\"a \"\"b\"\"\"", "1", #"{"a \"b\"":1}"#),
  ])
  func cellsAreWrittenByTheirType(_ name: String, _ cell: String, _ json: String) throws {
    let header = name + "\n"
    #expect(try records(header + cell + "\n") == ["2 \(header.utf8.count) \(json)"])
  }

  @Test func emptyCellsAreMissingMembers() throws {
    let text = "id,amount,x\n,,\na,,1\n,2,\n\"\",,\"\"\n"
    #expect(
      try records(text) == [
        "2 12 {}", #"3 15 {"id":"a","x":1}"#, #"4 20 {"amount":2}"#, "5 24 {}",
      ])
  }

  @Test func rowsKnowTheirLinesBehindCellsThatSpanSeveral() throws {
    let text =
      "\u{feff}id,x\r\n\"a\r\n\r\nb\",\"say \"\"c\"\"\"\r\n1,2,3\r\nd,\"e\nf\"\r\ng\"h,1\r\n\"i\"j,1\r\n"
    let expected = [
      #"2 9 {"id":"a\r\n\r\nb","x":"say \"c\""}"#, "5 31 3 cells where the header has 2: 1,2,3",
      #"6 38 {"id":"d","x":"e\nf"}"#, #"8 47 {"id":"g\"h","x":1}"#,
      "9 54 text before or after a quoted cell: \"i\"j,1",
    ]
    for pieces in 1...text.utf8.count { #expect(try records(text, pieces: pieces) == expected) }
  }

  @Test func tabsSeparateWhereAsked() throws {
    #expect(
      try records("id\tx\na,b\t\"c\td\"\n", separator: UInt8(ascii: "\t"))
        == [#"2 5 {"id":"a,b","x":"c\td"}"#])
  }

  @Test(arguments: [
    ("a,,b\n1,2,3\n", "test: column 2 has no name in the header row"),
    ("a,b,a\n", "test: the header row names 'a' twice"),
    ("\"a\"b\n", "test: the header row cannot be read"),
  ])
  func headersThatNameNoMembersAreRefused(_ text: String, _ expected: String) {
    #expect(message { () throws(Failure) in _ = try records(text) } == expected)
  }

  @Test func nothingIsNoTable() throws {
    #expect(try records("") == [])
    #expect(try records("id,x\n") == [])
  }

  /// What is written as a cell is read back as the same text, by records of any separator.
  @Test func cellsReadBackAsTheyWereWritten() throws {
    var random = SplitMix64(seed: 12)
    let parts = ["a", ",", "\"", "\n", "\r\n", "\t", "é", " ", "1", "\\"]
    for separator in [UInt8(ascii: ","), UInt8(ascii: "\t")] {
      let output = OutputBuffer(MemorySink())
      output.append("id\n")
      var expected: [String] = []
      for _ in 0..<300 {
        let count = Int.random(in: 0..<6, using: &random)
        let text = "x" + (0..<count).map { _ in parts.randomElement(using: &random)! }.joined()
        Array(text.utf8).withBytes { output.appendCell($0, separator: separator) }
        output.append("\n")
        expected.append(text)
      }
      let reader = LineReader(ChunkedSource(output.pending.copy(), pieces: 11))
      let table = try CSVRecords(reader, separator: separator) { _ in
        Field(name: "id", type: .string)
      }
      var plan = FieldPlan()
      let slot = plan.slot(["id"])
      let scanner = RecordScanner(plan)
      var found: [String] = []
      while case .success(let record)? = try table.next() {
        try scanner.scan(record.json, padding: LineReader.padding)
        found.append(scanner.text(slot).string)
      }
      #expect(found == expected)
    }
  }
}
