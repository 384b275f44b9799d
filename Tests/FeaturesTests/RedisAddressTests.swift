// Addresses as people write them, slots as a cluster counts them, and the small things that decide when to try again and
// what to fall back on.

import Core
import Testing

@testable import Features

@Suite struct RedisAddressTests {
  private func address(_ text: String) throws(Failure) -> RedisAddress {
    try RedisAddress(text, origin: "--online")
  }

  private func message(_ text: String) -> String? {
    do throws(Failure) {
      _ = try address(text)
      return nil
    } catch {
      return error.message
    }
  }

  @Test func allFormsAreUnderstood() throws {
    let plain = try address("redis://example")
    #expect(plain.nodes == [.host("example", port: 6379)])
    #expect(plain.prefix == "rtinfer" && plain.database == 0 && plain.password == nil)
    let full = try address("redis://me:p%40ss%3Aword@10.0.0.1:7000/3?prefix=shop")
    #expect(full.nodes == [.host("10.0.0.1", port: 7000)])
    #expect(full.user == "me" && full.password == "p@ss:word")
    #expect(full.database == 3 && full.prefix == "shop")
    #expect(full.description == "redis://10.0.0.1:7000/3")
    let old = try address("redis://:secret@h")
    #expect(old.user == nil && old.password == "secret")
    let six = try address("redis://[::1]:7000")
    #expect(six.nodes == [.host("::1", port: 7000)] && six.description == "redis://[::1]:7000")
    let unix = try address("unix:///run/redis.sock?db=2")
    #expect(unix.nodes == [.unix(path: "/run/redis.sock")] && unix.database == 2)
    let cluster = try address("redis://a,b:7001,c?cluster&prefix=x")
    #expect(cluster.isCluster && cluster.nodes.count == 3)
    #expect(cluster.nodes[1] == .host("b", port: 7001))
  }

  @Test(
    arguments: [
      ("redis://", "names no host"), ("redis://h:x", "'x' is not a port"),
      ("redis://h:0", "'0' is not a port"), ("redis://me@h", "no user:password"),
      ("redis://:p%zz@h", "no user:password"), ("redis://h/x", "'x' is no number of a database"),
      ("redis://a,b", "and no cluster"), ("redis://a/1?cluster", "the database 0 only"),
      ("redis://h?clutser", "'clutser' is no option"), ("unix://run", "no path from the root"),
      ("unix:///x?cluster", "reached by hosts"), ("rediss://h", "TLS is not spoken"),
      ("redis://h?prefix={a}", "a prefix has"),
    ])
  func whatIsAmissIsNamed(_ text: String, _ words: String) {
    #expect(message(text)?.contains(words) == true, "\(message(text) ?? "nothing")")
  }

  @Test func noMessageShowsAPassword() throws {
    for text in [
      "redis://u:hunter2@h:x", "redis://u:hunter2@h/x", "redis://u:hunter2@a,b",
      "redis://u:hunter2?@h", "redis://u:?hunter2@h", "redis://u:hunter2?hunter2@h/1",
      "redis://h?prefix=hunter2@", "unix://u:hunter2?x@/run/redis.sock",
    ] {
      #expect(message(text)?.contains("hunter2") == false, "\(message(text) ?? "nothing")")
    }
    #expect(try !address("redis://u:hunter2@h").description.contains("hunter2"))
  }

  // MARK: Slots

  /// From the cluster's specification, and from `CLUSTER KEYSLOT`.
  @Test func slotsAreTheClusters() {
    #expect(HashSlot.checksum(Array("123456789".utf8)[...]) == 0x31C3)
    let slots: [(String, Int)] = [
      ("foo", 12_182), ("{user1000}.following", 3_443), ("{user1000}.followers", 3_443),
      ("foo{}{bar}", 8_363), ("foo{{bar}}zap", 4_015), ("foo{bar}{zap}", 5_061), ("", 0),
    ]
    for (key, slot) in slots { #expect(HashSlot.of(Array(key.utf8)) == slot, "\(key)") }
  }

  @Test func errorsThatSendElsewhereAreUnderstood() {
    let asked = RedisNode.host("10.0.0.1", port: 6379)
    func read(_ words: String) -> Redirection? { Redirection(words, saidBy: asked) }
    #expect(
      read("MOVED 3999 10.0.0.2:6380") == .moved(slot: 3999, to: .host("10.0.0.2", port: 6380)))
    #expect(read("MOVED 3999 :6380") == .moved(slot: 3999, to: .host("10.0.0.1", port: 6380)))
    #expect(read("ASK 1 2001:db8::1:6380") == .ask(.host("2001:db8::1", port: 6380)))
    #expect(read("TRYAGAIN Multiple keys") == .later(isMapSuspect: false))
    #expect(read("CLUSTERDOWN Hash slot not served") == .later(isMapSuspect: true))
    #expect(read("LOADING Redis is loading") == .later(isMapSuspect: true))
    #expect(read("NOSCRIPT No matching script") == .noScript)
    for words in ["ERR no", "MOVED 16384 a:1", "MOVED x a:1", "MOVED 1", "ASK 1 nowhere", ""] {
      #expect(read(words) == nil, "\(words)")
    }
  }

