// The scanner against a twin that builds whole trees: random objects with nested and repeated
// members, escapes, odd spacing. What a path names is the last member of that name, inside the last
// member of the one before.

import Core
import TestSupport
import Testing

@Suite struct RecordScannerTests {
  private static let paths = [
    ["a"], ["b"], ["c"], ["né"], ["q\""], ["a", "b"], ["a", "b", "c"], ["b", "a"], ["absent"],
    ["a", "absent"], ["né", "q\""],
  ]

  private func plan(_ paths: [[String]]) -> FieldPlan {
    var plan = FieldPlan()
    for path in paths { _ = plan.slot(path) }
    return plan
  }

  /// A value as text that both sides can say.
  private func describe(_ tree: RecordTree?) -> String {
    switch tree {
    case nil: "null"
    case .word(let word): word
    case .text(let string): "'\(string)'"
    case .array: "array"
    case .object: "object"
    }
  }

  private func describe(_ raw: JSONRaw, _ text: @autoclosure () -> Bytes) -> String {
    switch raw.kind {
    case .string: "'\(text().string)'"
    case .array: "array"
    case .object: "object"
    default: raw.literal.string
    }
  }

  @Test(arguments: [UInt64(1), 2, 3, 4], [0, 32])
  func findsWhatATreeHolds(_ seed: UInt64, _ padding: Int) throws {
    let scanner = RecordScanner(plan(Self.paths))
    var writer = RecordWriter(random: SplitMix64(seed: seed))
    for _ in 0..<700 {
      let tree = writer.object(depth: 4)
      writer.text = ""
      writer.write(tree)
      let line = Array(writer.text)
      try (line + [UInt8](repeating: 0x20, count: padding)).withBytes { bytes throws(JSONError) in
        try scanner.scan(bytes[0..<line.count], padding: padding)
        // All texts first, while more are asked for: none may move.
        let texts = Self.paths.indices.map { slot in
          scanner.raw(slot).kind == .string ? scanner.text(slot) : Bytes.empty
        }
        for (slot, path) in Self.paths.enumerated() {
          let found = describe(scanner.raw(slot), texts[slot])
          #expect(found == describe(tree[path[...]]), "\(path) of \(line.text)")
        }
        guard case .object(let members) = tree else { return }
        #expect(scanner.memberNames == members.map(\.name))
      }
    }
  }

  @Test(arguments: [
    #"{"a":{"b":1},"a":{"c":2}}"#, #"{"a":{"b":1},"a":5}"#, #"{"a":{"b":1},"a":{}}"#,
    #"{"a":{"b":1},"x":0,"a":null}"#, #"{"a":{"b":{"c":1}},"\u0061":{"b":{}}}"#,
  ])
  func aRepeatedMemberReplacesAllOfTheFirst(_ text: String) throws {
    let scanner = RecordScanner(plan([["a", "b"], ["a", "b", "c"]]))
    // Twice, as the second time the line is no longer new to the scanner.
    for _ in 0..<2 {
      try Array(text).withBytes { bytes throws(JSONError) in
        try scanner.scan(bytes)
        #expect(scanner.raw(1).kind == .null)
        #expect(scanner.raw(0).kind == (text.contains("{}}}") ? .object : .null))
      }
    }
  }

  @Test func textsStayWhileManyMoreAreResolved() throws {
    let names = (0..<200).map { "m\($0)" }
    let texts = names.map { "\($0)\n" + String(repeating: "é", count: $0.count * 7) }
    let line = Array(
      "{"
        + zip(names, texts).map { "\"\($0)\":\"\($1.replacing("\n", with: "\\n"))\"" }
        .joined(separator: ",") + "}")
    let scanner = RecordScanner(plan(names.map { [$0] }))
    try line.withBytes { bytes throws(JSONError) in
      try scanner.scan(bytes)
      let resolved = names.indices.map { scanner.text($0) }
      #expect(resolved.map(\.string) == texts)
    }
  }

  @Test(arguments: ["[]", "1", "\"a\"", "null", "", " ", "{", "{}x", "{} {}", "nul"])
  func onlyAWholeObjectIsARecord(_ text: String) {
    let scanner = RecordScanner(FieldPlan())
    #expect(failure { () throws(JSONError) in try scanner.scan(Bytes(lasting: text)) } != nil)
  }

