// The report as a browser shows it: small, nothing wider than the window, no errors. Skipped, with a word, where there
// is no chromium.

import Foundation
import TestSupport
import Testing

@Suite struct DriftPageTests {
  /// A report of 200 columns, half of them moved, in a folder that stays as long as it is held.
  private func report() throws -> (folder: TemporaryFolder, page: String) {
    let folder = try TemporaryFolder()
    for (name, shift) in [("old", 0), ("new", 7)] {
      var text = (0..<200).map { "column_\($0)" }.joined(separator: ",") + "\n"
      for row in 0..<150 {
        text +=
          (0..<200).map { column in
            column % 10 == 3
              ? "name<\((row * column) % 9)>"
              : "\((row * 37 + column * 11) % 101 + (column % 2) * shift)"
          }.joined(separator: ",") + "\n"
      }
      try Data(text.utf8).write(to: folder.url.appending(path: "\(name).csv"))
    }
    let outcome = try Child.bash(
      "rtinfer drift profile old.csv > p && rtinfer drift check --reference p --html page.html new.csv | tail -1",
      in: folder.url, home: folder.url, seconds: 60)
    #expect(outcome.output.contains("\"columns\":200"), "\(outcome.errors)")
    let page = try String(contentsOf: folder.url.appending(path: "page.html"), encoding: .utf8)
    return (folder, page)
  }

  @Test func twoHundredColumnsAreASmallPage() throws {
    let (_, page) = try report()
    #expect(page.utf8.count < 500_000, "\(page.utf8.count) bytes")
    #expect(page.matches(of: #/<section /#).count == 200)
    #expect(!page.contains("<script") && !page.contains("http"))
    #expect(page.contains("name&lt;0&gt;") && !page.contains("name<0>"))
  }

  @Test(.enabled(if: Browser.path != nil, "no chromium is installed"), arguments: [360, 1_280])
  func nothingIsWiderThanTheWindow(_ width: Int) throws {
    let (folder, page) = try report()
    let found = try Browser.probe(page, width: width, in: folder)
    #expect(found.errors.isEmpty, "\(found.errors)")
    #expect(found.right <= width, "\(found.right) of \(width)")
    #expect(found.contrast >= 4.5, "contrast \(found.contrast)")
  }
}
