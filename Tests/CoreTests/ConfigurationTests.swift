// The project file: what JSON5 allows, what is refused and with which place.

import Core
import TestSupport
import Testing

@Suite struct ConfigurationTests {
  /// A tree as plain text, for comparison.
  private func show(_ node: ConfigNode) -> String {
    switch node.value {
    case .null: "null"
    case .bool(let flag): "\(flag)"
    case .number(let text): text
    case .string(let text): "'\(text)'"
    case .array(let nodes): "[\(nodes.map(show).joined(separator: " "))]"
    case .object(let members):
      "{\(members.map { "\($0.key)=\(show($0.node))" }.joined(separator: " "))}"
    }
  }

  private static let accepted: [(String, String)] = [
    ("{}", "{}"), (" [ ] ", "[]"), ("null", "null"), ("{a:1}", "{a=1}"),
    ("{a:1,}", "{a=1}"), ("[1,2,]", "[1 2]"), ("{'a b':\"c\", \"d\": 'e'}", "{a b='c' d='e'}"),
    ("// note\n{a: 1, // more\n /* b: 2, */ c: 3}\n// end", "{a=1 c=3}"),
    ("/**/{/***/a/* : */:/* * / */1/**/}/**/", "{a=1}"), ("\u{feff}{}", "{}"),
    ("{a$_1: true, b: false, c: null}", "{a$_1=true b=false c=null}"),
    ("[0, -1, +2, 2.5, .5, 5., 1e3, 0x1F]", "[0 -1 +2 2.5 .5 5. 1e3 0x1F]"),
    (#"["\n\t\r\b\f\v\0\"\'\\\/"]"#, "['\n\t\r\u{8}\u{c}\u{b}\0\"'\\/']"),
    (#"["\u00e9\x41\ud83d\ude00"]"#, "['éA😀']"), ("['a\\\nb']", "['ab']"),
    ("['it is \"quoted\"', \"it's\"]", "['it is \"quoted\"' 'it's']"), ("{größe: 1}", "{größe=1}"),
    ("['// no comment', \"/* nor this */\"]", "['// no comment' '/* nor this */']"),
  ]

  @Test(arguments: accepted) func reads(_ text: String, _ expected: String) throws {
    #expect(show(try ConfigNode.parse(text)) == expected)
  }

  private static let refused: [(String, String)] = [
    ("", "test.json:1: the file ends where a value was expected"),
    ("{", "test.json:1: expected a key, found the end of the file"),
    ("{a}", "test.json:1: expected ':', found '}'"),
    ("{a:1 b:2}", "test.json:1: expected ',' or '}', found 'b'"),
    ("{a:1,,}", "expected a key, found ','"), ("{1a:1}", "expected a key"),
    ("[1 2]", "expected ',' or ']', found '2'"), ("[,]", "expected a value, found ','"),
    ("{a:}", "expected a value, found '}'"),
    ("{}\n\n{}", "test.json:3: expected the end, found '{'"),
    ("{\n a: 1,\n a: 2 }", "test.json:3: the key 'a' appears twice"),
    ("{\n 'a': 1, \"a\": 2 }", "test.json:2: the key 'a' appears twice"),
    ("{\na: yes}", "test.json:2: 'yes' is not a value; text needs quotes"),
    ("['a\n']", "test.json:1: the quoted text does not end on its line"),
    ("\n\n['a", "test.json:3: the quoted text does not end on its line"),
    ("\n/* a\n\n", "test.json:2: the comment does not end"), ("{}/", "expected the end, found '/'"),
    (#"['\u12']"#, "\\u needs four"), (#"['\u+041']"#, "\\u needs four"),
    (#"['\ud800']"#, "\\u needs four"), (#"['\ud800\u0041']"#, "\\u needs four"),
    (#"['\xg0']"#, "\\x needs two"), ("[--1]", "'--1' is not a value"),
    ("[1.2.3]", "'1.2.3' is not"),
  ]

  @Test(arguments: refused) func refuses(_ text: String, _ expected: String) {
    let found = message { () throws(Failure) in _ = try ConfigNode.parse(text) }
    #expect(found.hasPrefix("test.json:") && found.contains(expected), "\(found)")
  }

  @Test func everyPrefixIsReadOrRefusedWithAPlace() throws {
    let text = """
      // c
      {a: {b: [1, -2.5, 'x\\n\\u0041', "y"], /* d */ 'e': null,}, // f
       g: true, größe: [[], {},],
      }

      """
    var read = 0
    for end in text.unicodeScalars.indices {
      let prefix = String(text.unicodeScalars[..<end])
      let error = failure { () throws(Failure) in _ = try ConfigNode.parse(prefix) }
      if let error {
        #expect(error.status == .usage && error.message.hasPrefix("test.json:"))
      } else {
        read += 1
      }
    }
    // Only what ends behind the closing brace is whole.
    #expect(read == 1)
    #expect(show(try ConfigNode.parse(text)).hasPrefix("{a={b=[1 -2.5 'x\nA' 'y'] e=null} g=true"))
  }

  @Test func depthIsLimited() throws {
    for (open, close) in [("[", "]"), ("{a:", "}")] {
      func nested(_ depth: Int) -> String {
        String(repeating: open, count: depth) + "1" + String(repeating: close, count: depth)
      }
      _ = try ConfigNode.parse(nested(Limits.expressionDepthMax - 1))
      for depth in [Limits.expressionDepthMax, 100_000] {
        let found = message { () throws(Failure) in _ = try ConfigNode.parse(nested(depth)) }
        #expect(found == "test.json:1: nested too deep")
      }
    }
  }

  @Test func bytesThatAreNotUTF8AreNoProjectFile() {
    let found = message { () throws(Failure) in
      _ = try JSON5Parser.parse([0x7B, 0xFF, 0x7D], file: "p.json")
    }
    #expect(found == "p.json: not UTF-8 text")
  }

  // MARK: Reading values

  private static let tree = """
    {
      flag: true, text: "x", number: 2.5,
      inner: { list: [1, { deep: "30m" }],
        unit: "ms" },
    }
    """

  @Test func givesValuesOfTheirType() throws {
    let root = try ConfigNode.parse(Self.tree)
    let inner = try root.required("inner")
    #expect(try root.required("flag").bool() && root["text"]!.string() == "x")
    #expect(try root.required("number").double() == 2.5)
    let deep = try inner.required("list").list()[1].required("deep")
    #expect(try deep.span() == .minutes(30))
    #expect(deep.path == "inner.list[1].deep" && deep.line == 3 && deep.file == "test.json")
    #expect(try inner.required("unit").choice(TimeUnit.self) == .ms)
    #expect(root["absent"] == nil && inner["list"]?["x"] == nil)
    #expect(try ConfigNode.parse("['a', 'b']").strings() == ["a", "b"])
  }

  @Test func messagesNameFileLineAndPath() throws {
    let root = try ConfigNode.parse(Self.tree)
    let inner = try root.required("inner")
    let deep = try inner.required("list").list()[1].required("deep")
    let unit = try inner.required("unit")
    let cases: [(String, () throws(Failure) -> Void)] = [
      (
        "test.json:2: flag: expected a string, found a boolean",
        { () throws(Failure) in _ = try root.required("flag").string() }
      ),
      (
        "test.json:3: inner.list[1].deep: expected a number, found a string",
        { () throws(Failure) in _ = try deep.double() }
      ),
      (
        "test.json:3: inner.list[1].deep: 30m is below the minimum 1h",
        { () throws(Failure) in _ = try deep.span(atLeast: .hours(1)) }
      ),
      (
        "test.json:4: inner.unit: 'ms' is not a duration (a number and a unit",
        { () throws(Failure) in _ = try unit.span() }
      ),
      (
        "test.json:4: inner.unit: 'ms' is none of: string, integer",
        { () throws(Failure) in _ = try unit.choice(FieldType.self) }
      ),
      (
        "test.json:3: inner: the key 'nothing' is missing",
        { () throws(Failure) in _ = try inner.required("nothing") }
      ),
      (
        "test.json:1: expected a list, found an object",
        { () throws(Failure) in _ = try root.list() }
      ),
      (
        "test.json:2: text: expected an object, found a string",
        { () throws(Failure) in _ = try root["text"]!.members() }
      ),
      (
        "test.json:2: number: expected true or false, found a number",
        { () throws(Failure) in _ = try root["number"]!.bool() }
      ),
    ]
    for (expected, body) in cases {
      let found = message(body)
      #expect(found.hasPrefix(expected), "\(found)")
    }
  }

  @Test func unknownKeysAreRefusedWithTheNearestKnown() throws {
    let node = try ConfigNode.parse("{\n from: 1,\n  widnow: 2 }")
    try node.allow(["from", "widnow"])
    let near = failure { () throws(Failure) in try node.allow(["from", "window"]) }
    #expect(near?.message == "test.json:3: widnow: unknown key 'widnow'")
    #expect(near?.hint == "did you mean 'window'?")
    let far = failure { () throws(Failure) in try node.allow(["from", "entity"]) }
    #expect(far?.hint == "known keys: from, entity")
    let inner = try ConfigNode.parse("{a: {\nb: 1}}").required("a")
    #expect(
      message { () throws(Failure) in try inner.allow([]) }.hasPrefix(
        "test.json:2: a.b: unknown key"))
  }
}