  @Test func scalarsHaveTheirOwnTypes() throws {
    let line = Bytes(lasting: #"{"i":7,"d":7.0,"z":-0,"b":true,"s":"x","n":null,"o":{},"h":1e999}"#)
    let names = ["i", "d", "z", "b", "s", "n", "o", "absent", "h"]
    let scanner = RecordScanner(plan(names.map { [$0] }))
    try scanner.scan(line)
    let types = names.indices.map { scanner.scalar($0).map { $0.type.rawValue } ?? "none" }
    #expect(
      types == ["int", "double", "double", "bool", "string", "null", "null", "null", "none"])
  }

  @Test func theSamePathHasTheSameSlot() {
    var plan = FieldPlan()
    #expect(
      [plan.slot(["a"]), plan.slot(["a", "b"]), plan.slot(["a"]), plan.slot(["b"])] == [0, 1, 0, 2])
    #expect(plan.existingSlot(["a", "b"]) == 1 && plan.existingSlot(["c"]) == nil)
    #expect(plan.paths == [["a"], ["a", "b"], ["b"]])
  }

  // MARK: Writing again

  private func rewritten(_ text: String, _ kept: (RecordScanner) -> KeptMembers) throws -> String {
    var plan = FieldPlan()
    for name in ["x", "y"] { _ = plan.slot([name]) }
    let scanner = RecordScanner(plan)
    let output = OutputBuffer(MemorySink())
    let line = Bytes(lasting: text)
    try scanner.scan(line)
    let comma = scanner.appendOpen(to: output, keeping: kept(scanner))
    return output.pending.string + (comma ? "," : "")
  }

  @Test(arguments: [
    #"{"a":1}"#, #"{"a" : 1 ,"b":"\u00e9",  "c":[1, 2]}"#, #"{"y":{"x":1},"a":1e5,"a":-0.0}"#,
    #"{"é":"\/"}"#,
  ])
  func aLineOfWhichNothingIsLeftOutIsTheSameByteForByte(_ text: String) throws {
    #expect(try rewritten(text) { $0.keepingAll(but: "x") } == text.dropLast() + ",")
  }

  @Test(
    arguments: [
      (#"{"x":1,"a":2,"b":3}"#, #"{"a":2,"b":3,"#), (#"{"a":2,"x":1,"b":3}"#, #"{"a":2,"b":3,"#),
      (#"{"a":2, "b": 3, "x":{"y":1}}"#, #"{"a":2,"b": 3,"#), (#"{"x":1}"#, "{"), ("{}", "{"),
      ("{ }", "{"),
      (#"{"x":1,"x":2}"#, "{"), (#"{"x":1,"a":0,"x":2}"#, #"{"a":0,"#),
      (#"{"\u0078":1,"a":0}"#, #"{"a":0,"#),
    ])
  func aMemberCanBeLeftOut(_ text: String, _ expected: String) throws {
    #expect(try rewritten(text) { $0.keepingAll(but: "x") } == expected)
  }

  @Test func onlyNamedMembersCanBeKept() throws {
    let text = #"{"a":1,"x":2,"b":{"x":3},"y":4}"#
    #expect(try rewritten(text) { $0.keepingOnly(["x"]) } == #"{"x":2,"#)
    #expect(try rewritten(text) { $0.keepingOnly(["x", "y"]) } == #"{"x":2,"y":4,"#)
    #expect(try rewritten(text) { $0.keepingOnly([]) } == "{")
    #expect(try rewritten(text) { $0.keepingAll(but: "absent") } == text.dropLast() + ",")
  }

  @Test func tellsTheFirstMemberThatIsNotKept() throws {
    var plan = FieldPlan()
    _ = plan.slot(["x"])
    let scanner = RecordScanner(plan)
    try scanner.scan(Bytes(#"{"x":1,"b\u0062":2,"c":3}"#))
    #expect(scanner.firstMember(outside: scanner.keepingOnly(["x"])) == "bb")
    #expect(scanner.firstMember(outside: scanner.keepingAll(but: "y")) == nil)
    #expect(scanner.membersByName.keys.sorted() == ["bb", "c", "x"])
    #expect(scanner.membersByName["c"]?.literal.string == "3")
  }
}
