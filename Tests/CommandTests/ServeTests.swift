// The server as a process: what it says, how it ends, and that its decisions are those of `score`.

import Core
import Foundation
import TestSupport
import Testing

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// A server over a fixture's model.
final class ServedProcess {
  let folder: TemporaryFolder
  let child: Child
  let address: String

  static func model(_ fixture: String) -> String {
    Fixtures.root.appending(path: "models/xgboost-json/\(fixture)/model.json").path()
  }

  init(
    _ words: [String], folder: TemporaryFolder? = nil, listen: String = "127.0.0.1:0"
  ) throws {
    let folder = try folder ?? TemporaryFolder()
    self.folder = folder
    child = try Child(
      [Binary.rtinfer, "serve", "--listen", listen, "--ready-file", folder.path("ready")] + words,
      in: folder.url, environment: Binary.environment(home: folder.url), seconds: 120)
    try #require(child.waitForErrors("listening on"), "\(child.errorsSoFar)")
    let deadline = Date(timeIntervalSinceNow: 20)
    while !FileManager.default.fileExists(atPath: folder.path("ready")), Date() < deadline {
      usleep(2_000)
    }
    address = try folder.text("ready").trimmingCharacters(in: .newlines)
  }

  /// What curl prints for the words behind it; `@` stands for the address.
  func curl(_ words: String) throws -> String {
    let line = words.replacingOccurrences(of: "@", with: address)
    return try Child.bash("curl -sS --max-time 20 \(line)", in: folder.url, home: folder.url).output
  }

  /// Ends it as an operator would.
  func stop() -> Child.Outcome {
    child.send(SIGTERM)
    return child.wait()
  }
}

let hasCurl = Binary.find("curl") != nil

