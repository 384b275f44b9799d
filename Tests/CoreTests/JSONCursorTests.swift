import Testing

@testable import Core

@Suite struct JSONCursorTests {
  /// Reads one value and expects nothing after it; nil when accepted, else the reason.
  private func refusal(_ text: [UInt8], nonFinite: Bool = false) -> JSONError? {
    text.withBytes { bytes in
      var cursor = JSONCursor(bytes, allowsNonFinite: nonFinite)
      do throws(JSONError) {
        try cursor.skipValue()
        try cursor.finish()
        return nil
      } catch {
        return error
      }
    }
  }

  @Test(arguments: [
    "{}", "[]", "0", "-0", "1e9", "1E+2", "-1.5e-3", "\"\"", "true", "false", "null", " [ 1 , 2 ] ",
    #"{"a":{"b":[1,{"c":null}]},"d":"\u00e9\ud83d\ude00\n\/"}"#, "\"é😀\"", #"{"":0}"#,
    #"{"a":1,"a":2}"#, "\"\u{7f}\"", "\t[1]\r\n", "123456789012345678901234567890", "1e400",
  ])
  func accepts(_ text: String) {
    #expect(refusal(Array(text.utf8)) == nil)
  }

  @Test(arguments: [
    "", " ", "{", "}", "[", "]", "[1,]", "[,1]", "[1 2]", "{\"a\"}", "{\"a\":}", "{\"a\":1,}",
    "{a:1}",
    "{'a':1}", "01", "-", "-01", "+1", ".5", "5.", "1e", "1e+", "0x1", "NaN", "Infinity",
    "-Infinity", "tru",
    "True", "nul", "\"", "\"\\x\"", "\"\\u12\"", "\"\\ud800\"", "\"\\udc00\"", "\"\\ud800\\u0041\"",
    "\"a\nb\"", "\"\t\"", "1 2", "{}{}", "[1]]", "/**/1", "\u{feff}1", "[\"a\"",
    "{\"a\":1 \"b\":2}", "1a",
  ])
  func refuses(_ text: String) {
    #expect(refusal(Array(text.utf8)) != nil)
  }

  @Test(
    arguments: [
      [0x80], [0xC0, 0x80], [0xC1, 0xBF], [0xE0, 0x80, 0x80], [0xED, 0xA0, 0x80],
      [0xF0, 0x80, 0x80, 0x80],
      [0xF4, 0x90, 0x80, 0x80], [0xF5, 0x80, 0x80, 0x80], [0xC3], [0xE2, 0x82], [0xFF],
    ] as [[UInt8]])
  func refusesBytesThatAreNotUTF8(_ bytes: [UInt8]) {
    #expect(refusal([0x22] + bytes + [0x22])?.reason == "bytes that are not UTF-8")
  }

  @Test func limitsDepthWithoutRecursion() {
    let deep = Limits.jsonDepthMax
    let inside = Array(repeating: UInt8(ascii: "["), count: deep)
    let outside = Array(repeating: UInt8(ascii: "]"), count: deep)
    #expect(refusal(inside + outside) == nil)
    #expect(refusal([UInt8(ascii: "[")] + inside + outside) != nil)
    #expect(refusal(Array(repeating: UInt8(ascii: "["), count: 1_000_000)) != nil)
  }

  @Test func everyPrefixOfAnObjectIsRefused() {
    let text = Array(#"{"a":[1.5e3,"é\u00e9\ud83d\ude00",{"b":[true,false,null]}],"c":-0.1}"#.utf8)
    #expect(refusal(text) == nil)
    for length in 0..<text.count { #expect(refusal(Array(text[..<length])) != nil) }
  }

  @Test func nonFiniteNumbersOnlyWhereAsked() {
    #expect(refusal(Array("[NaN,Infinity,-Infinity]".utf8), nonFinite: true) == nil)
    #expect(refusal(Array("[Nan]".utf8), nonFinite: true) != nil)
  }

  @Test func readsStringsWithEscapes() throws {
    let text = Array(#""a\"\\\/\b\f\n\r\t\u0000\u00e9\u20ac\ud83d\ude00z""#.utf8)
    let value = try text.withBytes { (bytes) throws(JSONError) in
      var cursor = JSONCursor(bytes)
      return try cursor.readString()
    }
    #expect(value == "a\"\\/\u{8}\u{c}\n\r\t\u{0}é€😀z")
  }

  @Test func namesThePlaceOfTheFault() {
    #expect(
      refusal(Array(#"{"a" 1}"#.utf8))?.description
        == "byte 5: expected ':' after the member's name, found '1'")
  }

  @Test func nestingKindsAreWhatWasOpened() {
    var random = SplitMix64(seed: 5)
    var kinds = NestingKinds()
    var twin: [Bool] = []
    for _ in 0..<20_000 {
      if twin.count == Limits.jsonDepthMax || !twin.isEmpty && Bool.random(using: &random) {
        kinds.pop()
        twin.removeLast()
      } else {
        let isObject = Bool.random(using: &random)
        for _ in 0..<min(7, Limits.jsonDepthMax - twin.count) {
          kinds.push(isObject: isObject)
          twin.append(isObject)
        }
      }
      if let last = twin.last { #expect(kinds.isObject == last) }
    }
    #expect(twin.count > 400)
  }
}
