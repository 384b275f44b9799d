// Load against real servers: one that stalls, where arithmetic says what must be measured, and our own.

import Core
import Foundation
import HTTP
import Measure
import TestSupport
import Testing

@testable import rtinfer

/// Answers at once, but stands still for a fifth of every second.
private final class StallingHandler: RequestHandler {
  private let clock = SystemClock()
  static let period: UInt64 = 1_000_000_000
  static let stall: UInt64 = 200_000_000

  func handle(_ request: Request, _ connection: Connection) {
    let phase = clock.monotonicNanoseconds() % Self.period
    if phase < Self.stall { usleep(UInt32((Self.stall - phase) / 1_000)) }
    connection.respond(.ok, .text, body: Bytes("ok"))
  }
  func endTurn(now: UInt64) -> UInt64? { nil }
  func refused(_ status: Status) {}
}

@Suite(.serialized) struct BenchHTTPTests {
  private func measure(_ load: LoadPlan.Load, seconds: Int64) throws -> LoadTally {
    let any = try ListenAddress("127.0.0.1:0", origin: "test")
    let server = try Server(ServerOptions(address: any)) { (_) throws(Failure) in StallingHandler()
    }
    try server.start()
    defer { server.close(within: .seconds(1)) }
    let endpoint = Endpoint(address: server.address, host: "h", path: "/")
    let request = OutgoingRequest(
      method: "GET", path: "/", host: "h", fields: [], body: [], keepsAlive: true)
    let plan = LoadPlan(
      url: "http://h/", load: load, seed: 1, warmup: .zero, lagMax: nil,
      machine: .current(build: "t"))
    let run = LoadRun(
      plan, RequestSource(endpoint, [request]), ClientOptions(), clock: SystemClock())
    switch load {
    case .open(_, let stages): try run.runOpen(ArrivalSchedule(stages, .poisson, seed: 1))
    case .closed(let clients): try run.runClosed(clients, for: .seconds(seconds))
    }
    return run.tally
  }

  /// Whoever comes x before the stall's end waits x: a share (200 ms − x)/1 s waits longer than x. So the p90 is
  /// 100 ms and the p99 190 ms. One client in a closed loop comes once a stall, and its p99 knows nothing of it.
  @Test func aStallIsSeenByTheOpenLoopAndHiddenFromTheClosed() throws {
    let stages = [ArrivalSchedule.Stage(rate: 500, duration: .seconds(4))]
    let open = try measure(.open(arrivals: "poisson", stages: stages), seconds: 4)
    let (p90, p99) = (
      try #require(open.latency.percentile(90)), try #require(open.latency.percentile(99))
    )
    #expect(p90 > 70_000_000 && p90 < 150_000_000, "p90 \(p90) ns, by arithmetic 100 ms")
    #expect(p99 > 160_000_000 && p99 < 260_000_000, "p99 \(p99) ns, by arithmetic 190 ms")
    #expect(open.errors == 0 && open.requests > 1_800)
    let closed = try measure(.closed(concurrency: 1), seconds: 2)
    let hidden = try #require(closed.latency.percentile(99))
    #expect(closed.requests > 400 && hidden < p99 / 4, "closed p99 \(hidden) ns")
    #expect(closed.latency.maximum > 100_000_000, "it met the stall, once a second")
  }

