// What becomes of the store in Redis when the server forgets, when writers follow each other meanwhile, and when one is
// stopped before it is done.

import Core
import Foundation
import TestSupport
import Testing

extension RedisTests {
  /// The first so many events, and the rest.
  private func halves(_ count: Int) throws -> (String, String) {
    let lines = try folder.text("events.ndjson").split(separator: "\n")
    return (
      lines[..<count].joined(separator: "\n") + "\n", lines[count...].joined(separator: "\n") + "\n"
    )
  }

  private func backfill(_ words: String...) throws -> Child {
    try Child(
      [Binary.rtinfer, "materialize", "backfill", "--online", redis.address] + words,
      in: folder.url, environment: Binary.environment(home: folder.url), seconds: 110)
  }

  private func waitForRows() throws {
    let deadline = Date(timeIntervalSinceNow: 60)
    while Date() < deadline, try generations().isEmpty { usleep(20_000) }
  }

  // MARK: A server that forgets

  @Test func theNumberOfWritersOutlivesTheServersMemory() throws {
    for _ in 0..<3 { #expect(try materialize(redis.address).status == 0) }
    let number = try redis.ask("GET", "rtinfer:{writer}:epoch")
    let (first, rest) = try halves(3_000)
    let child = try writer(redis.address)
    try child.write(first)
    #expect(child.waitForLines(1_500))
    let serving = try generations()
    try redis.ask("FLUSHALL")
    try child.write(rest)
    try child.closeInput()
    #expect(child.wait().status == 0)
    #expect(try #require(Int(redis.ask("GET", "rtinfer:{writer}:epoch"))) > Int(number)!)
    #expect(try generations() == serving)
    // The next one has another number, or it would remove what serves.
    let next = try backfill("events.ndjson")
    let ended = next.wait()
    #expect(ended.status == 0, "\(ended.errors)")
    let made = try #require(generations().subtracting(serving).first)
    let left = try lives("rtinfer:{*}:taps:\(made):*")
    #expect(left.count == 25 && left.least > 86_000_000, "\(left)")
    #expect(try materialize("online").status == 0)
    #expect(try rows(redis.address) == rows("online"))
  }

  @Test func theNumberIsAboveAllThatAServerHasKept() throws {
    for _ in 0..<2 { #expect(try materialize(redis.address).status == 0) }
    // As by a writer whose clock was ahead, and then one server of a cluster came back empty.
    try redis.ask(
      "EVAL",
      "redis.call('SET', 'rtinfer:{7}:fence', string.char(0, 15) .. string.rep('x', 6))", "0")
    try redis.ask("DEL", "rtinfer:{writer}:epoch")
    let next = try materialize(redis.address)
    #expect(next.status == 0, "\(next.errors)")
  }

  @Test func theLaterOfTwoWritersGoesOnWhereTheServerKnowsNeither() throws {
    let (first, rest) = try halves(3_000)
    for hasLater in [true, false] {
      try redis.ask("FLUSHALL")
      let old = try writer(redis.address)
      try old.write(first)
      #expect(old.waitForLines(1_500))
      try redis.ask("FLUSHALL")
      #expect(try materialize(redis.address).status == 0)
      let before = try fingerprint()
      // It may have noticed already, and be gone.
      if hasLater { try? old.write(rest) }
      try old.closeInput()
      let ended = old.wait()
      #expect(ended.status == 75, "\(ended)")
      #expect(try fingerprint() == before)
    }
  }

  @Test func whatIsLostAfterTheLastEventIsWrittenAgain() throws {
    #expect(try materialize("online").status == 0)
    for isRestarted in [false, true] {
      try redis.ask("FLUSHALL")
      let child = try writer(redis.address)
      try child.write(folder.text("events.ndjson"))
      #expect(child.waitForLines(2_000))
      // The last rows are on their way once the lines are out.
      usleep(300_000)
      if isRestarted {
        redis.stop()
        try redis.start()
      } else {
        try redis.ask("FLUSHALL")
      }
      try child.closeInput()
      let ended = child.wait()
      #expect(ended.status == 0, "\(ended.errors)")
      #expect(try rows(redis.address) == rows("online"))
    }
  }

  // MARK: Ends and breaks

  /// A row is cut short while it is written often, and whole at the end, for late events of the next run.
  @Test func lateEventsOfTheNextRunFindAllThatTheyNeed() throws {
    try folder.write(
      """
      {
        events: {
          tap: { id: "id", time: "time", lateness: "1h", fields: { user: "string" } },
          asked: { id: "id", time: "time", fields: { user: "string" } },
        },
        features: {
          taps: {
            entity: ["user"], from: "tap",
            features: { n: { count: "*", window: "30m", every: "5m" } },
          },
        },
      }
      """, "rtinfer.json")
    let start = Timestamp("2024-05-01T10:00:00Z")
    func events(_ numbers: some Sequence<Int>, every span: TimeSpan, from time: Timestamp) -> String
    {
      numbers.map { number in
        let time = Timestamp(
          microseconds: time.microseconds + Int64(number) * span.microseconds)
        return
          "{\"type\":\"tap\",\"id\":\"\(span.microseconds)-\(number)\",\"time\":\"\(time.rfc3339)\",\"user\":\"a\"}\n"
      }.joined()
    }
    // Hours of them, and late ones from before the latest rows.
    try folder.write(events(0..<1_200, every: .seconds(5), from: start), "first")
    try folder.write(
      events(0..<40, every: .seconds(30), from: start + .minutes(60)), "second")
    #expect(
      try bash(
        "rtinfer ingest first second > both; head -n 1200 both > one; tail -n +1201 both > two"
      ).status == 0)
    for store in [redis.address, "online"] {
      for part in ["one", "two"] {
        let outcome = try bash("rtinfer materialize --online \(store) \(part) > /dev/null")
        #expect(outcome.status == 0, "\(outcome.errors)")
      }
    }
    func feature(_ store: String, _ minute: Int64) throws -> Substring {
      let at = (start + .minutes(minute)).rfc3339
      let outcome = try bash("rtinfer materialize get taps a --online \(store) --at \(at)")
      #expect(outcome.status == 0, "\(outcome.errors)")
      let found = try #require(outcome.output.firstRange(of: "\"features\":{"))
      return outcome.output[found.upperBound...].prefix { $0 != "}" }
    }
    for minute in stride(from: Int64(65), through: 101, by: 4) {
      #expect(try feature(redis.address, minute) == feature("online", minute), "minute \(minute)")
    }
  }

  @Test func anInterruptedFirstBackfillLeavesNothingThatServes() throws {
    let child = try backfill("-")
    for events in try repeated(3) { try child.write(events) }
    try waitForRows()
    let early = try bash("rtinfer score --online \(redis.address) raw.ndjson")
    #expect(early.status == 4 && early.errors.contains("holds no view 'taps'"), "\(early.errors)")
    child.send(SIGTERM)
    let ended = child.wait()
    #expect(ended.errors.contains("the online store is left as it was"), "\(ended.errors)")
    #expect(try redis.ask("EXISTS", "rtinfer:{taps}:view", "rtinfer:{taps}:unfinished") == "0")
    usleep(50_000)
    #expect(try generations().isEmpty)
    try folder.write("", "empty")
    let empty = try backfill("empty").wait()
    #expect(empty.status == 3 && empty.errors.contains("left as it was"), "\(empty.errors)")
    #expect(try redis.ask("EXISTS", "rtinfer:{taps}:view") == "0")
  }

  @Test func aReplacedGenerationGoesThoughItsWriterWasStoppedThen() throws {
    #expect(try materialize(redis.address).status == 0)
    let replaced = try #require(generations().first)
    let child = try backfill("-")
    try child.write(folder.text("events.ndjson"))
    let deadline = Date(timeIntervalSinceNow: 60)
    while Date() < deadline, try redis.ask("SCARD", "rtinfer:{taps}:unfinished") != "2" {
      usleep(20_000)
    }
    let noted = try redis.ask("SMEMBERS", "rtinfer:{taps}:unfinished").split(separator: "\n")
    #expect(noted.count == 2 && noted.contains(replaced), "\(noted)")
    try child.closeInput()
    #expect(child.wait().status == 0)
    // As if it had been stopped just when the new one served.
    for key in try redis.ask("KEYS", "rtinfer:{*}:taps:\(replaced)*").split(separator: "\n") {
      try redis.ask("PERSIST", String(key))
    }
    try redis.ask("SADD", "rtinfer:{taps}:unfinished", String(noted[0]), String(noted[1]))
    #expect(try materialize(redis.address).status == 0)
    usleep(50_000)
    #expect(try generations().count == 1)
    #expect(try redis.ask("KEYS", "rtinfer:{*}:taps:\(replaced)*").isEmpty)
  }

  @Test func entitiesThatAreForgottenLeaveTheirLists() throws {
    // Of a day, every hour another user; a window of two minutes, and five of lateness.
    let start = Timestamp("2024-05-01T00:00:00Z")
    let taps = (0..<24).map { hour in
      let time = (start + .hours(Int64(hour))).rfc3339
      return
        "{\"type\":\"tap\",\"id\":\"t\(hour)\",\"time\":\"\(time)\",\"user\":\"h\(hour)\",\"f0\":1}\n"
    }
    try folder.write(taps.joined(), "taps")
    #expect(try bash("rtinfer ingest taps > day").status == 0)
    let child = try writer(redis.address)
    for line in try folder.text("day").split(separator: "\n") {
      try child.write(line + "\n")
      usleep(20_000)
    }
    try child.closeInput()
    #expect(child.wait().status == 0)
    let listed = try #require(try redis.listedCount("rtinfer:{*}:taps:*"))
    #expect(listed < 6)
  }
}
