import Testing

@testable import Core

@Suite struct SpellingTests {
  @Test(
    arguments: [
      ("dep_dely", "dep_delay"), ("dep_delay", "dep_delay"), ("orgin", "origin"),
      ("oirgin", "origin"), ("ORIGIN", "origin"), ("dets", "dest"), ("dst", "dest"),
    ])
  func findsTheNearest(_ word: String, _ meant: String) {
    #expect(Spelling.nearest(word, among: ["origin", "dest", "dep_delay", "distance"]) == meant)
  }

  @Test(arguments: ["", "x", "or", "carrier", "originating", "été"])
  func staysSilentWhenNothingIsNear(_ word: String) {
    #expect(Spelling.nearest(word, among: ["origin", "dest", "y", "at"]) == nil)
  }

  @Test func prefersTheNearerThenTheFirst() {
    #expect(Spelling.nearest("time", among: ["tide", "times", "time"]) == "time")
    #expect(Spelling.nearest("time", among: ["tide", "times"]) == "tide")
    #expect(Spelling.nearest("time", among: []) == nil)
    #expect(Spelling.nearest(String(repeating: "a", count: 100_000), among: ["aaa"]) == nil)
  }

  @Test(
    arguments: [
      ("", "", 0), ("", "abc", 3), ("abc", "", 3), ("abc", "acb", 1), ("kitten", "sitting", 3),
      ("ca", "abc", 3), ("same", "same", 0),
    ])
  func countsSlips(_ left: String, _ right: String, _ slips: Int) {
    #expect(Spelling.distance(Array(left.utf8), Array(right.utf8)) == slips)
  }
}
