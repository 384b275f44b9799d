// bench ab over the real week: what a terminal shows, and a second opinion on every decision.

import Core
import Foundation
import TestSupport
import Testing

@testable import rtinfer

@Suite struct BenchABTests {
  private static let flights = Fixtures.root.appending(path: "flights")

  /// What the command says on a terminal.
  private func text(_ words: String) throws -> String {
    let folder = Fixtures.root.appending(path: "bench/ab-fresh-features-help")
    return try said(
      by: BenchAB.command,
      ["\(folder.path())/events.ndjson", "--project", "\(folder.path())/rtinfer.json"]
        + words.split(separator: " ").map(String.init), in: folder)
  }

  @Test func theVerdictIsToldInWords() throws {
    #expect(
      try text("--model worth --batch-every 1h,15m") == """
        worth: 384 questions, 2013-12-04 to 2013-12-11, decided by 3 arms; 384 have an outcome

        Real-time is worth 52,426 to 76,634 a month more than a batch 1h (95 %):
        13,708 to 20,037 in all, 43,802 for 1,000 decisions, 2,114 a day, as in these 8.0 days.

          arm        age p50  otherwise     AUC  log loss  value/1,000  real-time's gain/1,000, 95 %   kept
          real-time       0s          -  1.0000    0.1054       52,448                             -  100 %
          batch 1h       45m     51.6 %  0.4842    1.2383        8,646     43,802 (35,697 to 52,180)    0 %
          batch 15m       0s      0.0 %  1.0000    0.1054       52,448           0.00 (0.00 to 0.00)  100 %

          same ids (SRM): pass
          real-time → batch 1h: act → leave 100, leave → act 98
          stale inputs: state:bad 52 %; the score is off by 0.4125 on average, 0.800 at p99
          AUC of real-time less that of batch 1h: 0.5158 (0.4657 to 0.5659, 95 %), DeLong p < 0.0001
          right only in real-time 198, only in batch 1h 0 (McNemar p < 0.0001)
          act: precision 100.0 % against 47.6 %, recall 100.0 % against 47.1 %
          leave: precision 0.0 % against 50.8 %, recall 0.0 % against 52.9 %

        """)
  }

  /// What runs at the same times is the same arm, however it is written, but for its name.
  @Test(arguments: [
    ("1h", "0 * * * *", "'0 * * * *'"), ("15m", "*/15 * * * *", "'*/15 * * * *'"),
    ("1d", "@daily", "@daily"), ("7d", "0 0 * * thu", "'0 0 * * thu'"),
    ("1h", "0 */2,1-23/2 * * *", "'0 */2,1-23/2 * * *'"),
  ])
  func aLineOfCronIsTheSpanThatItComesTo(_ span: String, _ line: String, _ name: String) throws {
    let folder = try TemporaryFolder()
    for flags in ["", "--publish-delay 7m", "--batch-decides --ingest-delay 2m"] {
      let outcome = try Child.bash(
        """
        for runs in '\(span)' '\(line)'; do \
        rtinfer bench ab --project ab-fresh-features-help/rtinfer.json --model worth \
        ab-fresh-features-help/events.ndjson --batch-every "$runs" \(flags); done
        """, in: Fixtures.root.appending(path: "bench"), home: folder.url)
      let told = try records(outcome.output)
      try #require(told.count == 6, "\(outcome.errors)")
      for (bySpan, byLine) in zip(told[..<3], told[3...]) {
        var byLine = byLine
        for (member, value) in byLine {
          guard let text = value as? String else { continue }
          byLine[member] = text.replacingOccurrences(of: "batch \(name)", with: "batch \(span)")
        }
        #expect(NSDictionary(dictionary: byLine).isEqual(to: bySpan), "\(byLine) \(bySpan)")
      }
    }
  }

  /// Less than a week of questions says nothing of a month, and more does as it has a part in it.
  @Test func aMonthIsToldFromAWeekOn() throws {
    let folder = try TemporaryFolder()
    func verdict(_ lines: String) throws -> [String: Any] {
      let outcome = try Child.bash(
        "\(lines) ab-fresh-features-help/events.ndjson | rtinfer bench ab --model worth"
          + " --project ab-fresh-features-help/rtinfer.json | tail -1",
        in: Fixtures.root.appending(path: "bench"), home: folder.url)
      return try #require(try records(outcome.output).first)
    }
    let whole = try verdict("cat")
    let month = try #require(whole["per_month"] as? [String: Any])
    // From the first question to the last, at a quarter to: seven days and 23 hours.
    let share = 30.4375 / (7 + 23 / 24.0)
    let value = try #require(whole["value"] as? Double)
    #expect(abs(try #require(month["value"] as? Double) - value * share) < 1e-6)
    let interval = try #require(whole["interval"] as? [Double])
    let own = try #require(month["interval"] as? [Double])
    #expect(zip(interval, own).allSatisfy { abs($0 * share - $1) < 1e-6 })
    let short = try verdict("grep -v 2013-12-11")
    #expect(short["verdict"] as? String == "pass" && short["per_month"] is NSNull)
  }

  @Test func whereItComesFromIsToldInWords() throws {
    let text = try text("--model worth --segment-by who")
    #expect(text.contains("By who: "), "\(text)")
    #expect(text.contains("  who "), "\(text)")
  }

  /// Segments are told before costs, so their sentence beside the net verdict says that.
  @Test func whereItComesFromIsToldBeforeCosts() throws {
    let arms = "--arms [{name:'now',cost:{per_month:3000}},{name:'hourly',every:'1h'}]"
    let text = try text("--model worth --segment-by who \(arms)")
    #expect(text.contains(" net of costs more than hourly"), "\(text)")
    #expect(text.contains("\nBy who, before costs: "), "\(text)")
  }

  @Test func whatCannotBeSaidIsNotSaid() throws {
    let text = try text("--model changed")
    #expect(
      text.contains(
        "It cannot be said whether real-time is worth more than a batch 1h: not identified:"
          + " outcomes depend on the decision"))
    #expect(!text.contains("taken for granted"))
    #expect(try self.text("--model bad").contains("taken for granted"))
    #expect(try self.text("--model coin").contains("It is not shown that real-time is worth more"))
  }

  @Test func whatWasLoggedIsToldBesideTheVerdict() throws {
    let logged = Fixtures.root.appending(path: "bench/ab-logged-decisions/logged.ndjson").path()
    let text = try text("--model changed --logged \(logged)")
    #expect(
      text.contains(
        """
          by logged decisions     its own  effective  largest weight  support
        """), "\(text)")
    #expect(text.contains("  real-time            "), "\(text)")
    #expect(text.contains("taken for granted: the propensities are the chances"))
    // Outcomes are those of other decisions: nothing is told of how well scores foresee them.
    #expect(!text.contains("precision") && !text.contains("McNemar") && !text.contains("DeLong"))
  }

  private func records(_ text: String) throws -> [[String: Any]] {
    try text.split(separator: "\n").map { line in
      try #require(try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
    }
  }

  /// The figures by logged decisions, computed again from every decision and every propensity.
  @Test func whatWasLoggedComesToWhatItsDecisionsSay() throws {
    let folder = try TemporaryFolder()
    let outcome = try Child.bash(
      """
      rtinfer bench ab --project ab-fresh-features-help/rtinfer.json --model changed \
      ab-fresh-features-help/events.ndjson --logged ab-logged-decisions/logged.ndjson \
      --decisions $HOME/decisions --html $HOME/page.html && grep -c 'By logged decisions' $HOME/page.html >&2
      """, in: Fixtures.root.appending(path: "bench"), home: folder.url)
    #expect(outcome.status == 0 && outcome.errors == "1\n", "\(outcome.errors)")
    let logged = try records(
      String(
        contentsOf: Fixtures.root.appending(path: "bench/ab-logged-decisions/logged.ndjson"),
        encoding: .utf8))
    var known: [String: (decision: String, propensity: Double)] = [:]
    for record in logged {
      let id = try #require(record["id"] as? String)
      let decision = try #require(record["decision"] as? String)
      known[id] = (decision, try #require(record["propensity"] as? Double))
    }
    let decided = try records(
      String(contentsOf: folder.url.appending(path: "decisions"), encoding: .utf8))
    for summary in try records(outcome.output).filter({ $0["kind"] as? String == "summary" }) {
      let arm = try #require(summary["arm"] as? String)
      let own = decided.filter { ($0["_rt"] as? [String: Any])?["variant"] as? String == arm }
      #expect(own.count == 384)
      var (weights, squares, sum) = (0.0, 0.0, 0.0)
      for record in own {
        let id = try #require(record["id"] as? String)
        let made = try #require(known[id])
        guard record["decision"] as? String == made.decision else {
          // What another decision would have been worth is not known.
          #expect(record["value"] is NSNull)
          continue
        }
        let guess = made.decision == "act"
        #expect(record["value"] as? Double == (guess == record["outcome"] as? Bool ? 1 : 0))
        weights += 1 / made.propensity
        squares += 1 / made.propensity / made.propensity
        sum += (record["value"] as? Double ?? .nan) / made.propensity
      }
      let told = try #require(summary["logged"] as? [String: Any])
      func expect(_ name: String, _ value: Double) {
        #expect(abs((told[name] as? Double ?? .nan) - value) < 1e-9 * value, "\(arm) \(name)")
      }
      expect("ipw", sum)
      expect("snipw", 384 * sum / weights)
      expect("support", weights / 384)
      expect("effective_sample_size", weights * weights / squares)
    }
  }

  private static let hasXGBoost: Bool = {
    guard Binary.find("python3") != nil, let folder = try? TemporaryFolder() else { return false }
    let outcome = try? Child.bash(
      "python3 -c 'import numpy, xgboost'", in: flights, home: folder.url)
    return outcome?.status == 0
  }()

  @Test(
    .enabled(
      if: hasXGBoost, "without python3 and xgboost the arms get no second opinion from ab.py"),
    arguments: [
      ("--publish-delay 2h --ingest-delay 90s", 25_468, 5_035),
      ("--publish-delay 10m --ingest-delay 90s --batch-decides", 25_468, 5_035),
      ("--publish-delay 7m --ingest-delay p50=4m,p99=2h", 25_468, 5_035),
      ("--ingest-delay p20=30s,p50=5m,p99.9=5h --batch-decides", 21_728, 5_035),
    ])
  func allArmsAreWhatBruteForceFinds(_ delays: String, _ decisions: Int, _ outcomes: Int) throws {
    let folder = try TemporaryFolder()
    let outcome = try Child.bash(
      """
      rtinfer ingest week/*.ndjson > "$HOME/events" || exit 9; \
      rtinfer bench ab "$HOME/events" --model late_arrival --batch-every 1d,1h,15m \(delays) \
      --decisions "$HOME/decisions" > "$HOME/records"; [ $? -le 1 ] || exit 8; \
      python3 ab.py "$HOME/events" "$HOME/decisions" "$HOME/records" --batch-every 1d 1h 15m \
      \(delays)
      """, in: Self.flights, home: folder.url, seconds: 200)
    #expect(outcome.status == 0, "\(outcome.output) \(outcome.errors)")
    #expect(outcome.output.contains("\(decisions) decisions, \(outcomes) outcomes"))
    #expect(outcome.output.contains("; 0 problems"))
  }
}
