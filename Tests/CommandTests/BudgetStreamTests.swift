// budget check on more samples than fit one block of the several that threads read: what is wrong is told by its place in the
// whole stream, and every request is counted.

import Foundation
import TestSupport
import Testing

@Suite struct BudgetStreamTests {
  @Test func placesAndCountsAreThoseOfTheWholeStream() throws {
    let folder = try TemporaryFolder()
    var text = "\u{feff}"
    var expected: [[String: Int]] = []
    var requests = 0
    for number in 1...12_000 {
      switch number % 3_000 {
      case 7, 2_999:
        expected.append(["line": number, "byte": text.utf8.count])
        text += number % 2 == 0 ? "{\"kind\":\"sample\"}\n" : "{\"kind\":\n"
      case 8: text += " \r\n"
      case 9:
        requests += 1
        text += "{\"kind\":\"decision\",\"_rt\":{\"layers_us\":{\"inference\":50000}}}\n"
      default:
        requests += 1
        text += GeneratedStream.sample(number)
      }
    }
    try folder.write(text, "samples.ndjson")
    let line = """
      rtinfer budget check --format ndjson --rejects rejects --max-rejects 50% \
      --budget 'count > 11987 && max < 49ms && inference.p99 < 1ms && errors < 1%' samples.ndjson
      """
    let outcome = try Child.bash(line, in: folder.url, home: folder.url)
    #expect(outcome.status == 1, "\(outcome.errors)")
    func records(_ text: String) throws -> [[String: Any]] {
      try text.split(separator: "\n").map { line in
        try #require(try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
      }
    }
    let verdicts = try records(outcome.output)
    try #require(verdicts.count == 4, "\(outcome.errors)")
    #expect(verdicts.map { $0["verdict"] as? String } == ["pass", "fail", "pass", "pass"])
    #expect(verdicts[0]["n"] as? Int == requests && requests == 11_988)
    let rejects = try records(try folder.text("rejects"))
    for (reject, place) in zip(rejects, expected) {
      #expect(reject["line"] as? Int == place["line"] && reject["byte"] as? Int == place["byte"])
    }
    #expect(rejects.count == expected.count && expected.count == 8)
  }
}
