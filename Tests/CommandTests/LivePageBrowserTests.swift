// The live page as a browser shows it: nothing wider than the window, no errors, and figures that are those of the metrics.
// Skipped, with a word, where there is no chromium.

import Foundation
import TestSupport
import Testing

private let browser = [
  "/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome",
].first { FileManager.default.isExecutableFile(atPath: $0) }

@Suite(.enabled(if: browser != nil, "no chromium is installed")) struct LivePageBrowserTests {
  private func open(
    _ url: String, width: Int, _ folder: TemporaryFolder
  ) throws -> Child.Outcome {
    try Child.bash(
      "\(try #require(browser)) --headless --no-sandbox --disable-gpu --enable-logging=stderr"
        + " --window-size=\(width),900 --virtual-time-budget=3500 --user-data-dir=\"$HOME/browser\""
        + " --dump-dom \(url)",
      in: folder.url, home: folder.url, seconds: 90)
  }

  /// The cells of a table, row by row.
  private func rows(_ table: String, in page: String) throws -> [[String]] {
    let found = try #require(
      page.firstMatch(of: try Regex("<table id=\"\(table)\">(.*?)</table>").dotMatchesNewlines()))
    let text = String(page[found.range])
    return text.matches(of: #/<tr>(.*?)<\/tr>/#).dropFirst().map { row in
      row.1.matches(of: #/<td>(.*?)<\/td>/#).map { String($0.1) }
    }
  }

  private func served() throws -> (server: ServedProcess, client: WireClient) {
    let long = "a_model_with_a_name_that_is_as_long_as_names_of_models_become_in_a_large_company"
    let server = try ServedProcess([
      "--model",
      "m=\(ServedProcess.model("binary-logistic")),\(long)=\(ServedProcess.model("softprob"))",
    ])
    let client = try WireClient(server.address)
    for _ in 0..<1_234 { #expect(try client.post("/decide/m", #"{"f0":1.5}"#).status == 200) }
    #expect(try client.post("/decide/m", "nonsense").status == 400)
    return (server, client)
  }

  /// Straight from the server, with its own content security policy.
  @Test func theFiguresAreThoseOfTheMetrics() throws {
    let (server, client) = try served()
    let outcome = try open("\(server.address)/", width: 1_280, server.folder)
    #expect(!outcome.errors.contains("CONSOLE"), "\(outcome.errors)")
    #expect(outcome.output.contains("<span class=\"faint\" id=\"state\">answers</span>"))
    let models = try rows("models", in: outcome.output)
    let m = try #require(models.first { $0[0] == "m" })
    #expect(m[2] == "1,234" && m[4] == "1")
    let requests = try rows("requests", in: outcome.output)
    #expect(requests.contains(["/decide/{model}", "200", "1,234"]))
    #expect(requests.contains(["/decide/{model}", "400", "1"]))
    let metrics = try client.get("/metrics").body
    #expect(metrics.contains("rtinfer_rows_total{model=\"m\"} 1234\n"))
    #expect(outcome.output.contains("1,234 in all"))
    #expect(outcome.output.contains("<div id=\"told\" hidden=\"\">"))
    #expect(server.stop().status == 0)
  }

  /// The same page over figures that were taken from the server, measured.
  @Test(arguments: [360, 1_280]) func nothingIsWiderThanTheWindow(_ width: Int) throws {
    let (server, client) = try served()
    let metrics = try client.get("/metrics").body
    let page = try client.get("/").body
    #expect(server.stop().status == 0)
    let data = try JSONSerialization.data(withJSONObject: metrics, options: .fragmentsAllowed)
    let stub =
      "<script>window.fetch=async()=>({ok:true,text:async()=>\(String(decoding: data, as: UTF8.self))})</script><script>"
    let probe = """
      <script>document.documentElement.style.width='\(width)px'; setTimeout(() => {
      document.title='width '+Math.max(document.body.scrollWidth,
      ...[...document.querySelectorAll('h1,h2,p,svg,div')].map(e=>Math.ceil(e.getBoundingClientRect().right)))
      }, 2500)</script></body>
      """
    let start = try #require(page.range(of: "<script>"))
    let probed = page.replacingCharacters(in: start, with: stub)
      .replacing("</body>", with: probe)
    try server.folder.write(probed, "probe.html")
    let outcome = try open(
      "file://\(server.folder.path("probe.html"))", width: width, server.folder)
    #expect(!outcome.errors.contains("CONSOLE"), "\(outcome.errors)")
    #expect(outcome.output.contains("a_model_with_a_name"))
    let found = try #require(outcome.output.firstMatch(of: #/<title>width (\d+)</title>/#))
    #expect(Int(found.1)! <= width, "\(found.1) of \(width)")
  }
}
