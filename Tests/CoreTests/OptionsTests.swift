// What was typed, word by word; and the help's line breaks.

import TestSupport
import Testing

@testable import Core

@Suite struct OptionsTests {
  private static let lateness = Flag("lateness", short: "l", .text("SPAN"), "How late")
  private static let format = Flag("format", .choice(["csv", "ndjson"]), "The form")
  private static let out = Flag("out", short: "o", .file, "Where")
  private static let margin = Flag("margin", short: "m", "With margins")

  private func options(
    _ words: [String], _ environment: [String: String] = [:], operands: Command.Operands = .files
  ) throws(Failure) -> Options {
    let command = Command(
      name: "demo", summary: "", story: "", operands: operands,
      flags: [Self.lateness, Self.format, Self.out, Self.margin], examples: [],
      run: { _ throws(Failure) in .success })
    return try Options(words, for: command, environment: environment)
  }

  private func error(
    _ words: [String], _ environment: [String: String] = [:], operands: Command.Operands = .files
  ) -> Failure? {
    failure { () throws(Failure) in _ = try options(words, environment, operands: operands) }
  }

  @Test(
    arguments: [
      ["--lateness", "5m"], ["--lateness=5m"], ["-l", "5m"], ["-l5m"], ["a", "--lateness", "5m"],
      ["--lateness=5m", "--", "b"],
    ])
  func aValueCanBeTypedInSeveralWays(_ words: [String]) throws {
    #expect(try options(words).value(Self.lateness) == "5m")
  }

  @Test func valuesAreTakenAsTheyAre() throws {
    #expect(try options(["--out="]).value(Self.out) == "")
    #expect(try options(["--out=a=b"]).value(Self.out) == "a=b")
    #expect(try options(["--out", "--lateness"]).value(Self.out) == "--lateness")
    #expect(try options(["-o-"]).value(Self.out) == "-")
    #expect(try options([]).value(Self.out) == nil)
  }

  @Test func operandsAndFlagsMix() throws {
    let mixed = try options(["a", "-m", "-", "b", "--", "-m", "--out"])
    #expect(mixed.operands == ["a", "-", "b", "-m", "--out"])
    #expect(mixed.isOn(Self.margin))
    #expect(try mixed.value(Self.out) == nil)
    #expect(try !options(["--", "-m"]).isOn(Self.margin))
    #expect(try options(["-h", "--quiet"]).isOn(CommonFlags.help))
  }

  private static let refusals: [([String], String, String?)] = [
    (["--margin=1"], "--margin takes no value, got '1'", nil),
    (["-m1"], "-m takes no value, got '1'", nil),
    (["-m", "--margin"], "--margin is given twice", nil),
    (["-l", "5m", "-l6m"], "-l is given twice", nil),
    (["--lateness"], "--lateness needs a value: SPAN", nil),
    (["-o"], "-o needs a value: FILE", nil),
    (["--latness", "5m"], "unknown flag --latness", "did you mean --lateness?"),
    (["--zzz"], "unknown flag --zzz", "rtinfer demo --help lists the flags"),
    (["-x"], "unknown flag -x", "rtinfer demo --help lists the flags"),
    (["--format", "cvs"], "--format: 'cvs' is none of: csv, ndjson", "did you mean 'csv'?"),
    (["--format="], "--format: '' is none of: csv, ndjson", nil),
    (["--format=parquet"], "--format: 'parquet' is none of: csv, ndjson", nil),
    (["--=5"], "unknown flag --", nil),
  ]

