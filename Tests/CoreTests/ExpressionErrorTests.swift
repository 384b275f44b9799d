import Testing

@testable import Core

@Suite struct ExpressionErrorTests {
  private func refusal(_ text: String, _ expecting: ValueType? = nil) -> ExpressionError? {
    do throws(ExpressionError) {
      _ = try Expression(text, scope: TestRecord.scope, expecting: expecting)
      return nil
    } catch {
      return error
    }
  }

  @Test func describesItselfInOneLine() {
    let scope = Scope(names: ["dep_delay", "origin"]) { _ in nil }
    #expect {
      try Expression("dep_dely > 15", scope: scope)
    } throws: {
      ($0 as? ExpressionError)?.description
        == "`dep_dely > 15`: column 1: unknown name 'dep_dely'; did you mean 'dep_delay'?"
    }
    let long = String(repeating: "i + ", count: 100) + "é" + String(repeating: " + i", count: 100)
    let shown = refusal(long)?.description ?? ""
    #expect(shown.contains("column 401: unexpected 'é'") && shown.count < 160)
    #expect(refusal("'é' +\r\n\t\u{1b}x")?.description.contains("column 8: ") == true)
    #expect(
      refusal("'é' +\r\n\t\u{1b}x")?.description.unicodeScalars.allSatisfy { $0.value >= 32 }
        == true)
  }

  @Test(
    arguments: [
      // The lexer.
      ("i = 5", 2, "unexpected '='; to compare, write '=='"),
      ("b & c", 2, "unexpected '&'; write '&&'"), ("b | c", 2, "unexpected '|'; write '||'"),
      ("i # 2", 2, "unexpected '#'"), ("i \u{1}", 2, "unexpected control character"),
      ("2 ^ 3", 2, "unexpected '^'; for powers, write pow(x, y)"),
      ("1abc", 1, "a number is followed by 'a'"), ("1e", 0, "a number's exponent needs digits"),
      ("1e999", 0, "the number is beyond the range of a double"),
      ("18446744073709551616", 0, Self.beyond), ("i - 18446744073709551616", 4, beyond),
      ("-9223372036854775809", 0, beyond),
      ("99999999999999999999", 0, Self.beyond),
      ("'abc", 0, "the string has no closing quote"),
      ("'abc\\", 4, "the string has no closing quote"),
      ("'a\nb'", 2, "a control character in a string must be escaped, as in \\n"),
      ("'\\x'", 1, "an unknown escape; there are \\\\ \\' \\\" \\n \\r \\t and \\uXXXX"),
      ("'\\u12'", 1, "\\u needs four hexadecimal digits"),
      ("'\\ud83d'", 1, "half of a surrogate pair is no character; write the character itself"),
      // The parser.
      ("", 0, "expected a value, found the end"), ("  ", 2, "expected a value, found the end"),
      ("i +", 3, "expected a value, found the end"), ("i + * 2", 4, "expected a value, found '*'"),
      ("(i", 2, "expected ')', found the end"),
      ("i)", 1, "expected an operator or the end, found ')'"),
      ("b ? 1", 5, "expected ':', found the end"),
      ("i j", 2, "expected an operator or the end, found 'j'"),
      ("b and c", 2, "expected an operator or the end, found 'and'; write '&&'"),
      ("1 < i < 3", 6, "comparisons do not chain; write a < b && b < c"),
      ("i == 1 in [1]", 7, "comparisons do not chain; write a < b && b < c"),
      ("i in 5", 5, "expected a list such as ['a', 'b'] after 'in', found a number"),
      ("i in [1", 7, "expected ',' or ']', found the end"),
      ("abs(i", 5, "expected ',' or ')', found the end"),
      ("abs(i,)", 6, "expected a value, found ')'"),
      ("[1, 2]", 0, "a list may stand only to the right of 'in'"),
      ("in", 0, "expected a value, found 'in'"),
      ("i.", 2, "expected a name after '.', found the end"),
      ("(i).j", 4, "'.j' is no function call, and only names have members"),
      // Names and functions.
      ("user.di", 0, "unknown name 'user.di'; did you mean 'user.id'?"),
      ("i + nothing_like_it", 4, "unknown name 'nothing_like_it'"),
      ("sqr(i)", 0, "unknown function 'sqr'; did you mean 'sqrt'?"),
      ("s.startWith('a')", 2, "unknown function 'startWith'; did you mean 'startsWith'?"),
      ("getHours(t)", 0, "unknown function 'getHours'"),
      ("startsWith(s, 'a')", 0, "'startsWith' is written s.startsWith(t)"),
      ("i.abs()", 2, "'abs' is written abs(x)"),
      ("abs()", 0, "abs(x) takes 1 argument, not 0"),
      ("pow(1)", 0, "pow(x, y) takes 2 arguments, not 1"),
      ("min(1)", 0, "min(a, b, …) takes at least 2 arguments, not 1"),
      ("s.trim(1)", 2, "s.trim() takes no arguments, not 1"),
      ("s.contains()", 2, "s.contains(t) takes 1 argument, not 0"),
      ("abs(s)", 4, "abs(x) takes a number, not string"),
      ("hour(5)", 5, "hour(t) takes a time, not int"),
      ("s.contains(5)", 11, "s.contains(t) takes a string, not int"),
      ("size(i)", 5, "size(s) or s.size() takes a string, not int"),
      ("int(b)", 4, "int(x) takes a number or a string, not bool"),
      ("coalesce(i, s)", 12, "coalesce(a, b, …) cannot mix int with string"),
      // Types.
      ("s + 1", 2, "'+' takes two numbers, not string and int"),
      ("i * b", 2, "'*' takes two numbers, not int and bool"),
      ("t + 1", 2, "'+' takes two numbers, not time and int"),
      ("t - 1", 2, "'-' takes two numbers or two times, not time and int"),
      ("i && b", 2, "'&&' takes two bools, not int and bool"),
      ("!i", 0, "'!' takes a bool, not int"),
      ("-s", 0, "'-' takes a number, not string"),
      ("s < 1", 2, "'<' cannot compare string with int"),
      ("b < c", 2, "'<' cannot compare bool with bool"),
      ("t == s", 2, "'==' cannot compare time with string"),
      ("i in ['a']", 6, "'in' cannot compare int with string"),
      ("i in [1, null]", 9, "nothing equals null; write x == null || x in […]"),
      ("i ? 1 : 2", 0, "the condition before '?' must be bool, not int"),
      ("b ? 1 : 'a'", 2, "'?:' chooses between int and string"),
    ] as [(String, Int, String)])
  func namesTheFault(_ source: String, _ offset: Int, _ reason: String) {
    #expect(refusal(source)?.reason == reason)
    #expect(refusal(source)?.offset == offset)
    #expect(refusal(source)?.text == source)
  }

  private static let beyond =
    "the number is beyond 64 bits; write it with a point to make it a double"

  @Test func refusesWhatCannotBeTheExpectedType() {
    #expect(refusal("i + 1", .bool)?.reason == "the expression is int, but bool is expected")
    #expect(refusal("d", .int)?.reason == "the expression is double, but int is expected")
    #expect(refusal("i", .double) == nil)
    #expect(refusal("a1", .time) == nil)
  }

  // MARK: Hostile texts

  @Test(arguments: ["(", "!", "-", "abs(", "b ? ", "b ? b : ", "i in [", "!(", "-(", "f(1, "])
  func deepNestingIsRefused(_ opening: String) {
    let depth = Limits.expressionBytesMax / opening.utf8.count - 4
    let deep = refusal(String(repeating: opening, count: depth) + "b")
    #expect(deep?.reason.hasPrefix("nested more than 100 deep") == true)
  }

  @Test func towersOfMethodsAreRefusedToo() {
    #expect(refusal("s" + String(repeating: ".trim()", count: 98)) == nil)
    #expect(
      refusal("s" + String(repeating: ".trim()", count: 2_000))?.reason
        == "nested more than 100 deep")
    let open = String(repeating: "(", count: 99)
    let close = String(repeating: ")", count: 99)
    #expect(refusal(open + "i" + close) == nil)
    #expect(refusal("(" + open + "i" + close + ")") != nil)
  }

  @Test func longTextsAreRefused() {
    let fits = "i" + String(repeating: " ", count: Limits.expressionBytesMax - 1)
    #expect(refusal(fits) == nil)
    #expect(refusal(fits + " ")?.reason == "the expression is 16385 bytes long; 16384 are allowed")
    let description = refusal(String(repeating: "(", count: 5_000_000))?.description ?? ""
    #expect(description.count < 200)
  }

  @Test func shortTextsNeverCrash() {
    let letters =
      (0..<128).map { String(UnicodeScalar(UInt8($0))) } + ["é", "😀", "\u{feff}", "\u{301}"]
    for first in letters {
      _ = refusal(first)?.description
      for second in letters { _ = refusal(first + second)?.description }
    }
  }

  @Test func randomTextsNeverCrash() {
    var random = SplitMix64(seed: 11)
    let record = TestRecord.members.map { _ in Scalar.null }
    let stack = ExpressionStack()
    let words = [
      "i", "d", "s", "b", "t", "a1", "n", "(", ")", "[", "]", ",", ".", "?", ":", "+", "-", "*",
      "/",
      "%", "<", "<=", "==", "!=", "!", "&&", "||", "in", "null", "true", "1", "2.5", "'x'", "abs(",
      ".size()", "min(", "coalesce(", "user.id", "'", "\\", "\u{0}", "é",
    ]
    for _ in 0..<10_000 {
      let count = Int.random(in: 1...12, using: &random)
      let text =
        Bool.random(using: &random)
        ? String(
          decoding: (0..<count * 3).map { _ in UInt8.random(in: 0...255, using: &random) },
          as: UTF8.self)
        : (0..<count).map { _ in words.randomElement(using: &random)! }.joined(separator: " ")
      do {
        let expression = try Expression(text, scope: TestRecord.scope)
        _ = expression.evaluate(record, stack)
      } catch {
        if error.offset < 0 || error.offset > text.utf8.count || error.description.isEmpty {
          Issue.record("\(text): \(error)")
        }
      }
    }
  }
}
