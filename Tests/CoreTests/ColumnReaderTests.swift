import TestSupport
import Testing

@testable import Core

@Suite struct ColumnReaderTests {
  private func read(_ lines: [String], _ choice: ColumnReader.Choice = .init()) throws -> [String] {
    let reader = ColumnReader(choice)
    return try lines.map { line in
      try Array(line.utf8).withBytes { (bytes) throws(BadRecord) in
        try reader.read(bytes)
        return text(reader)
      }
    }
  }

  private func text(_ reader: ColumnReader) -> String {
    reader.cells.map { cell in
      let value =
        switch cell.value {
        case .null: "null"
        case .number(let number): number.plain
        case .flag(let flag): "\(flag)"
        case .text(let text): "'\(text.string)'"
        case .composite: "[]"
        case .notFinite: "inf"
        }
      return "\(reader.names[cell.column])=\(value)"
    }.joined(separator: " ")
  }

  @Test func membersAreColumnsByPath() throws {
    let lines = [
      #"{"a":1,"f":{"v:m":2.5,"x":{"y":"\u0041"}},"_rt":{"offset":1},"kind":"features","t":[1]}"#,
      #"{"t":null,"a":-0.5e3,"f":{"x":{"y":true}},"new one":1e999}"#, #"{}"#, #"{"f":3,"a":"1"}"#,
    ]
    #expect(
      try read(lines) == [
        "a=1 f.\"v:m\"=2.5 f.x.y='A' t=[]", "t=null a=-500 f.x.y=true \"new one\"=inf", "",
        "f=3 a='1'",
      ])
  }

  /// As many simple members as are handed on at once, then a value that is not simple, in records that are learned.
  @Test(arguments: [255, 256, 257, 512], ["{\"b\":1}", "\"a\\nb\"", "1e-7", "[2]"])
  func aValueBehindManyMembersIsRead(_ count: Int, _ value: String) throws {
    let members = (0..<count).map { "\"m\($0)\":\($0)" }.joined(separator: ",")
    let line = Array("{\(members),\"z\":\(value),\"y\":7}".utf8)
    let padded = line + [UInt8](repeating: 0, count: LineReader.padding)
    let learned = ColumnReader(ColumnReader.Choice())
    let expected = try read([String(decoding: line, as: UTF8.self)])[0]
    for _ in 0..<4 {
      try padded.withBytes { (bytes) throws(BadRecord) in
        try learned.read(bytes[0..<line.count], padding: LineReader.padding)
      }
      #expect(text(learned) == expected)
    }
  }

  @Test func objectsWhoseNamesAreDataAreRefused() {
    let lines = (0..<10_002).map { "{\"a\($0 % 101)\":{\"b\($0)\":{}}}" }
    #expect(throws: BadRecord.self) { try read(lines) }
  }

  @Test func theLastOfTwoCounts() throws {
    #expect(
      try read([#"{"a":1,"b":2,"a":3}"#, #"{"f":{"x":1,"y":2},"f":{"y":3}}"#]) == [
        "b=2 a=3", "f.y=3",
      ])
  }

  @Test func onlyWhatIsWanted() throws {
    var choice = ColumnReader.Choice()
    choice.under = ["f"]
    choice.without = ["y"]
    choice.time = "t"
    #expect(
      try read([#"{"t":"x","a":1,"f":{"x":1,"y":2,"z":{"w":3}}}"#], choice) == ["t='x' x=1 z.w=3"])
  }

  @Test func whatIsNoRecordSaysSo() {
    for line in ["[1]", "{\"a\":}", "{\"a\":1} x", ""] {
      #expect(throws: BadRecord.self) { try read([line]) }
    }
  }

  /// A reader that has learned a stream's habits against one that reads all of it slowly, on lines in several shapes and
  /// styles, of which every third is damaged.
  @Test func whatWasLearnedChangesNothing() {
    var random = SplitMix64(seed: 77)
    let (quick, slow) = (ColumnReader(), ColumnReader())
    var taken = 0
    for _ in 0..<30_000 {
      let line = line(&random)
      let padded = line + [UInt8](repeating: UInt8(ascii: "7"), count: LineReader.padding)
      let found = padded.withBytes { outcome(quick, $0[0..<line.count], LineReader.padding) }
      let expected = line.withBytes { outcome(slow, $0, 0) }
      #expect(found == expected, "\(String(decoding: line, as: UTF8.self))")
      if !found.hasPrefix("refused") { taken += 1 }
    }
    #expect(taken > 15_000 && quick.names == slow.names)
  }

  private func outcome(_ reader: ColumnReader, _ line: Bytes, _ padding: Int) -> String {
    do { try reader.read(line, padding: padding) } catch { return "refused: \(error.reason)" }
    return text(reader)
  }

  private func line(_ random: inout SplitMix64) -> [UInt8] {
    let shapes = [
      ["a", "time", "b", "c"], ["a", "f", "b", "kind", "_rt"], ["b", "a", "a", "f", "f"],
      ["a name that is longer than two blocks of sixteen", "c"], (0..<40).map { "m\($0)" }, [],
    ]
    let values = [
      "0", "-1", "12.50", "-0.0", "0.25", "1234567", "123456.789012", "true", "null", #""plain""#,
      "1e5", "1e999", "12345678901234567890", #""esc\u0041\n""#, #""é""#, "[1,{}]", "{}",
      #"{"x":1,"y":{"z":2.5}}"#, #"{"y":{"z":"t","w":3},"x":-4}"#, "01", "-", "nul", "7.",
    ]
    let (comma, colon) = [(",", ":"), (", ", ": ")].randomElement(using: &random)!
    let members = shapes.randomElement(using: &random)!.map { name in
      let limit = Int.random(in: 0..<60, using: &random) == 0 ? values.count : values.count - 4
      return "\"\(name)\"\(colon)\(values[Int.random(in: 0..<limit, using: &random)])"
    }
    var bytes = Array("{\(members.joined(separator: comma))}".utf8)
    guard Int.random(in: 0..<3, using: &random) == 0 else { return bytes }
    let place = Int.random(in: 0..<bytes.count, using: &random)
    if Bool.random(using: &random) {
      bytes[place] = Array("\",:{}[]\\ 0e".utf8).randomElement(using: &random)!
    } else {
      bytes.remove(at: place)
    }
    return bytes
  }

  /// More members than are learned, and than a walk passes at once.
  @Test(arguments: [255, 256, 257, 1_500])
  func longRecordsAreReadToTheirEnd(_ count: Int) throws {
    let line = "{" + (0..<count).map { "\"m\($0)\":\($0)" }.joined(separator: ",") + "}"
    let padded = Array(line.utf8) + [UInt8](repeating: 0, count: LineReader.padding)
    let reader = ColumnReader()
    for _ in 0..<3 {
      try padded.withBytes { (bytes) throws(BadRecord) in
        try reader.read(bytes[0..<line.utf8.count], padding: LineReader.padding)
      }
      #expect(text(reader) == (0..<count).map { "m\($0)=\($0)" }.joined(separator: " "))
    }
  }

  @Test func aTableHasTheSameColumns() throws {
    let reader = ColumnReader()
    let table = CSVReader(
      LineReader(
        ChunkedSource("a,view:m,b\n1,007,\n-2.50, 3 ,NaN\ntrue,1e3,-inf\nx,\"q\"\"r\",0.1\n")))
    guard case .success(let header)? = try table.next() else {
      Issue.record("no header")
      return
    }
    try reader.readHeader(header, source: "t")
    var found: [String] = []
    while case .success(let row)? = try table.next() {
      try reader.read(cells: row.cells)
      found.append(text(reader))
    }
    #expect(
      found == [
        "a=1 \"view:m\"='007' b=null", "a=-2.5 \"view:m\"=3 b=inf", "a=true \"view:m\"=1000 b=inf",
        "a='x' \"view:m\"='q\"r' b=0.1",
      ])
  }

  /// The short way for numbers against the long one.
  @Test func plainDecimalsAreWhatTheyAre() {
    var random = SplitMix64(seed: 9)
    for _ in 0..<20_000 {
      let digits = Int.random(in: 1...17, using: &random)
      var text = (0..<digits).map { _ in String(Int.random(in: 0...9, using: &random)) }.joined()
      if Bool.random(using: &random) {
        let place = Int.random(in: 0...digits, using: &random)
        text.insert(".", at: text.index(text.startIndex, offsetBy: place))
      }
      if Bool.random(using: &random) { text = "-" + text }
      Array(text.utf8).withBytes { bytes in
        guard let found = ColumnValue.plainDecimal(bytes) else { return }
        var cursor = JSONCursor(bytes)
        #expect((try? cursor.rawValue())?.bytes.count == bytes.count, "\(text) is no number")
        #expect(found == Double(text), "\(text)")
      }
    }
  }
}
