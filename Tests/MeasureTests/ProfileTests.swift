import Core
import TestSupport
import Testing

@testable import Measure

@Suite struct ProfileTests {
  private func lines(_ count: Int) -> [String] {
    var random = SplitMix64(seed: 4)
    return (0..<count).map { index in
      let value = Profiling.normal(1, 1e6, &random)[0]
      let number = index % 10 == 0 ? "null" : "\(value)"
      let day = 1 + index * 20 / count
      return """
        {"time":"2013-01-\(day < 10 ? "0" : "")\(day)T00:00:00Z","x":\(number),"k":\(index % 7),\
        "c":"c\(index * index % 31)","id":"\(index)"}
        """
    }
  }

  @Test func whatIsWrittenIsReadBack() throws {
    let text = Profiling.text(try Profiling.profile(lines(3_000), time: "time", every: "1d"))
    let again = try Profile.parse(Array(text.utf8), name: "p")
    #expect(Profiling.text(again) == text)
    #expect(again.columns.map(\.type) == [.time, .number, .number, .category, .category])
    #expect(again.columns.map(\.isIdentifier) == [false, false, false, false, true])
    #expect(again.window == TimeSpan("1d") && again["x"]?.windows.count == 20)
  }

  @Test(arguments: 1...40) func theRangeIsThatOfOneAtATime(_ count: Int) {
    var random = SplitMix64(seed: UInt64(count))
    let numbers = [-0.0, 0, 0.5, -0.5, 7, -7, 1e300, -1e300]
    for _ in 0..<200 {
      let few = numbers.shuffled(using: &random).prefix(Int.random(in: 1...5, using: &random))
      let values = (0..<count).map { _ in few.randomElement(using: &random)! }
      var (least, greatest) = (Double.infinity, -Double.infinity)
      for value in values {
        if value < least { least = value }
        if value > greatest { greatest = value }
      }
      let found = values.withUnsafeBufferPointer { ColumnProfile.range(of: $0) }
      #expect(found.least.bitPattern == least.bitPattern)
      #expect(found.greatest.bitPattern == greatest.bitPattern)
    }
  }

  @Test func wholeNumbersAreThoseThatRoundToThemselves() {
    var random = SplitMix64(seed: 6)
    let powers = (-60...60).flatMap { exponent in
      let power = Double(sign: .plus, exponent: exponent, significand: 1)
      return [power, -power, power.nextUp, power.nextDown, power + 0.5, power - 1]
    }
    let values =
      powers + [0, -0.0, .greatestFiniteMagnitude, .leastNonzeroMagnitude]
      + (0..<2_000).map { _ in
        let value = Double(bitPattern: UInt64.random(in: 0...UInt64.max, using: &random))
        return value.isFinite ? value : 1
      }
    for value in values {
      let found = [value].withUnsafeBufferPointer { ColumnProfile.wholeCount($0) }
      #expect(found == (value == value.rounded() ? 1 : 0), "\(value)")
    }
  }

  /// Squares of distances beyond 1e154 are more than a double holds.
  @Test func numbersWhoseSquaresOverflowAreReadBack() throws {
    let lines = (0..<40).map {
      "{\"time\":\"2013-01-0\(1 + $0 % 2)T00:00:00Z\",\"x\":\($0 % 3 - 1)e200,\"y\":\($0 % 2 == 0 ? "-" : "")1.7e308}"
    }
    let profile = try Profiling.profile(lines, time: "time", every: "1d")
    let text = Profiling.text(profile)
    #expect(text.contains("\"squares\":null"))
    let again = try Profile.parse(Array(text.utf8), name: "p")
    #expect(Profiling.text(again) == text && again["x"]?.moments.squares == .infinity)
    try again.merge(profile)
    #expect(again.records == 80 && again["x"]?.windows.count == 2)
    let report = DriftReport(profile, again, DriftRules())
    #expect(report.verdict == .ok, "\(report.why)")
    for measure in [DriftMeasure.wasserstein, .robustWasserstein] {
      var rules = DriftRules()
      rules.measure = measure
      #expect(DriftReport(profile, again, rules).table().contains("x"))
    }
  }

  @Test func partsMergeIntoTheWhole() throws {
    let all = lines(6_000)
    let whole = try Profiling.profile(all, time: "time", every: "1d")
    let merged = try Profiling.profile(Array(all[..<2_500]), time: "time", every: "1d")
    try merged.merge(
      try Profile.parse(
        Array(
          Profiling.text(try Profiling.profile(Array(all[2_500...]), time: "time", every: "1d"))
            .utf8), name: "p"))
    #expect(merged.records == 6_000 && merged.since == whole.since && merged.until == whole.until)
    for (one, two) in zip(merged.columns, whole.columns) {
      #expect(one.kinds == two.kinds && one.minimum == two.minimum && one.maximum == two.maximum)
      #expect(abs(one.moments.mean - two.moments.mean) <= 1e-12 * abs(two.moments.mean))
      #expect(abs(one.moments.squares - two.moments.squares) <= 1e-10 * two.moments.squares)
      #expect(one.windows.keys == two.windows.keys)
      if one.categories.isComplete {
        #expect(one.categories.top(.max) == two.categories.top(.max))
      } else {
        let distinct = Double(one.categories.distinct)
        #expect(abs(distinct - 6_000) < 0.08 * 6_000)
      }
      let bound = 6_000.0 * (one.edges.resolution + two.edges.resolution) * 2
      let counts = zip(one.edges.cumulative(two.edges.edges), two.edges.cumulative(two.edges.edges))
      for (left, right) in counts { #expect(abs(left - right) <= bound) }
    }
  }

  @Test func windowsOfDifferentLengthsDoNotMerge() throws {
    let days = try Profiling.profile(lines(40), time: "time", every: "1d")
    let hours = try Profiling.profile(lines(40), time: "time", every: "1h")
    #expect(message { () throws(Failure) in try days.merge(hours) }.contains("1d and of 1h"))
  }

  @Test func damageIsTold() throws {
    let text = Profiling.text(try Profiling.profile(["{\"a\":1,\"b\":\"x\"}", "{\"a\":2.5}"]))
    let damages = [
      ("\"counts\":[1,1]", "\"counts\":[1,2]", "do not add up"),
      ("\"edges\":[1.0,2.5]", "\"edges\":[2.5,1.0]", "do not ascend"),
      ("\"version\":1", "\"version\":9", "version 9"),
      ("\"kind\":\"profile\"", "\"kind\":\"x\"", "kind"),
      ("[\"x\",1]", "[\"x\",2]", "categories"), ("\"records\":2", "\"records\":1", "more values"),
      ("}]}", "}]", "ends"),
    ]
    for (from, to, said) in damages {
      let damaged = text.replacing(from, with: to)
      #expect(damaged != text)
      let found = message { () throws(Failure) in
        _ = try Profile.parse(Array(damaged.utf8), name: "p")
      }
      #expect(found.contains(said), "\(found)")
    }
  }

  @Test func moreTextsThanAreKept() throws {
    let profile = try Profiling.profile((0..<5_000).map { "{\"a\":\"v\($0 % 4000)\"}" })
    let categories = try #require(profile["a"]).categories
    #expect(categories.total == 5_000 && !categories.isComplete)
    #expect(abs(Double(categories.distinct) - 4_000) < 0.08 * 4_000)
  }
}
