// The pages of bench and budget in a real browser: figures equal to the records, no errors, nothing wider than the
// window, and text that can be told from its ground by day and by night. Skipped, with a word, where there is no
// chromium.

import Foundation
import TestSupport
import Testing

@Suite(.serialized) struct LoadPageTests {
  /// All pages and the records beside them, in a folder that stays as long as it is held.
  private struct Pages {
    let folder: TemporaryFolder

    init() throws {
      folder = try TemporaryFolder()
      let model = ServedProcess.model("binary-logistic")
      try folder.write("{\"f0\":1.5}\n{\"f0\":2.5}\n", "rows.ndjson")
      let spawn = "--spawn 'rtinfer serve --quiet --model page=\(model) --threads 1' --max-lag 10s"
      let line = """
        rtinfer bench http \(spawn) /decide/page rows.ndjson --rate 200 --duration 3s --warmup 100ms \
        --html load.html > load.ndjson
        rtinfer bench search \(spawn) --slo 'p50 < 5s && errors < 50%' --start-rate 300 --up-to 600 \
        /decide/page rows.ndjson --html search.html > search.ndjson
        rtinfer budget check --budget 'p99 < 1us && p50 < 9s && errors < 10%' --html budget.html \
        load.ndjson > budget.ndjson; echo $?
        """
      let outcome = try Child.bash(line, in: folder.url, home: folder.url, seconds: 120)
      #expect(outcome.output == "1\n", "\(outcome.errors)")
    }

    func text(_ name: String) throws -> String { try folder.text(name) }

    /// The records that hold some text.
    func records(_ name: String, with part: String = "") throws -> [[String: Any]] {
      try text(name).split(separator: "\n").filter { part.isEmpty || $0.contains(part) }.map {
        line in
        try #require(try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
      }
    }
  }

  /// The exact figures of a table's rows, behind the first cell.
  private func figures(_ page: String, table: String) -> [(name: String, values: [Double])] {
    guard let start = page.range(of: "<table id=\"\(table)\">")?.upperBound,
      let end = page[start...].range(of: "</table>")?.lowerBound
    else { return [] }
    return page[start..<end].split(separator: "<tr>").compactMap { row in
      guard let name = row.firstMatch(of: #/<td>([^<]*)<\/td>/#) else { return nil }
      let values = row.matches(of: #/data-us="([^"]*)"/#).compactMap { Double($0.1) }
      return (String(name.1), values)
    }
  }

  private func checkLoad(_ pages: Pages) throws {
    let load = try #require(try pages.records("load.ndjson", with: "\"what\":\"run\"").first)
    let rows = figures(try pages.text("load.html"), table: "percentiles")
    let latency = try #require(load["latency_us"] as? [String: Double])
    let service = try #require(load["service_us"] as? [String: Double])
    #expect(rows.map(\.name) == ["p50", "p90", "p95", "p99", "p99.9", "p99.99", "max"])
    for row in rows {
      #expect(row.values.first == latency[row.name], "latency \(row.name)")
      #expect(row.values.last == service[row.name], "service \(row.name)")
    }
    let worst = figures(try pages.text("load.html"), table: "worst")
    #expect(worst.count == 10 && worst[0].values[0] == latency["max"])
  }

  private func checkSearch(_ pages: Pages) throws {
    let steps = try pages.records("search.ndjson", with: "\"what\":\"step\"")
    let rows = figures(try pages.text("search.html"), table: "steps")
    #expect(rows.count == steps.count && rows.count >= 2)
    for (row, step) in zip(rows, steps) {
      #expect(row.values == [step["p50_us"], step["p99_us"]].compactMap { $0 as? Double })
    }
  }

  @Test func figuresAreThoseOfTheRecordsAndNothingElseIsNeeded() throws {
    let pages = try Pages()
    try checkLoad(pages)
    try checkSearch(pages)
    let verdict = try #require(try pages.records("budget.ndjson").first)
    let value = try #require(verdict["value"] as? Double)
    #expect(try pages.text("budget.html").contains("data-value=\"\(value)\""), "\(value)")
    #expect(try pages.text("budget.html").contains("<h1>fail</h1>"))
    for (name, charts) in [("load", 4), ("search", 1), ("budget", 2)] {
      let page = try pages.text("\(name).html")
      #expect(!page.contains("<script") && !page.contains("src="), "\(name)")
      #expect(!page.contains("<link") && !page.contains("@import"), "\(name)")
      #expect(page.utf8.count < 60_000, "\(name): \(page.utf8.count) bytes")
      #expect(page.matches(of: #/<svg /#).count == charts, "\(name)")
      #expect(!page.contains("\"nan") && !page.contains("\"inf"), "\(name)")
    }
  }

  @Test(.enabled(if: Browser.path != nil, "no chromium is installed"))
  func nothingIsWiderThanTheWindowNorWrong() throws {
    let pages = try Pages()
    for name in ["load", "search", "budget"] {
      for width in [360, 1_280] {
        let found = try Browser.probe(
          try pages.text("\(name).html"), width: width, in: pages.folder)
        #expect(found.errors.isEmpty, "\(name) at \(width): \(found.errors)")
        #expect(found.right <= width, "\(name): \(found.right) of \(width)")
        #expect(found.contrast >= 4.5, "\(name) at \(width): contrast \(found.contrast)")
      }
      let night = try Browser.probe(
        try pages.text("\(name).html"), width: 360, isDark: true, in: pages.folder)
      #expect(night.isDark && night.contrast >= 4.5, "\(name) by night: \(night.contrast)")
    }
  }
}
