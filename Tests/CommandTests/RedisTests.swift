// The online store in Redis as commands use it: the same answers as from a folder, whoever writes and whatever becomes of
// the server meanwhile.

import Core
import Foundation
import TestSupport
import Testing

@Suite(.serialized, .enabled(if: RedisProcess.isInstalled, "\(RedisProcess.missing)"))
struct RedisTests {
  let folder: TemporaryFolder
  let redis: RedisProcess

  init() throws {
    folder = try GeneratedStream.folder()
    redis = try RedisProcess(in: folder)
    try folder.write(GeneratedStream.text(4_000, GeneratedStream.event), "raw.ndjson")
    let outcome = try bash("rtinfer ingest raw.ndjson > events.ndjson")
    try #require(outcome.status == 0, "\(outcome.errors)")
  }

  func bash(_ line: String, seconds: Double = 110) throws -> Child.Outcome {
    try Child.bash(line, in: folder.url, home: folder.url, seconds: seconds)
  }

  func materialize(_ store: String, _ words: String = "events.ndjson") throws
    -> Child.Outcome
  {
    try bash("rtinfer materialize --online '\(store)' \(words) > rows.ndjson")
  }

  /// A writer whose input stays open.
  func writer(_ store: String) throws -> Child {
    try Child(
      [Binary.rtinfer, "materialize", "--online", store], in: folder.url,
      environment: Binary.environment(home: folder.url), seconds: 110)
  }

  /// What the store says of every user at the end of the stream.
  func rows(_ store: String) throws -> String {
    let questions = (0..<50).map { number in
      #"{"type":"asked","id":"q\#(number)","time":"2024-05-01T10:16:41Z","user":"u\#(number)","f0":2.5}"#
    }
    try folder.write(questions.joined(separator: "\n") + "\n", "questions.ndjson")
    let outcome = try bash(
      "rtinfer score --online '\(store)' questions.ndjson | sed 's/,\"_rt\".*//'")
    #expect(outcome.errors.isEmpty, "\(outcome.errors)")
    return outcome.output
  }

  /// The same events so many times, numbered on as those of one run of ingest are.
  func repeated(_ times: Int) throws -> [String] {
    let events = try folder.text("events.ndjson").split(separator: "\n")
    return (0..<times).map { copy in
      events.enumerated().map { number, line in
        line.replacingOccurrences(
          of: "\"offset\":\(number),", with: "\"offset\":\(number + copy * events.count),") + "\n"
      }.joined()
    }
  }

  /// One text that differs where any row does.
  func fingerprint() throws -> String {
    try redis.ask(
      "EVAL",
      """
      local keys = redis.call('KEYS', '*:taps:*:*')
      table.sort(keys)
      local sum = tostring(#keys)
      for _, key in ipairs(keys) do sum = redis.sha1hex(sum .. key .. redis.call('GET', key)) end
      return sum
      """, "0")
  }

  /// Keys that fit a pattern, and milliseconds that they have to live; -1 is for ever.
  func lives(_ pattern: String) throws -> (count: Int, least: Int, most: Int) {
    let text = try redis.ask(
      "EVAL",
      """
      local keys = redis.call('KEYS', ARGV[1])
      local least, most = 1e15, -2
      for _, key in ipairs(keys) do
        local life = redis.call('PTTL', key)
        least, most = math.min(least, life), math.max(most, life)
      end
      return string.format('%d %d %d', #keys, least, most)
      """, "0", pattern)
    let numbers = text.split(separator: " ").compactMap { Int($0) }
    try #require(numbers.count == 3, "\(text)")
    return (numbers[0], numbers[1], numbers[2])
  }

  /// All of which there are rows.
  func generations() throws -> Set<Substring> {
    let keys = try redis.ask("KEYS", "rtinfer:{*}:taps:*:*")
    return Set(keys.split(separator: "\n").map { $0.split(separator: ":")[3] })
  }

  // MARK: The same answers

