// bench ab --before-after in words and as a page, and a second opinion on its figures.

import Core
import Foundation
import TestSupport
import Testing

@testable import rtinfer

@Suite struct BeforeAfterCommandTests {
  private static let folder = Fixtures.root.appending(path: "bench/ab-before-after")
  private static let north = "--treated region=='north'"

  /// What the command says on a terminal.
  private func text(_ words: String) throws -> String {
    let folder = Self.folder.path()
    return try said(
      by: BenchAB.command,
      [
        "\(folder)/events.ndjson", "--project", "\(folder)/rtinfer.json", "--logged",
        "\(folder)/decisions.ndjson",
      ] + words.split(separator: " ").map(String.init), in: Self.folder)
  }

  @Test func theVerdictIsToldInWords() throws {
    let text = try text("--model right --before-after 2013-12-13 \(Self.north) --segment-by site")
    #expect(
      text.hasPrefix(
        """
        right: 864 decisions, 2013-12-01 to 2013-12-24, before and after the switch at \
        2013-12-13T00:00:00Z; 864 have an outcome

        Since then the switch has been worth
        """), "\(text)")
    for part in [
      "right decisions/1,000", "\n  treated     ", "\n  control     ", "\n  the switch  ",
      "halves cut at 2013-12-07T03:00:00Z: treated less control changed by", "compatible with zero",
      "from question to decision, p50: treated before 15m, treated after 0s,",
      "decisions came when the outcome was there already: they count as none",
      "taken for granted: without the switch treated would have changed as control did",
      "the switch in all, all 95 % together",
    ] {
      #expect(text.contains(part), "\(part) in \(text)")
    }
  }

  @Test func aWashOutIsToldInWords() throws {
    let text = try text("--model right --before-after 2013-12-13 \(Self.north) --wash-out 1d12h")
    // Twelve sites ask three times a day, and once before noon: 36 of a day and 12 of the next.
    #expect(
      text.contains("; 48 from then to 2013-12-14T12:00:00Z are left out as its wash-out\n\n"),
      "\(text)")
    #expect(text.contains("\nSince its wash-out the switch has been worth "), "\(text)")
    #expect(text.contains("(of 192)") && text.contains("(of 216)"), "\(text)")
  }

  /// Nothing else than if those decisions had not been logged.
  @Test(arguments: ["worth", "right"])
  func aWashOutLeavesOutWhatLiesInIt(_ model: String) throws {
    let folder = try TemporaryFolder()
    let outcome = try Child.bash(
      """
      ab() { rtinfer bench ab -q events.ndjson --model \(model) --before-after 2013-12-13 \
        --treated "region == 'north'" --segment-by region --cluster site --html "$HOME/page.html" "$@"; }
      ab --logged decisions.ndjson --wash-out 2d
      cp "$HOME/page.html" "$HOME/washed.html"
      ab --logged <(grep -vE '"id":"[ns][0-9]-1[23]-' decisions.ndjson)
      """, in: Self.folder, home: folder.url)
    let found = try records(outcome.output)
    try #require(found.count == 12, "\(outcome.errors)")
    for (washed, bare) in zip(found[..<6], found[6...]) {
      var own = washed
      if washed["kind"] as? String == "verdict" {
        let washOut = try #require(own.removeValue(forKey: "wash_out") as? [String: Any])
        #expect(washOut["until"] as? String == "2013-12-15T00:00:00Z")
        #expect(washOut["left_out"] as? Int == 72)
      }
      #expect(NSDictionary(dictionary: own).isEqual(to: bare), "\(own) \(bare)")
    }
    #expect(
      try folder.text("washed.html").contains(
        "72 from then to 2013-12-15T00:00:00Z are left out as its wash-out"))
    #expect(try !folder.text("page.html").contains("wash-out"))
  }

  @Test func whatIsNotIdentifiedIsNotSaid() throws {
    let alone = try text("--model right --before-after 2013-12-13")
    #expect(
      alone.contains(
        "It cannot be said whether the switch is worth anything: not identified: there is no control"
          + " group"), "\(alone)")
    #expect(alone.contains("\n  time and switch "), "\(alone)")
    #expect(!alone.contains("taken for granted"))
    // Of three days there is no interval, so there is no effect either.
    let few = try text("--model right --before-after 2013-12-22 \(Self.north)")
    #expect(few.contains("too little data: 3 clusters (day)"), "\(few)")
    let row = few.split(separator: "\n").first { $0.hasPrefix("  the switch ") }
    #expect(row?.split(separator: " ") == ["the", "switch", "-"], "\(few)")
    let drifting = try text("--model right --before-after 2013-12-19 \(Self.north)")
    #expect(
      drifting.contains("not identified: treated and control were drifting apart"), "\(drifting)")
    #expect(drifting.contains("not compatible with zero"))
  }

  private func records(_ url: URL) throws -> [[String: Any]] {
    try records(String(contentsOf: url, encoding: .utf8))
  }

  private func records(_ text: String) throws -> [[String: Any]] {
    try text.split(separator: "\n").map { line in
      try #require(try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
    }
  }

  /// What a decision of the model `worth` was worth, from the files alone.
  private func worth(
    _ asked: [String: Any], _ made: [String: Any], _ told: [String: Any]
  ) throws -> Double {
    let format = ISO8601DateFormatter()
    func time(_ record: [String: Any], _ name: String) throws -> Date {
      let text = try #require(record[name] as? String)
      return try #require(format.date(from: text))
    }
    let isBad = told["bad"] as? Int == 1
    let amount = try #require(asked["amount"] as? Double)
    let decided = made["decided"] == nil ? nil : try time(made, "decided")
    let isLate = try decided.map { try $0 >= time(told, "time") } ?? false
    if made["decision"] as? String == "act", !isLate {
      let delay = try decided?.timeIntervalSince(time(asked, "time")) ?? 0
      return isBad ? amount * 2 - delay / 60 : -10
    }
    return isBad ? -amount : 0
  }

  @Test func figuresAreThoseOfTheFilesAndThePageShowsThem() throws {
    let folder = try TemporaryFolder()
    let outcome = try Child.bash(
      """
      rtinfer bench ab events.ndjson --logged decisions.ndjson --model worth --before-after 2013-12-13 \
      --treated "region == 'north'" --html "$HOME/page.html"
      """, in: Self.folder, home: folder.url)
    let events = try records(Self.folder.appending(path: "events.ndjson"))
    var (made, told) = ([String: [String: Any]](), [String: [String: Any]]())
    for record in try records(Self.folder.appending(path: "decisions.ndjson")) {
      made[try #require(record["id"] as? String)] = record
    }
    for record in events where record["type"] as? String == "known" {
      told[try #require(record["id"] as? String)] = record
    }
    var sums: [String: (sum: Double, count: Double)] = [:]
    for asked in events where asked["type"] as? String == "asked" {
      let id = try #require(asked["id"] as? String)
      let group = asked["region"] as? String == "north" ? "treated" : "control"
      let isAfter = try #require(asked["time"] as? String) >= "2013-12-13"
      let decision = try #require(made[id])
      let outcome = try #require(told[id])
      let value = try worth(asked, decision, outcome)
      sums["\(group) \(isAfter ? "after" : "before")", default: (0, 0)].sum += value
      sums["\(group) \(isAfter ? "after" : "before")", default: (0, 0)].count += 1
    }
    let means = sums.mapValues { $0.sum / $0.count }
    let found = try records(outcome.output)
    for record in found where record["what"] as? String == "period" {
      let name = "\(record["group"] as? String ?? "") \(record["period"] as? String ?? "")"
      let mean = try #require(record["value_per_decision"] as? Double)
      #expect(abs(mean - (means[name] ?? .nan)) < 1e-9, "\(name)")
    }
    let verdict = try #require(found.first { $0["kind"] as? String == "verdict" })
    let effect =
      means["treated after"]! - means["treated before"]! - means["control after"]!
      + means["control before"]!
    #expect(abs((verdict["per_decision"] as? Double ?? .nan) - effect) < 1e-9)
    #expect(abs((verdict["value"] as? Double ?? .nan) - effect * 216) < 1e-6)
    let page = try folder.text("page.html")
    #expect(page.contains("<table id=\"periods\">") && page.contains("<h1>pass</h1>"))
    #expect(page.contains((effect * 1_000).asAmount) && !page.contains("<script"))
  }

  @Test(.enabled(if: Browser.path != nil, "no chromium is installed"), arguments: [360, 1_280])
  func nothingIsWiderThanTheWindow(_ width: Int) throws {
    let folder = try TemporaryFolder()
    _ = try Child.bash(
      """
      rtinfer bench ab events.ndjson --logged decisions.ndjson --model worth --before-after 2013-12-13 \
      --treated "region == 'north'" --segment-by site --html "$HOME/page.html"
      """, in: Self.folder, home: folder.url)
    for isDark in [false, true] {
      let found = try Browser.probe(
        try folder.text("page.html"), width: width, isDark: isDark, in: folder)
      #expect(found.errors.isEmpty, "\(found.errors)")
      #expect(found.right <= width, "\(found.right) of \(width)")
      #expect(found.contrast >= 4.5, "contrast \(found.contrast)")
    }
  }
}