@Suite(.enabled(if: hasCurl)) struct ServeTests {
  @Test func servesAModelFileUntilItIsTold() throws {
    let server = try ServedProcess(["--model", "m=\(ServedProcess.model("binary-logistic"))"])
    let reply = try server.curl("-i @/decide/m -d '{\"id\":7,\"f0\":1.5}'")
    #expect(reply.hasPrefix("HTTP/1.1 200 OK\r\n"))
    #expect(reply.contains("\r\nServer-Timing: request;dur="))
    #expect(reply.hasSuffix("{\"id\":7,\"score\":0.89674926}"))
    #expect(try server.curl("@/readyz") == "{\"ready\":true}")
    // A body that curl asks leave for, and one in chunks.
    let padding = String(repeating: " ", count: 1_100_000)
    try server.folder.write("{\"f0\":1.5\(padding)}", "large.json")
    let start = Date()
    #expect(try server.curl("@/decide/m --data-binary '@large.json'").isEmpty == false)
    let large = "-H 'Expect: 100-continue' -H 'Transfer-Encoding: chunked'"
    let chunked = try Child.bash(
      "curl -sS \(large) \(server.address)/decide/m --data-binary @large.json",
      in: server.folder.url, home: server.folder.url)
    #expect(chunked.output == "{\"score\":0.89674926}")
    #expect(Date().timeIntervalSince(start) < 10)
    let outcome = server.stop()
    #expect(outcome.status == 0 && !outcome.wasKilled)
    #expect(outcome.output == "")
    #expect(!FileManager.default.fileExists(atPath: server.folder.path("ready")))
  }

  /// The score, label and decision of each line of both.
  private func decisions(_ text: String) throws -> [[String: String]] {
    try text.split(separator: "\n").map { line in
      let object = try #require(
        try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
      var result: [String: String] = [:]
      for name in ["id", "time", "score", "label", "decision", "inputs"] {
        if let value = object[name] {
          let data = try JSONSerialization.data(
            withJSONObject: value, options: [.fragmentsAllowed, .sortedKeys])
          result[name] = String(decoding: data, as: UTF8.self)
        }
      }
      return result
    }
  }

  @Test func severalFilesAreServedAsOneModel() throws {
    let project = Fixtures.root.appending(path: "score/ensemble-mean/rtinfer.json").path()
    let server = try ServedProcess(["--project", project])
    let row = "{\"distance\":1837,\"hour\":20,\"delay\":36.2,\"carrier\":6}"
    let reply = try server.curl("@/decide/late -d '\(row)'")
    #expect(
      reply == "{\"score\":0.9367119574730552,\"label\":\"late\",\"decision\":\"rebook\"}")
    let metadata = try server.curl("@/v2/models/late")
    #expect(metadata.contains("\"platform\":\"rtinfer_ensemble\""), "\(metadata)")
    #expect(server.stop().status == 0)
  }

  /// A week of flights: features as materialize makes them, decided through the pipe and over HTTP.
  @Test func decidesAWeekAsScoreDoes() throws {
    let folder = try TemporaryFolder()
    let flights = Fixtures.root.appending(path: "flights")
    let project = flights.appending(path: "rtinfer.json").path()
    let made = try Child.bash(
      """
      cat \(flights.path())/week/*.ndjson* > /dev/null && \
      rtinfer ingest --project \(project) \(flights.path())/week/*.ndjson --max-rejects 100% 2>/dev/null \
        | rtinfer materialize --project \(project) --max-rejects 100% 2>/dev/null | head -2000 > rows.ndjson; \
      rtinfer score --project \(project) --quiet < rows.ndjson > scored.ndjson; wc -l < rows.ndjson
      """, in: folder.url, home: folder.url, seconds: 120)
    #expect(Int(made.output.trimmingCharacters(in: .whitespacesAndNewlines)) ?? 0 > 100, "\(made)")
    let server = try ServedProcess(["--project", project], folder: folder)
    let asked = try Child.bash(
      """
      name=$(grep -o '"model":"[^"]*"' scored.ndjson | head -1 | cut -d'"' -f4); \
      curl -sS -H 'Content-Type: application/x-ndjson' --data-binary @rows.ndjson \
        "\(server.address)/decide/$name?detail" > served.ndjson; wc -l < served.ndjson
      """, in: folder.url, home: folder.url, seconds: 120)
    #expect(!asked.output.isEmpty)
    let scored = try decisions(try folder.text("scored.ndjson"))
    let served = try decisions(try folder.text("served.ndjson"))
    #expect(scored.count > 100)
    #expect(served == scored)
    #expect(server.stop().status == 0)
  }

  @Test func requestsInFlightAreFinished() throws {
    let server = try ServedProcess([
      "--model", "m=\(ServedProcess.model("binary-logistic"))", "--max-batch-delay", "400ms",
      "--drain-delay", "200ms",
    ])
    let asked = try Child(
      [
        try #require(Binary.find("curl")), "-sS", "\(server.address)/decide/m", "-d",
        "{\"f0\":1.5}",
      ],
      environment: Binary.environment(home: server.folder.url))
    usleep(100_000)
    server.child.send(SIGTERM)
    usleep(50_000)
    #expect(try server.curl("-o /dev/null -w '%{http_code}' @/readyz") == "503")
    #expect(asked.wait().output == "{\"score\":0.89674926}")
    #expect(server.child.wait().status == 0)
  }

  @Test func noSignalCutsTheDelayShort() throws {
    let server = try ServedProcess([
      "--model", "m=\(ServedProcess.model("binary-logistic"))", "--drain-delay", "3s", "--drain",
      "300000d",
    ])
    let began = Date()
    server.child.send(SIGTERM)
    usleep(300_000)
    server.child.send(SIGHUP)
    #expect(server.child.wait().status == 0)
    #expect(Date().timeIntervalSince(began) >= 3)
  }

  @Test func modelsAreReadAgain() throws {
    let folder = try TemporaryFolder()
    func install(_ fixture: String) throws {
      let bytes = try Data(contentsOf: URL(filePath: ServedProcess.model(fixture)))
      try bytes.write(to: folder.url.appending(path: "model.json"), options: .atomic)
    }
    try install("binary-logistic")
    let server = try ServedProcess(["--model", "m=model.json"], folder: folder)
    #expect(try server.curl("@/decide/m -d '{\"f0\":1.5}'") == "{\"score\":0.89674926}")
    try install("softprob")
    server.child.send(SIGHUP)
    #expect(server.child.waitForErrors("read again: m"))
    #expect(try server.curl("@/decide/m -d '{\"f0\":1.5}'").hasPrefix("{\"score\":["))
    try folder.write("{", "model.json")
    server.child.send(SIGHUP)
    #expect(server.child.waitForErrors("not read again: "))
    #expect(try server.curl("@/decide/m -d '{\"f0\":1.5}'").hasPrefix("{\"score\":["))
    #expect(server.stop().status == 0)
  }

  @Test func aUnixSocketAndAToken() throws {
    let folder = try TemporaryFolder()
    try folder.write("secret\n", "token")
    let server = try ServedProcess(
      ["--model", "m=\(ServedProcess.model("binary-logistic"))", "--token-file", "token"],
      folder: folder, listen: "unix:\(folder.path("s"))")
    let socket = "--unix-socket \(folder.path("s"))"
    #expect(try server.curl("\(socket) http://h/decide/m -d '{}'").contains("bearer token"))
    let allowed = try server.curl(
      "\(socket) -H 'Authorization: Bearer secret' http://h/decide/m -d '{}'")
    #expect(allowed.hasPrefix("{\"score\":"))
    #expect(server.stop().status == 0)
  }
}