  @Test func aServerIsStartedMeasuredJudgedAndStopped() throws {
    let folder = try TemporaryFolder()
    try folder.write("{\"f0\":1.5}\n{\"f0\":2.5}\n", "rows.ndjson")
    let model = ServedProcess.model("binary-logistic")
    let line = """
      rtinfer bench http --spawn 'rtinfer serve --quiet --model m=\(model) --threads 1' /decide/m rows.ndjson \
      --rate 200 --duration 1s --warmup 200ms --max-lag 10s --hgrm out.hgrm > samples.ndjson && \
      rtinfer budget check --format table samples.ndjson \
      --budget 'count > 120 && inference.p50 < 1s && errors < 5%'
      """
    let outcome = try Child.bash(line, in: folder.url, home: folder.url)
    #expect(outcome.status == 0, "\(outcome.output)\(outcome.errors)")
    let lines = try folder.text("samples.ndjson").split(separator: "\n")
    #expect(lines.count > 121)
    let isWhole = lines.dropLast().allSatisfy {
      $0.hasPrefix("{\"kind\":\"sample\",\"due\":\"")
        && $0.contains("\"status\":200,\"layers_us\":{\"request\":")
    }
    #expect(isWhole)
    #expect(lines.last!.contains("\"what\":\"run\"") && lines.last!.contains("\"valid\":true"))
    #expect(try folder.text("out.hgrm").contains("1/(1-Percentile)"))
    let left = try Child.bash(
      "pgrep -f 'm=\(model) --threads 1' | wc -l", in: folder.url, home: folder.url)
    #expect(
      Int(left.output.trimmingCharacters(in: .whitespacesAndNewlines))! <= 1,
      "only the search itself")
  }

  @Test func summariesMergeAndArrivalsRepeat() throws {
    let server = try ServedProcess(["--model", "m=\(ServedProcess.model("binary-logistic"))"])
    defer { _ = server.stop() }
    try server.folder.write(
      "{\"path\":\"/decide/m\",\"body\":{\"f0\":1}}\n{\"method\":\"GET\",\"path\":\"/nowhere\"}\n",
      "lines")
    let base =
      "rtinfer bench http \(server.address)/ --request-lines lines --max-lag 10s --warmup 0s"
    let line = """
      \(base) --rate 100 --arrivals constant --duration 1s > samples && \
      \(base) --arrivals samples --summary > one && \(base) --concurrency 2 --duration 200ms --summary > two && \
      rtinfer budget check --budget 'count > 150 && errors < 60% && errors < 10%' one two
      """
    let outcome = try Child.bash(line, in: server.folder.url, home: server.folder.url)
    #expect(outcome.status == 1, "half of the requests are answered 404: \(outcome.errors)")
    #expect(outcome.errors.contains("closed loop"))
    let verdicts = outcome.output.split(separator: "\n").map(String.init)
    #expect(verdicts.map { $0.contains("\"verdict\":\"pass\"") } == [true, true, false])
    #expect(try server.folder.text("one").contains("\"requests\":100,\"errors\":50"))
    #expect(try server.folder.text("samples").contains("\"path\":\"/nowhere\""))
  }

  @Test func searchesAndCompares() throws {
    let server = try ServedProcess(["--model", "m=\(ServedProcess.model("binary-logistic"))"])
    defer { _ = server.stop() }
    let url = "\(server.address)/decide/m --body '{\"f0\":1}' --max-lag 10s"
    let search = try Child.bash(
      "rtinfer bench search --slo 'p50 < 5s && errors < 50%' --start-rate 600 --up-to 600 \(url)",
      in: server.folder.url, home: server.folder.url)
    #expect(search.status == 0, "\(search.errors)")
    let lines = search.output.split(separator: "\n").map(String.init)
    #expect(
      lines.count == 3 && lines[0].contains("\"what\":\"step\",\"rate\":600.0,\"answer\":\"kept\""))
    #expect(lines[1].contains("\"confirming\":true") && lines[2].contains("\"value\":600.0"))
    let broken = try Child.bash(
      "rtinfer bench search --slo 'p50 < 1us' --start-rate 2000 --up-to 2000 --precision 90% \(url) | tail -1",
      in: server.folder.url, home: server.folder.url)
    #expect(broken.output.contains("\"verdict\":\"fail\",\"value\":null"), "\(broken.output)")
    let compared = try Child.bash(
      "rtinfer bench compare --rounds 2 --stretch 100ms --rate 200 \(server.address)/decide/m \(url)",
      in: server.folder.url, home: server.folder.url)
    #expect(
      [0, 1, 5].contains(compared.status) && compared.output.contains("\"n\":2,"),
      "\(compared.errors)")
  }
}
