// What users see, byte for byte: every folder of `Fixtures` with a `cmd` is run and compared. A
// case is data; `TestSupport/GoldenCase.swift` says what lies in its folder. A case that does not
// end is killed after 30 seconds and fails.

import TestSupport
import Testing

@Suite struct GoldenCaseTests {
  @Test(arguments: GoldenCase.all)
  func answersAsWrittenDown(_ golden: GoldenCase) throws {
    let found = try golden.run()
    if GoldenCase.updates { return try golden.write(found) }
    let expected = try golden.expected()
    if found != expected { Issue.record(Comment(rawValue: try golden.report(expected, found))) }
  }

  @Test func everyCommandHasCases() {
    let commands = Set(GoldenCase.all.map { $0.name.split(separator: "/")[0] })
    #expect(
      commands.isSuperset(of: ["ingest", "materialize", "registry", "score", "help", "completions"])
    )
  }

  @Test func differencesAreShownLineByLine() {
    let difference = LineDifference.text("a\nb\nc\nd\n", "a\nb\nx\nd\n")
    #expect(difference == " b\n-c\n+x\n")
    #expect(LineDifference.text("a\n", "a") == "-a\n+a\\ (no line end)\n")
    #expect(LineDifference.text("", "a\n") == "+a\n")
  }

  @Test func onlyTimesAreNormalised() {
    let line = #"{"ingested":"2013-01-01T00:00:00Z","layers_us":{"request":1.250,"r":0},"n":12}"#
    #expect(
      GoldenCase.normalised(line)
        == #"{"ingested":"<time>","layers_us":{"request":<us>,"r":<us>},"n":12}"#)
  }
}
