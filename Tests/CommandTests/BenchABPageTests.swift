// The page of bench ab: its figures are those of the records, and a browser shows it without errors and in full.

import Foundation
import TestSupport
import Testing

@Suite struct BenchABPageTests {
  private struct Report {
    let folder: TemporaryFolder
    let page: String
    let records: [[String: Any]]

    init(_ words: String, project: String = "ab-fresh-features-help") throws {
      folder = try TemporaryFolder()
      let bench = Fixtures.root.appending(path: "bench")
      let outcome = try Child.bash(
        "rtinfer bench ab --project \(project)/rtinfer.json ab-fresh-features-help/events.ndjson"
          + " --html \"$HOME/page.html\" \(words)", in: bench, home: folder.url, seconds: 60)
      #expect(
        outcome.errors.isEmpty || outcome.errors.contains("never applied"), "\(outcome.errors)")
      page = try folder.text("page.html")
      records = try outcome.output.split(separator: "\n").map { line in
        try #require(try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
      }
    }

    /// The cells of a table's rows, the head left out.
    func rows(_ table: String) -> [[String]] {
      guard let start = page.range(of: "<table id=\"\(table)\">")?.upperBound,
        let end = page[start...].range(of: "</table>")?.lowerBound
      else { return [] }
      return page[start..<end].split(separator: "<tr>").dropFirst(2).map { row in
        row.matches(of: #/<td>([^<]*)<\/td>/#).map { String($0.1) }
      }
    }
  }

  private static let many = "--model worth --batch-every 1h,15m,2h,6h --segment-by who"

  @Test func thePageSaysWhatTheRecordsSay() throws {
    let report = try Report(Self.many)
    let summaries = report.records.filter { $0["what"] as? String == "ab" && $0["arm"] != nil }
    let arms = report.rows("arms")
    #expect(arms.map(\.first) == summaries.map { $0["arm"] as? String })
    for (row, record) in zip(arms, summaries) {
      let rounded = try #require(record["value_per_1000"] as? Double).rounded()
      #expect(row[5].filter { $0 != "," } == "\(Int(rounded))", "\(row)")
    }
    // Of each input by batch how often it was stale.
    let inputs = report.rows("inputs")
    #expect(inputs.map(\.first) == ["state:bad"] && inputs[0].count == 5)
    for (cell, record) in zip(inputs[0].dropFirst(), summaries.dropFirst()) {
      let stale = try #require(record["stale_inputs"] as? [String: [String: Double]])
      let share = try #require(stale["state:bad"]?["share"])
      #expect(cell.hasPrefix("\((share * 1_000).rounded() / 10) %"), "\(cell) \(share)")
    }
    // It is 0 or 1, so where it differs it is off by 1. Of either entity nothing is known before the first run.
    for (hours, record) in zip([1, 0, 2, 6], summaries.dropFirst()) {
      let stale = try #require(record["stale_inputs"] as? [String: [String: Double]])["state:bad"]
      let unknown = Double(2 * hours)
      let off = ((stale?["share"] ?? .nan) * 384 - unknown) / (384 - unknown)
      #expect(abs((stale?["mean_difference"] ?? .nan) - off) < 1e-12, "\(record)")
    }
    #expect(report.page.contains(" a month more than a batch 1h (95 %): "))
    let segments = report.records.filter { $0["what"] as? String == "segment" }
    let shown = report.rows("segments")
    #expect(shown.map(\.first) == segments.map { $0["segment"] as? String })
    #expect(shown.count == 2)
    for (row, record) in zip(shown, segments) {
      let gain = try #require(record["value"] as? Double).rounded()
      #expect(row[3].filter { $0 != "," }.hasPrefix("\(Int(gain)) ("), "\(row)")
    }
    // Two curves with a mark for each batch; of value real-time's line and the interval's ends, too.
    #expect(report.page.matches(of: #/<circle /#).count == 2 * 4)
    #expect(report.page.matches(of: #/<polyline /#).count == 5)
    #expect(report.page.contains("<h1>pass</h1>"))
    #expect(!report.page.contains("<script") && !report.page.contains("http"))
  }

  @Test func twoByTwoIsATable() throws {
    let report = try Report(
      "--arms ab-two-by-two/arms.json", project: "ab-two-by-two")
    let cells = report.rows("cells")
    #expect(cells.map(\.first) == ["trained fresh", "trained stale"])
    #expect(cells.allSatisfy { $0.count == 3 })
    // Freshness alone is not what differs: there is no curve.
    #expect(!report.page.contains("<polyline"))
  }

  @Test func whatCannotBeSaidHasNoCurve() throws {
    let report = try Report("--model changed --batch-every 1h,15m")
    #expect(report.page.contains("<h1>inconclusive</h1>"))
    #expect(report.page.contains("not identified"))
    #expect(!report.page.contains("<polyline"))
  }

  @Test(.enabled(if: Browser.path != nil, "no chromium is installed"), arguments: [360, 1_280])
  func nothingIsWiderThanTheWindow(_ width: Int) throws {
    let report = try Report(Self.many)
    for isDark in [false, true] {
      let found = try Browser.probe(report.page, width: width, isDark: isDark, in: report.folder)
      #expect(found.errors.isEmpty, "\(found.errors)")
      #expect(found.right <= width, "\(found.right) of \(width)")
      #expect(found.contrast >= 4.5, "contrast \(found.contrast)")
    }
  }
}