  @Test func aWeekOfFlightsScoresAsFromTheFolderAndAsInTheStream() throws {
    let week = Fixtures.root.appending(path: "flights/week").path()
    let line = """
      set -o pipefail
      export RTINFER_PROJECT='\(Fixtures.root.appending(path: "flights/rtinfer.json").path())'
      rtinfer ingest \(week)/scheduled.ndjson \(week)/departed.ndjson \(week)/arrived.ndjson \
        --max-rejects 100% > week.ndjson
      tail -n 400 \(week)/scheduled.ndjson | sed -E 's/"time":"[^"]*"/"time":"2013-12-11T00:30:00Z"/; \
      s/"id":"/&again-/' > asked.ndjson
      rtinfer materialize --online online week.ndjson > /dev/null
      rtinfer materialize --online \(redis.address) week.ndjson > /dev/null
      judged='s/.*("score":[^,]*).*("inputs":[{][^}]*[}]).*/\\1 \\2/'
      rtinfer score --online online asked.ndjson | sed -E "$judged" > folder.out
      rtinfer score --online \(redis.address) asked.ndjson | tee redis.all | sed -E "$judged" > redis.out
      rtinfer ingest \(week)/scheduled.ndjson \(week)/departed.ndjson \(week)/arrived.ndjson asked.ndjson \
        --max-rejects 100% | rtinfer materialize | grep again- | rtinfer score \
        | sed -E "$judged" > stream.out
      """
    let outcome = try bash(line, seconds: 300)
    #expect(outcome.status == 0, "\(outcome.errors)")
    let scored = try folder.text("redis.out").split(separator: "\n")
    #expect(scored.count == 400 && scored.allSatisfy { $0.hasPrefix("\"score\":0.") })
    #expect(try folder.text("folder.out").split(separator: "\n") == scored)
    #expect(try folder.text("stream.out").split(separator: "\n") == scored)
    #expect(try !folder.text("redis.all").contains("\"unanswered\""))
  }

  @Test func getAndStatLookIntoAServer() throws {
    #expect(try materialize(redis.address).status == 0)
    #expect(try materialize("online").status == 0)
    let get = "rtinfer materialize get taps u0 --at 2024-05-01T10:16:41Z --online"
    func features(_ store: String) throws -> String {
      try bash("\(get) \(store) | sed 's/,\"bytes\".*//'").output
    }
    #expect(try features(redis.address).contains("\"taps:n\":"))
    #expect(try features(redis.address) == features("online"))
    #expect(try features("unix://\(redis.socket)") == features("online"))
    #expect(try bash("rtinfer materialize get taps u1 --online \(redis.address)").status == 1)
    let stat = try bash("rtinfer materialize stat --online \(redis.address)").output
    #expect(stat.contains(#""view":"taps","rows":25"#) && stat.contains(#""damaged":0"#), "\(stat)")
    #expect(stat.contains(#""features_offset":3999"#) && !stat.contains("file_bytes"))
  }

  @Test func rowsOfWindowsThatEndExpireAndOthersNever() throws {
    #expect(try materialize(redis.address).status == 0)
    let rows = try lives("rtinfer:{*}:taps:*:*")
    #expect(rows.count == 25)
    // Two minutes of the window, or five of lateness, and a day.
    #expect(rows.least > 86_000_000 && rows.most < 87_000_000, "\(rows)")
    #expect(try redis.ask("PTTL", "rtinfer:{taps}:view") == "-1")
  }

  @Test func passwordsUsersDatabasesAndPrefixesAreHeeded() throws {
    try redis.ask("ACL", "SETUSER", "ann", "on", ">p@ss", "~*", "+@all")
    let store = "redis://ann:p%40ss@127.0.0.1:\(redis.port)/3?prefix=shop"
    let done = try materialize(store)
    #expect(done.status == 0, "\(done.errors)")
    #expect(try redis.ask("DBSIZE") == "0")
    #expect(try Int(redis.ask("-n", "3", "DBSIZE"))! > 1_000)
    #expect(try redis.ask("-n", "3", "KEYS", "rtinfer:*").isEmpty)
    #expect(try materialize("online").status == 0)
    #expect(try rows(store) == rows("online"))
    try redis.ask("CONFIG", "SET", "requirepass", "secret")
    let refused = try materialize(redis.address)
    #expect(refused.status == 4 && refused.errors.contains("asks for a password"))
    let wrong = try materialize("redis://:no@127.0.0.1:\(redis.port)")
    #expect(wrong.status == 4 && wrong.errors.contains("WRONGPASS"), "\(wrong.errors)")
    #expect(!wrong.errors.contains("no@"))
  }

