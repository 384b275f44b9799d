// What an arm says of itself in bench ab: its cost comes off its value and off nothing else, and its latency makes
// decisions late. What decisions take here is measured beside that and changes nothing.

import Foundation
import TestSupport
import Testing

@Suite struct BenchABCostTests {
  private static let bench = Fixtures.root.appending(path: "bench")

  /// Of the model `worth`, or with logged decisions of `changed`, whose outcomes depend on the decision.
  private func records(_ arms: String, isLogged: Bool = false) throws -> [[String: Any]] {
    let folder = try TemporaryFolder()
    let source = Self.bench.appending(path: "ab-fresh-features-help")
    let project = try String(contentsOf: source.appending(path: "rtinfer.json"), encoding: .utf8)
    let values = "values: { changed: [ { if: \"outcome\", value: 10 } ],"
    try Data(project.replacingOccurrences(of: "values: {", with: values).utf8)
      .write(to: folder.url.appending(path: "rtinfer.json"))
    try Data(contentsOf: source.appending(path: "model.txt"))
      .write(to: folder.url.appending(path: "model.txt"))
    try Data(arms.utf8).write(to: folder.url.appending(path: "arms.json"))
    let model =
      isLogged ? "changed --logged ab-logged-decisions/logged.ndjson" : "worth"
    let outcome = try Child.bash(
      "rtinfer bench ab --project \"$HOME/rtinfer.json\" ab-fresh-features-help/events.ndjson"
        + " --model \(model) --arms \"$HOME/arms.json\"", in: Self.bench, home: folder.url)
    return try outcome.output.split(separator: "\n").map { line in
      try #require(try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
    }
  }

  private func number(_ record: [String: Any]?, _ name: String) -> Double {
    record?[name] as? Double ?? .nan
  }

  @Test(arguments: [false, true])
  func costsComeOffTheValueAndTheInterval(_ isLogged: Bool) throws {
    let gross = try records("[{name:'now'},{name:'hourly',every:'1h'}]", isLogged: isLogged)
    let net = try records(
      "[{name:'now',cost:{per_decision:0.5,per_month:3000}},"
        + "{name:'hourly',every:'1h',cost:{per_month:90}}]", isLogged: isLogged)
    // From the first question to the last, at a quarter to: seven days and 23 hours.
    let months = (7 + 23 / 24.0) / 30.4375
    let costs = [0.5 * 384 + 3_000 * months, 90 * months]
    for arm in 0..<2 {
      #expect(net[arm]["unit"] as? String == "net value")
      #expect(abs(number(net[arm], "cost") - costs[arm]) < 1e-9)
      #expect(abs(number(net[arm], "value") - number(gross[arm], "value") + costs[arm]) < 1e-6)
      #expect(number(net[arm], "gross_value") == number(gross[arm], "value"))
      #expect(gross[arm]["cost"] == nil && gross[arm]["gross_value"] == nil)
    }
    let extra = costs[0] - costs[1]
    #expect(abs(number(net[2], "value") - number(gross[2], "value") + extra) < 1e-6)
    for name in isLogged ? ["interval", "snipw_interval"] : ["interval"] {
      let ends = try #require(gross[2][name] as? [Double])
      let own = try #require(net[2][name] as? [Double])
      #expect(zip(ends, own).allSatisfy { abs($0 - $1 - extra) < 1e-6 }, "\(name)")
    }
    #expect(net[2]["clause"] as? String == "net value of now > net value of hourly")
  }

  /// What decides nothing at all is worth its lower price.
  @Test func theCheaperOfEqualsIsWorthMore() throws {
    let found = try records("[{name:'a',cost:{per_month:1}},{name:'b',cost:{per_month:2}}]")
    #expect(found[2]["verdict"] as? String == "pass" && number(found[2], "differing") == 0)
    let dearer = try records("[{name:'a',cost:{per_month:2}},{name:'b',cost:{per_month:1}}]")
    #expect(dearer[2]["verdict"] as? String == "fail")
  }

  /// Wall-clock figures are there on demand, and nothing else differs.
  @Test(arguments: ["0s", "p50=4m,p99=40m"])
  func whatDecisionsTakeIsMeasuredOnDemand(_ delay: String) throws {
    let folder = try TemporaryFolder()
    func records(_ flag: String) throws -> [[String: Any]] {
      let outcome = try Child.bash(
        "rtinfer bench ab --project ab-fresh-features-help/rtinfer.json ab-fresh-features-help/events.ndjson"
          + " --model worth --batch-every 1h,15m --ingest-delay \(delay) --html \"$HOME/page.html\" \(flag)",
        in: Self.bench, home: folder.url)
      #expect(outcome.status == 0, "\(outcome.errors)")
      return try outcome.output.split(separator: "\n").map { line in
        try #require(try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
      }
    }
    let plain = try records("")
    #expect(try !folder.text("page.html").contains("takes p50"))
    let measured = try records("--measure-latency")
    #expect(try folder.text("page.html").contains("<th>takes p50, p99 here</th>"))
    #expect(plain.count == measured.count)
    for (bare, own) in zip(plain, measured) {
      var own = own
      if own["kind"] as? String == "summary" {
        let found = try #require(own.removeValue(forKey: "measured_us") as? [String: Double])
        let (median, p99) = (found["p50"] ?? 0, found["p99"] ?? 0)
        // Of 384 questions each 64th, in microseconds: more than none and less than a second.
        #expect(found["n"] == 6 && median > 0.05 && p99 >= median && p99 < 1e6, "\(found)")
      }
      #expect(NSDictionary(dictionary: own).isEqual(to: bare), "\(own) \(bare)")
    }
  }

  @Test func whoAnswersLateDecidesLate() throws {
    let found = try records("[{name:'quick',latency:'40ms'},{name:'slow',latency:'10m'}]")
    #expect((found[0]["delay_s"] as? [String: Double])?["p50"] == 0.04)
    #expect((found[1]["delay_s"] as? [String: Double])?["p50"] == 600)
    // The outcome is there ten minutes after the question.
    #expect(number(found[0], "too_late") == 0 && number(found[1], "too_late") == 384)
    #expect(found[2]["verdict"] as? String == "pass")
  }
}
