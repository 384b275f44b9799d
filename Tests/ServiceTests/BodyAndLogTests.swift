// Compressed bodies, and what is written beside the replies.

import Core
import Foundation
import Synchronization
import TestSupport
import Testing

@testable import HTTP
@testable import Service

/// A file in memory; full after so many bytes.
private final class LogFile: LineDestination {
  var bytes: [UInt8] = []
  var bytesMax = Int.max
  func write(_ bytes: Bytes) throws(SystemError) {
    guard self.bytes.count + bytes.count <= bytesMax else { throw SystemError(ENOSPC, "write") }
    self.bytes += bytes.copy()
  }
  /// There is room again once it is reopened.
  func reopen() throws(SystemError) { bytesMax = .max }

  var records: [[String: Any]] {
    bytes.text.split(separator: "\n").compactMap {
      try? JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any]
    }
  }
}

@Suite struct BodyAndLogTests {
  @Test func compressedBodiesAreInflated() throws {
    let test = TestService([try Serving.served("m", "binary-logistic")]) { $0.bodyBytesMax = 1_000 }
    let plain = test.ask("POST /decide/m", "{\"amount\":12.5}").body
    for (file, coding) in [
      ("short.gz", "gzip"), ("named.gz", "X-GZIP"), ("short-9.zlib", "deflate"),
      ("short.raw", "identity"),
    ] {
      let body = try Fixtures.bytes("compressed/\(file)")
      let reply = test.ask("POST /decide/m", fields: ["Content-Encoding: \(coding)"], body: body)
      #expect(reply.status == 200 && reply.body == plain, "\(file): \(reply.body)")
    }
    let bomb = try Fixtures.bytes("compressed/repeats.gz")
    let large = test.ask("POST /decide/m", fields: ["Content-Encoding: gzip"], body: bomb)
    #expect(large.status == 413 && large.error.hasSuffix("larger than 1000 bytes once inflated"))
    let wrong = test.ask("POST /decide/m", fields: ["Content-Encoding: gzip"], "{}")
    #expect(wrong.status == 400 && wrong.error.contains("no gzip stream"))
    let unknown = test.ask("POST /decide/m", fields: ["Content-Encoding: br"], "{}")
    #expect(unknown.status == 415 && unknown.field("Accept-Encoding") == "gzip, deflate")
  }

  @Test func decisionsAndSamplesAreLogged() throws {
    let (access, decisions) = (LogWriter(name: "access"), LogWriter(name: "decisions"))
    let test = TestService([try Serving.served("m", "binary-logistic")]) {
      $0.accessLog = access
      $0.decisionLog = decisions
    }
    let detail = test.ask("POST /decide/m?detail", "{\"id\":\"a\",\"f0\":1}").body
    _ = test.ask("POST /decide/m", fields: ["Content-Type: application/jsonl"], "{\"id\":1}\nx\n{}")
    _ = test.ask("POST /v1/models/m:predict", "{\"instances\":[[1,2,3,4]]}")
    _ = test.ask("POST /decide/m", "nonsense")
    _ = test.ask("GET /metrics")
    _ = test.ask("GET /livez")
    let files = [LogFile(), LogFile()]
    for (log, file) in zip([access, decisions], files) {
      log.close()
      log.run(into: file) { _ in }
    }
    let samples = files[0].records
    #expect(samples.map { $0["status"] as? Int } == [200, 200, 200, 400])
    #expect(samples.allSatisfy { $0["kind"] as? String == "sample" && $0["latency_us"] != nil })
    #expect((samples[0]["layers_us"] as? [String: Any])?.count == 5)
    #expect(samples[3]["path"] as? String == "/decide/m" && samples[3]["layers_us"] == nil)
    let records = files[1].records
    #expect(records.count == 3)
    #expect(files[1].bytes.text.hasPrefix(detail + "\n"))
  }

  @Test func aLogThatIsNotTakenUpIsCountedAndHarmsNobody() throws {
    let log = LogWriter(name: "access", bytesMax: 300)
    let test = TestService([try Serving.served("m", "binary-logistic")]) { $0.accessLog = log }
    for _ in 0..<5 { #expect(test.ask("POST /decide/m", "nonsense").status == 400) }
    #expect(log.dropped == 4 || log.dropped == 3)
    let before = log.dropped
    let file = LogFile()
    file.bytesMax = 10
    var told: [SystemError] = []
    log.close()
    log.run(into: file) { told.append($0) }
    #expect(told == [SystemError(ENOSPC, "write")])
    #expect(log.dropped == before)
    let text = test.ask("GET /metrics").body
    #expect(text.contains("\nrtinfer_log_dropped_total{log=\"access\"} \(before)\n"))
  }

  @Test func aLogGoesOnWhenItsFileIsReopened() throws {
    let log = LogWriter(name: "access")
    let file = LogFile()
    file.bytesMax = 10
    func add(_ line: String) { Array(line.utf8).withBytes(log.append) }
    add("longer than ten bytes\n")
    let told = Mutex<[SystemError]>([])
    let thread = try WorkerThread {
      log.run(into: file) { error in told.withLock { $0.append(error) } }
    }
    func wait(_ condition: () -> Bool) {
      for _ in 0..<1_000 where !condition() { usleep(5_000) }
    }
    wait { told.withLock { !$0.isEmpty } }
    add("lost\n")
    wait { log.dropped == 1 }
    log.reopen()
    usleep(200_000)
    add("kept\n")
    log.close()
    thread.join()
    #expect(told.withLock { $0 } == [SystemError(ENOSPC, "write")] && log.dropped == 1)
    #expect(file.bytes.text.hasSuffix("kept\n"))
  }
}