  @Test(arguments: refusals)
  func refusesByName(_ words: [String], _ message: String, _ hint: String?) {
    let found = error(words)
    #expect(found?.status == .usage && found?.message == message)
    if let hint { #expect(found?.hint == hint) }
  }

  @Test func theEnvironmentStandsInForFlags() throws {
    let environment = ["RTINFER_LATENESS": "9m", "RTINFER_FORMAT": "csv", "RTINFER_OUT": ""]
    let inherited = try options([], environment)
    #expect(try inherited.value(Self.lateness) == "9m" && inherited.value(Self.format) == "csv")
    #expect(try inherited.value(Self.out) == nil, "an empty variable is none")
    #expect(inherited.origin(Self.lateness) == "RTINFER_LATENESS")
    let typed = try options(["-l", "1m"], environment)
    #expect(try typed.value(Self.lateness) == "1m")
    #expect(typed.origin(Self.lateness) == "--lateness")
    let wrong = message { () throws(Failure) in
      _ = try options([], ["RTINFER_FORMAT": "xml"]).value(Self.format)
    }
    #expect(wrong == "RTINFER_FORMAT: 'xml' is none of: csv, ndjson")
  }

  @Test(arguments: [
    ("1", true), ("yes", true), ("", false), ("0", false), ("false", false), ("no", false),
  ])
  func aVariableTurnsASwitchOn(_ value: String, _ isOn: Bool) throws {
    #expect(try options([], ["RTINFER_MARGIN": value]).isOn(Self.margin) == isOn)
  }

  @Test func spansNameTheirOrigin() throws {
    #expect(try options(["-l1h30m"]).span(Self.lateness) == .minutes(90))
    #expect(try options([]).span(Self.lateness) == nil)
    let cases: [([String], [String: String], String)] = [
      (["-l5"], [:], "--lateness: '5' is not a duration (a number and a unit"),
      ([], ["RTINFER_LATENESS": "x"], "RTINFER_LATENESS: 'x' is not a duration"),
      (["-l1s"], [:], "--lateness: 1s is below the minimum 1m"),
    ]
    for (words, environment, expected) in cases {
      let found = message { () throws(Failure) in
        _ = try options(words, environment).span(Self.lateness, atLeast: .minutes(1))
      }
      #expect(found.hasPrefix(expected), "\(found)")
    }
  }

  @Test func operandsFollowTheCommandsRule() throws {
    #expect(error(["a"], operands: .none)?.message == "unexpected 'a': demo takes no operands")
    #expect(error([], operands: .none) == nil)
    #expect(
      error(["a"], operands: .word("TOPIC")) == nil && error([], operands: .word("TOPIC")) == nil)
    #expect(error(["a", "b"], operands: .word("TOPIC"))?.message == "demo takes one TOPIC, got 2")
    let shells = Command.Operands.choice(["bash", "zsh"])
    #expect(error(["zsh"], operands: shells) == nil && error(["--help"], operands: shells) == nil)
    #expect(error([], operands: shells)?.message == "demo takes one of: bash, zsh")
    #expect(error(["bash", "zsh"], operands: shells)?.message == "demo takes one of: bash, zsh")
    #expect(
      error(["bsh"], operands: shells)
        == .usage("'bsh' is none of: bash, zsh", hint: "did you mean 'bash'?"))
  }

  @Test func inputsAreFilesOrStdinOnce() throws {
    let run = try TestRun()
    #expect(try run.invocation.inputs([]).map(\.name) == ["stdin"])
    #expect(
      message { () throws(Failure) in _ = try run.invocation.inputs(["-", "-"]) }
        == "stdin ('-') is named twice")
    #expect(
      message { () throws(Failure) in _ = try run.invocation.inputs(["/no/such"]) }
        == "/no/such: No such file or directory")
  }

  // MARK: Help

  @Test func helpIsBrokenAtWordBorders() {
    let words = Array(repeating: "word", count: 40).joined(separator: " ")
    for indent in [0, 30] {
      let lines = Help.wrapped(words, indent: indent).split(separator: "\n")
      #expect(
        lines.allSatisfy { $0.count <= 80 && $0.hasPrefix(String(repeating: " ", count: indent)) })
      #expect(lines.joined(separator: " ").split(separator: " ").count == 40)
      // Broken as late as possible.
      #expect(lines.dropLast().allSatisfy { $0.count + 5 > 80 })
    }
  }

  @Test func helpKeepsParagraphsAndIndentedLines() {
    let long = String(repeating: "x", count: 100)
    #expect(Help.wrapped("a b\n\n  code   here\nc", indent: 2) == "  a b\n\n    code   here\n  c\n")
    #expect(Help.wrapped("\(long) y", indent: 0) == "\(long)\ny\n")
    #expect(Help.wrapped("", indent: 4) == "\n")
    #expect(Help.padded("ab", 4) == "ab  " && Help.padded("abcde", 4) == "abcde")
  }
}
