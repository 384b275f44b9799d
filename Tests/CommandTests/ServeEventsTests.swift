// Events and decisions out of one process: the decisions are those of the pipe bit for bit, an event that was answered is
// in the log and in what is asked next, and a server that starts anew goes on where it was.

import Core
import Foundation
import TestSupport
import Testing

@Suite(.enabled(if: hasCurl)) struct ServeEventsTests {
  private static let flights = Fixtures.root.appending(path: "flights")
  private static let project = flights.appending(path: "rtinfer.json").path()

  /// By id, all of a decision that does not tell of time or place.
  private func decisions(_ text: String) throws -> [String: String] {
    var result: [String: String] = [:]
    for line in text.split(separator: "\n") {
      let object = try #require(
        try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
      var kept: [String: Any] = [:]
      for name in ["time", "score", "label", "decision", "inputs"] { kept[name] = object[name] }
      let data = try JSONSerialization.data(withJSONObject: kept, options: .sortedKeys)
      result[try #require(object["id"] as? String)] = String(decoding: data, as: UTF8.self)
    }
    return result
  }

  /// Each question of the week is asked after all events before it have been told, in the order of the pipe.
  @Test func aWeekIsDecidedAsThroughThePipes() throws {
    let folder = try TemporaryFolder()
    let made = try Child.bash(
      """
      cd \(Self.flights.path()) && rtinfer ingest week/*.ndjson --quiet > "$HOME/events" \
        && rtinfer materialize < "$HOME/events" | rtinfer score --quiet > "$HOME/scored"
      """, in: folder.url, home: folder.url, seconds: 110)
    #expect(made.status == 0, "\(made.errors)")
    let server = try ServedProcess(
      ["--project", Self.project, "--events", "--threads", "2", "--decisions", "served"],
      folder: folder)
    let client = try WireClient(server.address)
    var told: [String] = []
    var asked = 0
    for line in try folder.text("events").split(separator: "\n").map(String.init) {
      if line.contains("\"type\":\"scheduled\"") {
        if !told.isEmpty {
          let reply = try client.post(
            "/events", told.joined(separator: "\n"), "application/x-ndjson")
          try #require(reply.status == 200, "\(reply.body)")
          told = []
        }
        let reply = try client.post("/decide/late_arrival", line)
        try #require(reply.status == 200, "\(reply.body)")
        asked += 1
      }
      told.append(line)
    }
    #expect(server.stop().status == 0)
    #expect(asked == 6_367)
    let scored = try decisions(try folder.text("scored"))
    let served = try decisions(try folder.text("served"))
    #expect(scored.count == 6_367)
    #expect(served == scored)
  }

  private static let small = """
    {
      events: { paid: { id: "id", time: "time", dedup: "24h", lateness: "1h", unknown: "reject",
        private: { iban: "drop" },
        fields: { card: "string", amount: "number", iban: "string?" } } },
      features: { card: { entity: ["card"], from: "paid",
        features: { n: { count: "*", window: "1h" }, last: { last: "amount", window: "1h" } } } },
      models: { m: { uri: "model.json", decides: "paid",
        inputs: ["amount", "hour(time)", "card:n", "card:last"] } },
    }
    """

  private func smallProject() throws -> TemporaryFolder {
    let folder = try TemporaryFolder()
    try folder.write(Self.small, "rtinfer.json")
    let model = try Data(contentsOf: URL(filePath: ServedProcess.model("binary-logistic")))
    try model.write(to: folder.url.appending(path: "model.json"))
    return folder
  }

  private func paid(_ id: String, _ amount: Double, minute: Int, card: String = "a") -> String {
    let time = "2024-05-01T10:\(minute < 10 ? "0" : "")\(minute):00Z"
    return #"{"type":"paid","id":"\#(id)","time":"\#(time)","card":"\#(card)","amount":\#(amount)}"#
  }

  /// What the model would be told of a card at half past ten.
  private func features(_ client: WireClient, card: String = "a") throws -> String {
    let reply = try client.post("/features/m", paid("q", 1, minute: 30, card: card))
    let inputs = try #require(reply.body.firstMatch(of: #/"inputs":{.*"card:n"(.*?)}/#), "\(reply)")
    return String(inputs.1)
  }

  @Test func anAnsweredEventIsSeenByTheNextRequest() throws {
    let server = try ServedProcess(["--events", "--threads", "2"], folder: try smallProject())
    let (first, second) = (try WireClient(server.address), try WireClient(server.address))
    #expect(try features(first) == #":0,"card:last":null"#)
    for count in 1...50 {
      // Two connections, and mostly two loops.
      let reply = try first.post("/events", paid("e\(count)", Double(count), minute: 10))
      #expect(reply.status == 200)
      #expect(reply.body == #"{"accepted":1,"repeats":0,"offset":\#(count - 1)}"#)
      #expect(try features(second) == #":\#(count),"card:last":\#(count).0"#)
    }
    // What another has told is not this one's business, and what is asked changes nothing.
    #expect(try features(second, card: "b") == #":0,"card:last":null"#)
    let again = try first.post("/events", paid("e7", 7, minute: 10))
    #expect(again.body == #"{"accepted":0,"repeats":1}"#)
    let metrics = try first.get("/metrics").body
    #expect(metrics.contains("rtinfer_events_total{result=\"accepted\"} 50\n"))
    #expect(metrics.contains("rtinfer_events_total{result=\"repeat\"} 1\n"))
    #expect(metrics.contains("rtinfer_feature_entities 1\n"))
    #expect(metrics.contains("rtinfer_event_duration_seconds_count 51\n"))
    let decided = try second.post("/decide/m?detail", paid("q", 1, minute: 30))
    #expect(
      decided.body.contains(#""features_offset":49,"features_watermark":"2024-05-01T09:10:00Z""#))
    #expect(server.stop().status == 0)
  }

  @Test func everyFormOfEventsIsTaken() throws {
    let server = try ServedProcess(["--events"], folder: try smallProject())
    let client = try WireClient(server.address)
    func post(_ body: String, _ type: String, _ fields: [String] = []) throws -> String {
      let reply = try client.post("/events", body, type, fields: fields)
      return "\(reply.status) \(reply.body)"
    }
    // As a person writes it.
    let spread = paid("a", 1, minute: 1).replacingOccurrences(of: ",", with: ",\r\n  ")
    #expect(try post(spread, "application/json") == #"200 {"accepted":1,"repeats":0,"offset":0}"#)
    let array = "[\(paid("b", 2, minute: 2)),\n \(paid("c", 3, minute: 3))]"
    #expect(try post(array, "text/plain") == #"200 {"accepted":2,"repeats":0,"offset":2}"#)
    let lines = "\(paid("d", 4, minute: 4))\n\n\(paid("e", 5, minute: 5))"
    #expect(
      try post(lines, "application/x-ndjson") == #"200 {"accepted":2,"repeats":0,"offset":4}"#)
    let data = #"{"card":"a","amount":6}"#
    func cloudEvent(_ id: String) -> String {
      #"{"specversion":"1.0","id":"\#(id)","source":"/s","type":"paid","time":"2024-05-01T10:06:00Z","#
        + #""data":\#(data)}"#
    }
    #expect(
      try post(cloudEvent("f"), "application/cloudevents+json; charset=utf-8")
        == #"200 {"accepted":1,"repeats":0,"offset":5}"#)
    #expect(
      try post("[\(cloudEvent("f")),\(cloudEvent("g"))]", "application/cloudevents-batch+json")
        == #"200 {"accepted":1,"repeats":1,"offset":6}"#)
    let attributes = [
      "ce-specversion: 1.0", "ce-id: h%20h", "CE-Source: /s", "ce-type: paid",
      "ce-time: 2024-05-01T10:07:00Z",
    ]
    #expect(
      try post(data, "application/json", attributes)
        == #"200 {"accepted":1,"repeats":0,"offset":7}"#)
    #expect(try features(client) == #":8,"card:last":6.0"#)
    // Plain events after wrapped ones are plain again.
    #expect(
      try post(paid("i", 9, minute: 9), "application/json")
        == #"200 {"accepted":1,"repeats":0,"offset":8}"#)
    #expect(server.stop().status == 0)
  }

  @Test func eachRejectedEventIsNamed() throws {
    let folder = try smallProject()
    let server = try ServedProcess(
      ["--events", "--rejects", "bad", "--max-body", "100000"], folder: folder)
    let client = try WireClient(server.address)
    let late = paid("late", 1, minute: 0).replacingOccurrences(of: "T10", with: "T07")
    let lines = [
      paid("a", 1, minute: 1), #"{"type":"paid","id":"b"}"#, late, "nonsense",
      paid("c", 1, minute: 2).replacingOccurrences(of: "}", with: #","more":1}"#),
    ]
    let mixed = try client.post("/events", lines.joined(separator: "\n"), "application/x-ndjson")
    #expect(mixed.status == 400)
    let object = try #require(
      try JSONSerialization.jsonObject(with: Data(mixed.body.utf8)) as? [String: Any])
    #expect(object["accepted"] as? Int == 1)
    let rejected = try #require(object["rejected"] as? [[String: Any]])
    #expect(rejected.map { $0["line"] as? Int } == [2, 3, 4, 5])
    let reasons = rejected.compactMap { $0["reason"] as? String }
    #expect(reasons[0].contains("'card' is missing") && reasons[1].hasPrefix("late: "))
    #expect(reasons[2].hasPrefix("not JSON: ") && reasons[3].contains("'more'"))
    #expect((object["error"] as? String)?.hasSuffix(" (and 3 more rejected)") == true)
    // What cannot be taken apart takes nothing with it.
    for (body, reason) in [
      ("[\(paid("z", 1, minute: 3)),", "not JSON: "), ("", "the body is empty"),
    ] {
      let reply = try client.post("/events", body)
      #expect(reply.status == 400 && reply.body.contains(reason), "\(reply)")
    }
    #expect(try client.post("/events", paid("z", 1, minute: 3)).body.contains("\"accepted\":1"))
    let smuggled = try client.post(
      "/events", #"{"card":"a","amount":1},"id":"x""#, fields: ["ce-specversion: 1.0"])
    #expect(smuggled.status == 400 && smuggled.body.contains("not JSON"), "\(smuggled)")
    let large = try client.post("/events", String(repeating: " ", count: 200_000))
    #expect(large.status == 413)
    #expect(server.stop().status == 0)
    #expect(try folder.text("bad").split(separator: "\n").count == 4)
  }

  /// Killed after each few answers; nothing that was answered is missing, nothing counts twice.
  @Test func whatWasAnsweredOutlivesAKill() throws {
    let folder = try smallProject()
    var sent = 0
    for round in 1...4 {
      try? FileManager.default.removeItem(atPath: folder.path("ready"))
      let server = try ServedProcess(
        ["--events", "--log=log", "--fsync", round % 2 == 0 ? "always" : "never"],
        folder: folder)
      let client = try WireClient(server.address)
      #expect(try features(client).hasPrefix(":\(sent),"), "round \(round)")
      for _ in 0..<10 {
        sent += 1
        let reply = try client.post("/events", paid("e\(sent)", Double(sent), minute: 10))
        #expect(reply.body.contains("\"offset\":\(sent - 1)"))
      }
      // What a client that had no answer would do.
      #expect(
        try client.post("/events", paid("e\(sent)", Double(sent), minute: 10)).body
          == #"{"accepted":0,"repeats":1}"#)
      server.child.send(SIGKILL)
      _ = server.child.wait()
    }
    let logged = try Child.bash(
      "rtinfer ingest --replay --log=log | wc -l; rtinfer ingest log verify --log=log > /dev/null; echo $?",
      in: folder.url, home: folder.url)
    #expect(logged.output.split(whereSeparator: \.isWhitespace) == ["40", "0"], "\(logged)")
  }

  @Test func privateMembersAreHiddenBeforeTheLog() throws {
    let folder = try smallProject()
    let server = try ServedProcess(["--events", "--log=log"], folder: folder)
    let client = try WireClient(server.address)
    let event = paid("a", 1, minute: 1).replacingOccurrences(of: "}", with: #","iban":"secret"}"#)
    #expect(try client.post("/events", event).status == 200)
    #expect(server.stop().status == 0)
    let logged = try Child.bash(
      "rtinfer ingest --replay --log=log", in: folder.url, home: folder.url)
    #expect(logged.output.contains(#""card":"a""#) && !logged.output.contains("secret"))
  }

  /// Events that come together from many clients: each is taken once, and each client is told of its own.
  @Test func manyClientsAtOnce() throws {
    let folder = try smallProject()
    let server = try ServedProcess(
      ["--events", "--log=log", "--fsync", "always", "--threads", "2"], folder: folder)
    let clients = try (0..<20).map { _ in try WireClient(server.address) }
    for round in 0..<5 {
      for (index, client) in clients.enumerated() {
        let body = paid("r\(round)c\(index)", Double(index), minute: 10, card: "c\(index)")
        try client.send(
          "POST /events HTTP/1.1\r\nHost: a\r\nContent-Length: \(body.utf8.count)\r\n\r\n\(body)")
      }
      for client in clients {
        let reply = try client.receive()
        #expect(reply.body.hasPrefix(#"{"accepted":1,"repeats":0,"offset":"#))
      }
      for (index, client) in clients.enumerated() {
        #expect(
          try features(client, card: "c\(index)") == #":\#(round + 1),"card:last":\#(index).0"#)
      }
    }
    #expect(server.stop().status == 0)
  }

  @Test func withoutTheFlagEventsAreRefused() throws {
    let server = try ServedProcess(["--model", "m=\(ServedProcess.model("binary-logistic"))"])
    let client = try WireClient(server.address)
    let reply = try client.post("/events", "{}")
    #expect(reply.status == 409 && reply.body.contains("--events"))
    #expect(try client.get("/events").status == 405)
    // What the model would see is told all the same.
    let shown = try client.post("/features/m", #"{"id":1,"f0":1.5}"#)
    #expect(
      shown.body.contains(#""id":1,"inputs":{"f0":1.5,"f1":null,"f2":null,"f3":null},"missing":3}"#)
    )
    #expect(try client.post("/features/n", "{}").status == 404)
    #expect(server.stop().status == 0)
  }
}
