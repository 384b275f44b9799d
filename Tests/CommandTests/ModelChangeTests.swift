// Loading and unloading models while a server runs, by the model repository API and by SIGHUP, and the logs that are moved
// away under it.

import Core
import Foundation
import Synchronization
import TestSupport
import Testing

@Suite(.enabled(if: hasCurl)) struct ModelChangeTests {
  private func install(_ fixture: String, _ folder: TemporaryFolder) throws {
    let bytes = try Data(contentsOf: URL(filePath: ServedProcess.model(fixture)))
    try bytes.write(to: folder.url.appending(path: "model.json"), options: .atomic)
  }

  @Test func modelsAreLoadedAndUnloadedByName() throws {
    let folder = try TemporaryFolder()
    try install("binary-logistic", folder)
    let server = try ServedProcess(
      ["--model", "m=model.json,n=\(ServedProcess.model("softprob"))", "--threads", "2"],
      folder: folder)
    let client = try WireClient(server.address)
    func index(_ body: String = "") throws -> String {
      try client.post("/v2/repository/index", body).body
    }
    let unloaded = try client.post(
      "/v2/repository/models/m/unload", #"{"parameters":{"unload_dependents":false}}"#)
    #expect(unloaded.status == 200 && unloaded.body == "")
    #expect(try client.post("/decide/m", "{}").status == 404)
    #expect(try client.post("/decide/n", "{}").status == 200)
    #expect(try index().contains(#"{"name":"m","state":"UNAVAILABLE","reason":"unloaded"}"#))
    #expect(try !index(#"{"ready":true}"#).contains("\"m\""))
    #expect(try client.post("/v2/repository/models/m/unload", "").status == 404)
    try install("squarederror", folder)
    #expect(try client.post("/v2/repository/models/m/load", "{}").status == 200)
    #expect(try client.post("/decide/m", "{}").status == 200)
    #expect(try !index().contains("UNAVAILABLE"))
    // What cannot be read leaves the old in place.
    try folder.write("{", "model.json")
    let damaged = try client.post("/v2/repository/models/m/load", "")
    #expect(damaged.status == 400 && damaged.body.contains("not loaded: "), "\(damaged)")
    #expect(try client.post("/decide/m", "{}").status == 200)
    #expect(try client.post("/v2/repository/models/x/load", "").status == 404)
    let configured = try client.post(
      "/v2/repository/models/m/load", #"{"parameters":{"config":"{}"}}"#)
    #expect(configured.status == 400 && configured.body.contains("where it is declared"))
    #expect(server.stop().status == 0)
  }

  @Test func movedLogsAreBegunAnewOnSIGHUP() throws {
    let folder = try TemporaryFolder()
    try install("binary-logistic", folder)
    let server = try ServedProcess(
      ["--model", "m=model.json", "--decisions", "d", "--access-log", "a"], folder: folder)
    let client = try WireClient(server.address)
    #expect(try client.post("/decide/m", "{\"id\":1}").status == 200)
    for name in ["a", "d"] {
      let deadline = Date(timeIntervalSinceNow: 10)
      while (try? folder.text(name))?.isEmpty != false, Date() < deadline { usleep(5_000) }
      try FileManager.default.moveItem(
        atPath: folder.path(name), toPath: folder.path("\(name).old"))
    }
    server.child.send(SIGHUP)
    #expect(server.child.waitForErrors("read again: m"))
    usleep(100_000)
    #expect(try client.post("/decide/m", "{\"id\":2}").status == 200)
    #expect(server.stop().status == 0)
    #expect(try folder.text("d.old").contains("\"id\":1"))
    #expect(try folder.text("d").contains("\"id\":2") && !folder.text("d").contains("\"id\":1"))
    #expect(try folder.text("a").split(separator: "\n").count == 1)
  }

  /// Ten reloads under load, a hundred with RTINFER_LONG=1: no request fails, and memory comes back to its level.
  @Test func reloadsUnderLoadLoseNothing() throws {
    let count = ProcessInfo.processInfo.environment["RTINFER_LONG"] == nil ? 10 : 100
    let folder = try TemporaryFolder()
    try install("binary-logistic", folder)
    let server = try ServedProcess(["--model", "m=model.json", "--threads", "2"], folder: folder)
    let client = try WireClient(server.address)
    func resident() throws -> Int {
      let text = try client.get("/metrics").body
      let found = try #require(text.firstMatch(of: #/\nprocess_resident_memory_bytes (\d+)/#))
      return try #require(Int(found.1))
    }
    let load = SteadyLoad(server.address, clients: 3)
    var levels: [Int] = []
    for round in 1...count {
      try install(round % 2 == 0 ? "binary-logistic" : "binary-logistic-deep", folder)
      if round % 3 == 0 {
        #expect(try client.post("/v2/repository/models/m/load", "").status == 200)
      } else {
        server.child.send(SIGHUP)
        let told = "read again: m"
        let deadline = Date(timeIntervalSinceNow: 20)
        let due = round - round / 3
        while server.child.errorsSoFar.components(separatedBy: told).count <= due,
          Date() < deadline
        { usleep(2_000) }
      }
      levels.append(try resident())
    }
    let (answered, failed) = load.stop()
    #expect(answered > count * 10)
    #expect(failed == [])
    // What the first rounds needed is what all need.
    let level = try #require(levels.prefix(4).max())
    #expect(try #require(levels.last) < level + level / 4, "\(levels)")
    #expect(server.stop().status == 0)
  }
}

/// Clients that ask again and again, each on a connection that is kept.
private final class SteadyLoad: Sendable {
  private struct State: Sendable {
    var answered = 0
    var failed: [String] = []
    var running: Int
    var isStopping = false
  }

  private let state: Mutex<State>

  init(_ address: String, clients: Int) {
    state = Mutex(State(running: clients))
    for _ in 0..<clients {
      Thread.detachNewThread { [self] in
        ask(address)
        state.withLock { $0.running -= 1 }
      }
    }
  }

  private func ask(_ address: String) {
    do {
      let client = try WireClient(address)
      while !state.withLock({ $0.isStopping }) {
        let reply = try client.post("/decide/m", #"{"f0":1.5}"#)
        state.withLock { state in
          state.answered += 1
          if reply.status != 200 { state.failed.append("\(reply.status) \(reply.body)") }
        }
      }
    } catch {
      state.withLock { $0.failed.append("\(error)") }
    }
  }

  /// How many were answered, and what went wrong.
  func stop() -> (answered: Int, failed: [String]) {
    state.withLock { $0.isStopping = true }
    while state.withLock({ $0.running > 0 }) { usleep(1_000) }
    return state.withLock { ($0.answered, $0.failed) }
  }
}
