// ingest --listen: events over HTTP go the way that files go.

import Core
import Foundation
import TestSupport
import Testing

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

@Suite struct IngestListenTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private func start(_ words: [String]) throws -> (child: Child, client: WireClient) {
    let child = try Child(
      [Binary.rtinfer, "ingest", "--listen", "127.0.0.1:0", "--ready-file", folder.path("ready")]
        + words, in: folder.url, environment: Binary.environment(home: folder.url), seconds: 60)
    try #require(child.waitForErrors("listening on"), "\(child.errorsSoFar)")
    let deadline = Date(timeIntervalSinceNow: 20)
    while !FileManager.default.fileExists(atPath: folder.path("ready")), Date() < deadline {
      usleep(2_000)
    }
    let address = try folder.text("ready").trimmingCharacters(in: .newlines)
    return (child, try WireClient(address))
  }

  private func line(_ id: Int) -> String { #"{"id":\#(id),"time":"2024-05-01T10:00:00Z"}"# }

  @Test func eventsArePassedOnAndLogged() throws {
    let (child, client) = try start(["--log=log", "--dedup", "1h"])
    for id in 0..<20 {
      #expect(
        try client.post("/events", line(id)).body
          == #"{"accepted":1,"repeats":0,"offset":\#(id)}"#)
    }
    #expect(try client.post("/events", line(3)).body == #"{"accepted":0,"repeats":1}"#)
    #expect(try client.post("/events", "{").status == 400)
    #expect(try client.get("/readyz").status == 200)
    #expect(try client.get("/").status == 200)
    #expect(try client.post("/decide/m", "{}").status == 404)
    // An answer is given only once the event has gone on.
    #expect(child.outputSoFar.split(separator: "\n").count == 20)
    child.send(SIGTERM)
    let outcome = child.wait()
    #expect(outcome.status == 0, "\(outcome.errors)")
    #expect(outcome.errors.contains("accepted 20, repeats dropped 1, rejected 1\n"))
    let replayed = try Child.bash(
      "rtinfer ingest --replay --log=log", in: folder.url, home: folder.url)
    #expect(replayed.output == outcome.output)
    // As from a file, but for the time of ingest.
    try folder.write((0..<20).map { line($0) + "\n" }.joined(), "events")
    let untimed = #"sed -E 's/"ingested":"[^"]*",//'"#
    try folder.write(outcome.output, "listened")
    let compared = try Child.bash(
      "diff <(rtinfer ingest --quiet events | \(untimed)) <(\(untimed) listened)", in: folder.url,
      home: folder.url)
    #expect(compared.output == "" && compared.status == 0, "\(compared)")
  }

  @Test func oneClientIsBoundedAndOthersAreNot() throws {
    let (child, client) = try start(["--max-rate", "0.001"])
    #expect(try client.post("/events", line(1)).status == 200)
    let address = try folder.text("ready").trimmingCharacters(in: .newlines)
    for connection in [client, try WireClient(address)] {
      let refused = try connection.post("/events", line(2))
      #expect(refused.status == 429 && refused.body.contains("more than 0.001 requests a second"))
      #expect((900...1_000).contains(Int(refused.field("Retry-After") ?? "") ?? 0))
      #expect(try connection.get("/readyz").status == 200)
    }
    let metrics = try client.get("/metrics").body
    #expect(metrics.contains("{route=\"/events\",code=\"429\"} 2\n"), "\(metrics)")
    var accepted = 1
    #if os(Linux)
      // All of 127.0.0.0/8 is this machine there.
      let other = try Child.bash(
        "curl -s --interface 127.0.0.2 \(address)/events -d '\(line(3))'", in: folder.url,
        home: folder.url)
      #expect(other.output == #"{"accepted":1,"repeats":0,"offset":1}"#, "\(other)")
      accepted = 2
    #endif
    child.send(SIGTERM)
    #expect(child.wait().output.split(separator: "\n").count == accepted)
  }

  /// As for events from files.
  @Test func idsBeyondTheirBoundLieInFiles() throws {
    let (child, client) = try start(["--dedup", "24h", "--dedup-memory", "1MiB"])
    let head = String(repeating: "x", count: 2_000)
    for first in stride(from: 0, to: 2_000, by: 200) {
      let lines = (first..<first + 200).map {
        #"{"id":"\#(head)\#($0)","time":"2024-05-01T10:00:00Z"}"# + "\n"
      }.joined()
      let type = "application/x-ndjson"
      #expect(try client.post("/events", lines, type).body.contains("\"repeats\":0"))
      #expect(try client.post("/events", lines, type).body.contains("\"accepted\":0"))
    }
    child.send(SIGTERM)
    let outcome = child.wait()
    #expect(outcome.errors.contains("ids that dedup remembers: "), "\(outcome.errors)")
    #expect(outcome.errors.contains("MiB in files of /var/tmp"), "\(outcome.errors)")
    #expect(outcome.errors.contains("accepted 2,000, repeats dropped 2,000, rejected 0\n"))
  }

  @Test(arguments: ["--dedup-memory 8MiB", "--dedup 1h", "--from csv", "--listen :0"])
  func aReplayRefusesWhatIsForEventsThatComeIn(_ flag: String) throws {
    let outcome = try Child.bash(
      "rtinfer ingest --replay --log=log \(flag)", in: folder.url, home: folder.url)
    let name = flag.prefix { $0 != " " }
    #expect(outcome.status == 2)
    #expect(
      outcome.errors.contains(
        "\(name) is for events that come in, --replay only prints them"), "\(outcome.errors)")
  }

  #if os(Linux)
    @Test(arguments: [false, true])
    func itEndsWhenWhatIsAcceptedCannotBePassedOn(_ isLogged: Bool) throws {
      let script = """
        rtinfer ingest --listen 127.0.0.1:0 --ready-file ready \(isLogged ? "--log=log" : "") \
          > /dev/full & job=$!
        while [ ! -s ready ]; do sleep 0.05; done
        echo '{"id":1,"time":"2024-05-01T10:00:00Z"}' \
          | curl -s -w ' %{http_code}' --max-time 10 $(cat ready)/events -d @- || true
        wait $job || echo " $?"
        """
      let outcome = try Child.bash(script, in: folder.url, home: folder.url)
      #expect(outcome.output.contains("some of these may have been taken\"} 503 4"), "\(outcome)")
      #expect(outcome.errors.contains("stdout: write: No space left on device"), "\(outcome)")
      guard isLogged else { return }
      let replayed = try Child.bash(
        "rtinfer ingest --replay --log=log", in: folder.url, home: folder.url)
      #expect(replayed.output.split(separator: "\n").count == 1, "\(replayed)")
    }
  #endif

  @Test func aReaderThatIsStuckHoldsNoEndUp() throws {
    let lines = (0..<3_000).map { line($0) + "\n" }
    try folder.write(lines.joined(), "events")
    let script = """
      mkfifo pipe; sleep 60 < pipe & reader=$!
      rtinfer ingest --listen 127.0.0.1:0 --ready-file ready --log=log --drain 1s > pipe & job=$!
      while [ ! -s ready ]; do sleep 0.05; done
      curl -s -o /dev/null --max-time 3 $(cat ready)/events -H 'Content-Type: application/x-ndjson' \
        --data-binary @events || true
      kill -TERM $job; wait $job || echo "status $?"
      kill $reader
      """
    let began = Date()
    let outcome = try Child.bash(script, in: folder.url, home: folder.url, seconds: 50)
    #expect(outcome.output == "status 4\n", "\(outcome)")
    #expect(outcome.errors.contains("stdout: its reader takes nothing"), "\(outcome)")
    #expect(Date().timeIntervalSince(began) < 30)
    let replayed = try Child.bash(
      "rtinfer ingest log verify --log=log", in: folder.url, home: folder.url)
    // All that was taken until the pipe was full.
    #expect(replayed.output.contains("\"state\":\"whole\""), "\(replayed)")
    #expect(!replayed.output.contains("\"events\":0,"), "\(replayed)")
  }

  @Test func itEndsWhenNobodyReadsOn() throws {
    let script = """
      rtinfer ingest --listen 127.0.0.1:0 --ready-file ready | head -n 1 > first & job=$!
      while [ ! -s ready ]; do sleep 0.05; done; address=$(cat ready)
      for id in 1 2 3 4 5; do
        echo '{"id":'$id',"time":"2024-05-01T10:00:00Z"}' \
          | curl -s -o /dev/null -w '%{http_code}\\n' --max-time 10 $address/events -d @- || true
        sleep 0.2
      done > codes; wait $job; wc -l < first
      """
    let outcome = try Child.bash(script, in: folder.url, home: folder.url)
    #expect(outcome.output.trimmingCharacters(in: .whitespacesAndNewlines) == "1", "\(outcome)")
    let codes = try folder.text("codes").split(separator: "\n")
    #expect(codes[0] == "200" && codes.contains("503"), "\(codes)")
  }
}