  // MARK: Writers

  @Test func whatComesAgainChangesNothingAndWhatComesLateIsNotLost() throws {
    #expect(try materialize(redis.address).status == 0)
    let before = try fingerprint()
    #expect(try materialize(redis.address).status == 0)
    #expect(try fingerprint() == before)
    // Later in the log, earlier in time.
    let late = GeneratedStream.event(0).replacingOccurrences(of: "e10000000", with: "late")
      .replacingOccurrences(of: "10:00:00Z", with: "10:16:00Z")
    try folder.write(late, "late.ndjson")
    let asked = try rows(redis.address)
    #expect(try materialize(redis.address, "late.ndjson").status == 0)
    #expect(try bash("cat events.ndjson late.ndjson > all.ndjson").status == 0)
    #expect(try materialize("online", "all.ndjson").status == 0)
    #expect(try rows(redis.address) != asked)
    #expect(try rows(redis.address) == rows("online"))
  }

  @Test func aDeposedWriterIsRefused() throws {
    let old = try writer(redis.address)
    try old.write(GeneratedStream.event(0) + GeneratedStream.event(1))
    #expect(old.waitForLines(1))
    #expect(try materialize(redis.address).status == 0)
    let before = try fingerprint()
    // Of an entity that the new one has written, and of one that nobody knows.
    let later = GeneratedStream.event(4_000)
    try old.write(later + later.replacingOccurrences(of: "u0", with: "new"))
    try old.closeInput()
    let ended = old.wait()
    #expect(ended.status == 75, "\(ended)")
    #expect(ended.errors.contains("another writer has taken this store over"))
    #expect(try fingerprint() == before)
  }

  /// Five kills; 200 with RTINFER_LONG=1.
  @Test func aKilledWriterLosesNothingAndCountsNothingTwice() throws {
    #expect(try materialize("whole").status == 0)
    let kills = ProcessInfo.processInfo.environment["RTINFER_LONG"] == nil ? 5 : 200
    var random = SplitMix64(seed: 5)
    let lines = try folder.text("events.ndjson").split(separator: "\n")
    for _ in 0..<kills {
      let child = try writer(redis.address)
      let end = lines.count - Int.random(in: 0..<400, using: &random)
      try child.write(lines[..<end].joined(separator: "\n") + "\n")
      usleep(UInt32.random(in: 1_000...300_000, using: &random))
      child.send(SIGKILL)
      _ = child.wait()
    }
    let last = try materialize(redis.address)
    #expect(last.status == 0, "\(last.errors)")
    #expect(try rows(redis.address) == rows("whole"))
  }

