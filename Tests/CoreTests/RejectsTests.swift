// Bad records: counted, written whole, and tolerated as far as was allowed.

import Core
import Foundation
import TestSupport
import Testing

@Suite struct RejectsTests {
  @Test(
    arguments: [
      ("0", .count(0)), ("10", .count(10)), ("0%", .share(0)), ("0.5%", .share(0.5)),
      ("100%", .share(100)), ("", nil),
      ("%", nil), ("-1", nil), ("101%", nil), ("-1%", nil), ("1.5", nil), ("ten", nil),
      ("nan%", nil), ("1 %", nil),
      ("10%%", nil),
    ] as [(String, RejectAllowance?)])
  func readsTheAllowance(_ text: String, _ expected: RejectAllowance?) {
    #expect(RejectAllowance(text) == expected)
  }

  private func add(_ rejects: Rejects, _ count: Int) throws(Failure) {
    for number in 0..<count {
      try rejects.add("bad", source: "a.ndjson", line: number + 1, byte: number, raw: Bytes("x"))
    }
  }

  @Test(
    arguments: [
      ("0", 0, 0, .success), ("0", 1, 100, .badData), ("2", 2, 2, .success),
      ("2", 3, 1_000, .badData),
      ("1%", 1, 100, .success), ("1%", 2, 100, .badData), ("1%", 0, 0, .success),
      ("0%", 1, 1_000, .badData),
      ("100%", 5, 5, .success), ("0.1%", 1, 1_000, .success), ("0.1%", 1, 999, .badData),
    ] as [(String, Int, Int, Core.ExitStatus)])
  func theAllowanceDecidesTheStatus(
    _ allowed: String, _ rejected: Int, _ total: Int, _ expected: Core.ExitStatus
  ) throws {
    let rejects = try Rejects(TestRun(["--max-rejects", allowed]).invocation)
    try add(rejects, rejected)
    #expect(rejects.count == rejected)
    #expect(try rejects.finish(total: total) == expected)
  }

  @Test func anAllowanceThatIsNoneIsRefusedByItsOrigin() {
    let typed = message { () throws(Failure) in
      _ = try Rejects(TestRun(["--max-rejects=some"]).invocation)
    }
    #expect(typed == "--max-rejects: 'some' is not a count or a percentage from 0% to 100%")
    let inherited = message { () throws(Failure) in
      _ = try Rejects(TestRun(environment: ["RTINFER_MAX_REJECTS": "-3"]).invocation)
    }
    #expect(inherited.hasPrefix("RTINFER_MAX_REJECTS: '-3'"))
  }

  @Test func strictStopsAtTheFirst() throws {
    let rejects = try Rejects(TestRun(["--strict"]).invocation)
    let error = failure { () throws(Failure) in
      try rejects.add("bad", source: "a", line: 3, byte: 9, raw: Bytes("x"))
    }
    #expect(error == .badData("a:3: bad (--strict)"))
  }

  @Test func aFewAreShownAndTheOthersCounted() throws {
    let run = try TestRun(["--max-rejects", "100%"])
    let rejects = try Rejects(run.invocation)
    try add(rejects, Limits.rejectsShownMax + 1_200)
    _ = try rejects.finish(total: 5_000)
    let lines = run.messages.text.split(separator: "\n")
    #expect(lines.count == Limits.rejectsShownMax + 1)
    #expect(lines.first == "rtinfer test: a.ndjson:1: bad")
    #expect(lines.last == "rtinfer test: … and 1,200 more rejected records")
  }

  @Test func theFileHoldsTheRawBytesWhateverTheyAre() throws {
    let folder = try TemporaryFolder()
    let rejects = try Rejects(
      TestRun(["--rejects", folder.path("bad.ndjson"), "--max-rejects", "9"]).invocation)
    let raws: [[UInt8]] = [Array("{\"a\":\"é\\\"\n"), [0xFF, 0x00, 0x61], [], [0xC3]]
    for (index, raw) in raws.enumerated() {
      try raw.withBytes { bytes throws(Failure) in
        try rejects.add("why \"\(index)\"", source: "s", line: index, byte: 7, raw: bytes)
      }
    }
    _ = try rejects.finish(total: 4)
    let text = try String(contentsOfFile: folder.path("bad.ndjson"), encoding: .utf8)
    let lines = text.split(separator: "\n")
    #expect(lines.count == raws.count)
    for (index, line) in lines.enumerated() {
      let object = try #require(
        try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
      #expect(object["kind"] as? String == "rejected")
      #expect(object["reason"] as? String == "why \"\(index)\"")
      #expect(object["line"] as? Int == index && object["byte"] as? Int == 7)
      let plain = (object["raw"] as? String).map { Array($0) }
      let coded = (object["raw_base64"] as? String).flatMap { Data(base64Encoded: $0) }.map(
        Array.init)
      #expect((plain == nil) != (coded == nil))
      #expect(plain ?? coded == raws[index])
    }
  }
}