  @Test func aMapSaysWhoHasASlot() throws {
    let asked = RedisNode.host("10.0.0.1", port: 6379)
    func range(_ first: Int64, _ last: Int64, _ host: String, _ port: Int64) -> RESPValue {
      .list([
        .integer(first), .integer(last), .list([.bytes(Array(host.utf8)), .integer(port)]),
      ])
    }
    var map = try #require(
      SlotMap(.list([range(0, 99, "a", 1), range(200, 16_383, "", 2)]), saidBy: asked))
    #expect(map[0] == .host("a", port: 1) && map[99] == .host("a", port: 1))
    #expect(map[100] == nil && map[16_383] == .host("10.0.0.1", port: 2))
    map.set(99, .host("b", port: 3))
    #expect(map[99] == .host("b", port: 3) && map[98] == .host("a", port: 1))
    for reply in [
      .null, .list([]), .list([range(0, 16_384, "a", 1)]), .list([range(5, 4, "a", 1)]),
      .list([range(0, 1, "a", 99_999)]), .list([.integer(1)]),
    ] as [RESPValue] {
      #expect(SlotMap(reply, saidBy: asked) == nil)
    }
  }

  // MARK: Again, and else

  @Test func waitsGrowToABoundAndDiffer() {
    var random = SplitMix64(seed: 1)
    var backoff = Backoff(first: TimeSpan(microseconds: 10_000), most: .seconds(2))
    var most: UInt64 = 10_000_000
    for _ in 0..<40 {
      let wait = backoff.next(&random)
      #expect(wait <= most && wait >= most / 2)
      most = min(2 * most, 2_000_000_000)
    }
    backoff.reset()
    #expect(backoff.next(&random) <= 10_000_000)
    var other = backoff
    var elsewhere = SplitMix64(seed: 2)
    #expect(other.next(&elsewhere) != backoff.next(&random))
  }

  @Test func theLastKnownRowsFitTheirBound() {
    var known = LastKnownRows(bytesMax: 100_000)
    func key(_ number: Int) -> LastKnownRows.Key {
      LastKnownRows.Key(view: number % 3, entity: Array("entity \(number)".utf8))
    }
    for number in 0..<10_000 {
      known.note(key(number), LastKnownRows.Row(value: [UInt8](repeating: 1, count: 100), time: 7))
      known.note(key(0), LastKnownRows.Row(value: nil, time: UInt64(number)))
      #expect(known.count <= 100_000 / 200)
    }
    #expect(known[key(0)]?.time == 9_999 && known[key(0)]?.value == nil)
    #expect(known[key(9_999)]?.value?.count == 100)
    #expect(known[key(1)] == nil)
  }

  // MARK: Layout

  @Test func headsAndRowsComeBackAsTheyWere() throws {
    let head = RedisLayout.Head(
      epoch: 3, offset: 77, watermark: Timestamp(microseconds: -5), timeToLive: .hours(2),
      generation: 2, digest: Array(0..<32))
    #expect(RedisLayout.Head(head.bytes) == head && head.bytes.count == 80)
    let endless = RedisLayout.Head(
      epoch: 3, offset: -1, watermark: .distantPast, timeToLive: nil, generation: 2,
      digest: Array(0..<32))
    #expect(RedisLayout.Head(endless.bytes) == endless)
    #expect(RedisLayout.Head(Array(head.bytes.dropLast())) == nil)
    #expect(RedisLayout.Head([0] + head.bytes.dropFirst()) == nil)
    let row = Array("a row".utf8)
    var value = row.withBytes { RedisLayout.row(epoch: 1, order: 258, $0) }
    #expect(Array(value[..<16]) == [0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 1, 2])
    #expect(value.withBytes { RedisLayout.state($0)?.copy() } == row)
    value[22] ^= 1
    #expect(value.withBytes { RedisLayout.state($0) == nil })
    #expect([UInt8](repeating: 0, count: 19).withBytes { RedisLayout.state($0) == nil })
  }

  @Test func keysOfAWriteLieInOneSlot() {
    let layout = RedisLayout(prefix: "rtinfer")
    for number in 0..<2_000 {
      Array("an entity {\(number)}".utf8).withBytes { entity in
        let bucket = RedisLayout.bucket(entity)
        let row = layout.rowKey("taps", 3, entity)
        #expect(HashSlot.of(row) == HashSlot.of(layout.fenceKey(bucket)))
        #expect(HashSlot.of(row) == HashSlot.of(layout.indexKey(bucket, "taps", 3)))
      }
    }
  }
}