  @Test func theOldDefinitionServesUntilTheNewOneIsComplete() throws {
    #expect(try materialize(redis.address).status == 0)
    let replaced = try #require(generations().first)
    let changed = GeneratedStream.project.replacingOccurrences(
      of: #"n: { count: "*", window: "2m" }"#, with: #"n: { count: "*", window: "3m" }"#)
    try folder.write(changed, "changed.json")
    let get =
      "rtinfer materialize get taps u0 --online \(redis.address) --at 2024-05-01T10:16:41Z"
    let refused = try bash("\(get) --project changed.json")
    #expect(refused.status == 3 && refused.errors.contains("'taps' by another definition"))
    #expect(try materialize(redis.address, "--project changed.json events.ndjson").status == 3)
    let backfill = try Child(
      [
        Binary.rtinfer, "materialize", "backfill", "--online", redis.address, "--project",
        "changed.json", "-",
      ], in: folder.url, environment: Binary.environment(home: folder.url))
    try backfill.write(folder.text("events.ndjson"))
    let before = try bash(get)
    #expect(before.output.contains(#""taps:n":9"#) || before.output.contains(#""taps:n":10"#))
    try backfill.closeInput()
    let ended = backfill.wait()
    #expect(ended.status == 0, "\(ended.errors)")
    #expect(try bash("\(get) --project changed.json").output.contains(#""taps:n":1"#))
    #expect(try bash(get).status == 3)
    // What is left of the old one goes within the hour.
    let old = try lives("rtinfer:{*}:taps:\(replaced):*")
    #expect(old.count == 25 && old.least > 0 && old.most <= 3_600_000, "\(old)")
  }

  @Test func whatAnAbandonedBackfillHasLeftIsRemoved() throws {
    #expect(try materialize(redis.address).status == 0)
    let before = try fingerprint()
    let serving = try generations()
    let child = try Child(
      [Binary.rtinfer, "materialize", "backfill", "--online", redis.address, "-"],
      in: folder.url, environment: Binary.environment(home: folder.url))
    for events in try repeated(3) { try child.write(events) }
    let deadline = Date(timeIntervalSinceNow: 60)
    while Date() < deadline, try generations() == serving { usleep(20_000) }
    child.send(SIGKILL)
    _ = child.wait()
    let abandoned = try #require(generations().subtracting(serving).first)
    #expect(try fingerprint() != before)
    #expect(
      try bash("rtinfer materialize backfill --online \(redis.address) events.ndjson").status == 0)
    usleep(50_000)
    #expect(try !generations().contains(abandoned))
    #expect(try materialize("online").status == 0)
    #expect(try rows(redis.address) == rows("online"))
  }

  // MARK: Servers that come and go

  @Test func aServerThatComesBackEmptyIsGivenAllRowsAgain() throws {
    let lines = try folder.text("events.ndjson").split(separator: "\n")
    let child = try writer(redis.address)
    try child.write(lines[..<3_000].joined(separator: "\n") + "\n")
    #expect(child.waitForLines(1_500))
    redis.stop()
    // No more than a pipe holds: nobody reads while the writer waits.
    try child.write(lines[3_000..<3_100].joined(separator: "\n") + "\n")
    usleep(300_000)
    try redis.start()
    try child.write(lines[3_100...].joined(separator: "\n") + "\n")
    try child.closeInput()
    let ended = child.wait()
    #expect(ended.status == 0, "\(ended.errors)")
    #expect(try materialize("online").status == 0)
    #expect(try rows(redis.address) == rows("online"))
  }

  @Test func aFlushedServerIsGivenAllRowsAgain() throws {
    let lines = try folder.text("events.ndjson").split(separator: "\n")
    let child = try writer(redis.address)
    try child.write(lines[..<3_000].joined(separator: "\n") + "\n")
    #expect(child.waitForLines(1_500))
    try redis.ask("FLUSHALL")
    try child.write(lines[3_000...].joined(separator: "\n") + "\n")
    try child.closeInput()
    let ended = child.wait()
    #expect(ended.status == 0, "\(ended.errors)")
    #expect(try materialize("online").status == 0)
    #expect(try rows(redis.address) == rows("online"))
  }

