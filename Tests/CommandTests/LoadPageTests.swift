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
      let spawn = "--spawn 'rtinfer serve --quiet --model m=\(model) --threads 1' --max-lag 10s"
      let line = """
        rtinfer bench http \(spawn) /decide/m rows.ndjson --rate 200 --duration 3s --warmup 100ms \
        --summary --html load.html > load.ndjson
        rtinfer bench search \(spawn) --slo 'p99 < 5s && errors < 50%' --start-rate 600 --up-to 1200 \
        /decide/m rows.ndjson --html search.html > search.ndjson
        rtinfer budget check --budget 'p99 < 1us && p50 < 9s && errors < 10%' --html budget.html \
        load.ndjson > budget.ndjson; echo $?
        """
      let outcome = try Child.bash(line, in: folder.url, home: folder.url, seconds: 120)
      #expect(outcome.output == "1\n", "\(outcome.errors)")
    }

    func text(_ name: String) throws -> String { try folder.text(name) }

    /// The first record, or the one that holds some text.
    func record(_ name: String, with part: String = "") throws -> [String: Any] {
      let lines = try text(name).split(separator: "\n")
      let line = try #require(lines.first { part.isEmpty || $0.contains(part) })
      return try #require(
        try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
    }
  }

  /// The exact figures of a table's rows, by the first cell.
  private func figures(_ page: String, table: String) -> [String: [Double]] {
    guard let start = page.range(of: "<table id=\"\(table)\">")?.upperBound,
      let end = page[start...].range(of: "</table>")?.lowerBound
    else { return [:] }
    var rows: [String: [Double]] = [:]
    for row in page[start..<end].split(separator: "<tr>") {
      guard let name = row.firstMatch(of: #/<td>([^<]*)<\/td>/#) else { continue }
      rows[String(name.1)] = row.matches(of: #/data-us="([^"]*)"/#).compactMap { Double($0.1) }
    }
    return rows
  }

  @Test func figuresAreThoseOfTheRecords() throws {
    let pages = try Pages()
    let load = try pages.record("load.ndjson")
    let shown = figures(try pages.text("load.html"), table: "percentiles")
    for (place, name) in ["latency_us", "service_us"].enumerated() {
      let told = try #require(load[name] as? [String: Double])
      for percent in ["p50", "p90", "p95", "p99", "p99.9", "max"] {
        let row = try #require(shown[percent], "no row \(percent)")
        let value = place == 0 ? row.first : row.last
        #expect(value == told[percent], "\(name) \(percent)")
      }
    }
    #expect(figures(try pages.text("load.html"), table: "worst").count >= 5)
    let search = figures(try pages.text("search.html"), table: "steps")
    for rate in ["600", "1200"] {
      let step = try pages.record("search.ndjson", with: "\"rate\":\(rate).0,")
      let row = try #require(search["\(rate)/s"])
      let told = [step["p50_us"], step["p99_us"]].compactMap { $0 as? Double }
      // The last try of a rate is the one that stands in the table's last row of it.
      if rate == "600" { #expect(row == told) }
      #expect(row.count == 2 && row[0] <= row[1])
    }
    let verdict = try pages.record("budget.ndjson")
    let value = try #require(verdict["value"] as? Double)
    #expect(try pages.text("budget.html").contains("data-value=\"\(value)\""), "\(value)")
    #expect(try pages.text("budget.html").contains("<h1>fail</h1>"))
  }

  @Test func pagesNeedNothingElse() throws {
    let pages = try Pages()
    for (name, charts) in [("load", 4), ("search", 1), ("budget", 2)] {
      let page = try pages.text("\(name).html")
      #expect(!page.contains("<script") && !page.contains("src="), "\(name)")
      #expect(!page.contains("<link") && !page.contains("@import"), "\(name)")
      #expect(page.utf8.count < 60_000, "\(name): \(page.utf8.count) bytes")
      #expect(page.matches(of: #/<svg /#).count == charts, "\(name)")
      #expect(!page.contains("nan") && !page.contains("inf\""), "\(name)")
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