  @Test func whoIsNotThereIsNamedAndTheStatusIs4() throws {
    let nobody = "redis://127.0.0.1:\(try RedisProcess.freePort())"
    for command in [
      "rtinfer materialize --online \(nobody) events.ndjson",
      "rtinfer materialize stat --online \(nobody)", "rtinfer score --online \(nobody) raw.ndjson",
      "rtinfer materialize get taps u0 --online unix:///nowhere/redis.sock",
    ] {
      let outcome = try bash(command)
      #expect(outcome.status == 4 && outcome.output.isEmpty, "\(command)")
      #expect(outcome.errors.split(separator: "\n").count == 1, "\(outcome.errors)")
      #expect(
        outcome.errors.contains("Connection refused") || outcome.errors.contains("No such file"),
        "\(outcome.errors)")
    }
    let empty = try bash("rtinfer score --online \(redis.address) raw.ndjson")
    #expect(empty.status == 4 && empty.errors.contains("holds no view 'taps'"), "\(empty.errors)")
    let usage = try bash("rtinfer score --online online --online-deadline 5ms raw.ndjson")
    #expect(usage.status == 2 && usage.errors.contains("--online-deadline"))
  }

  @Test func aServerThatIsLoadingIsNamed() throws {
    let slow = try RedisProcess(
      in: folder, ["--key-load-delay", "20000", "--loading-process-events-interval-bytes", "1024"])
    #expect(try materialize(slow.address).status == 0)
    try slow.ask("SAVE")
    slow.stop()
    try slow.start()
    let outcome = try bash("rtinfer score --online \(slow.address) raw.ndjson")
    #expect(outcome.status == 4 && outcome.errors.contains("still loading its data"), "\(outcome)")
  }

  @Test func aFullServerSaysSoAndNothingIsLost() throws {
    let memory = try redis.ask("INFO", "memory").split(whereSeparator: \.isNewline)
    let used = try #require(memory.first { $0.hasPrefix("used_memory:") })
    let bytes = try #require(Int(used.dropFirst(12)))
    try redis.ask("CONFIG", "SET", "maxmemory", String(bytes + 200_000))
    let full = try materialize(redis.address)
    #expect(full.status == 4 && full.errors.contains("the server is full"), "\(full.errors)")
    try redis.ask("CONFIG", "SET", "maxmemory", "0")
    #expect(try materialize(redis.address).status == 0)
    #expect(try materialize("online").status == 0)
    #expect(try rows(redis.address) == rows("online"))
  }

  // MARK: Deadlines

  @Test(.enabled(if: hasCurl)) func aSilentServerStopsNoDecision() throws {
    #expect(try materialize(redis.address).status == 0)
    let server = try ServedProcess(
      ["--online", redis.address, "--online-deadline", "100ms", "--threads", "1"], folder: folder)
    func ask(_ user: String) throws -> String {
      try server.curl(
        "'@/decide/m?detail' -d '{\"time\":\"2024-05-01T10:16:41Z\",\"user\":\"\(user)\",\"f0\":2.5}'"
      )
    }
    func inputs(_ reply: String) -> Substring? {
      reply.firstRange(of: "\"inputs\":{").map { reply[$0.upperBound...].prefix { $0 != "}" } }
    }
    let fresh = try ask("u0")
    #expect(fresh.contains("\"taps:n\":") && !fresh.contains("\"online\":{"), "\(fresh)")
    redis.pause()
    let began = Date()
    let stale = try ask("u0")
    let unknown = try ask("u2")
    #expect(Date().timeIntervalSince(began) < 5)
    redis.resume()
    #expect(stale.contains("\"online\":{\"stale\":1,\"stale_s\":"), "\(stale)")
    #expect(inputs(stale) == inputs(fresh))
    #expect(unknown.contains("\"online\":{\"unanswered\":1}"), "\(unknown)")
    #expect(unknown.contains("\"taps:n\":null"))
    // Answers that came too late are nobody's.
    let again = try ask("u2")
    #expect(!again.contains("\"online\":{") && again.contains("\"taps:n\":"), "\(again)")
    #expect(try inputs(ask("u0")) == inputs(fresh))
    // A server that has lost its memory says nothing of anybody.
    redis.stop()
    #expect(try ask("u0").contains("\"stale\":1"))
    try redis.start()
    #expect(try ask("u0").contains("\"stale\":1"))
    usleep(500_000)
    #expect(try ask("u0").contains("\"stale\":1"))
    #expect(try materialize(redis.address).status == 0)
    let back = try ask("u0")
    #expect(!back.contains("\"online\":{") && inputs(back) == inputs(fresh), "\(back)")
    let metrics = try server.curl("@/metrics")
    #expect(metrics.contains("rtinfer_online_views_total{model=\"m\",outcome=\"stale\"} 4"))
    #expect(metrics.contains("rtinfer_online_views_total{model=\"m\",outcome=\"unanswered\"} 1"))
    #expect(metrics.contains("rtinfer_online_lookups_total{model=\"m\"} 9"), "\(metrics)")
    #expect(server.stop().status == 0)
  }
}
