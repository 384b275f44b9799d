// A client and servers that leave it waiting: names that nobody answers for, connections that have died without a word,
// and answers without end.

import Core
import Foundation
import Synchronization
import Testing

@testable import Features

#if canImport(Glibc)
  import Glibc
#endif

@Suite struct RedisClientTests {
  /// A port of this machine at which connections come to be, and nothing is said.
  private final class Listener {
    let descriptor: Int32
    let port: UInt16

    init() throws {
      descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
      var name = sockaddr_in()
      name.sin_family = sa_family_t(AF_INET)
      inet_pton(AF_INET, "127.0.0.1", &name.sin_addr)
      var count = socklen_t(MemoryLayout<sockaddr_in>.size)
      let descriptor = descriptor
      let isBound = withUnsafeMutableBytes(of: &name) { bytes in
        let address = bytes.assumingMemoryBound(to: sockaddr.self).baseAddress!
        return bind(descriptor, address, count) == 0 && listen(descriptor, 16) == 0
          && getsockname(descriptor, address, &count) == 0
      }
      try #require(isBound)
      port = UInt16(bigEndian: name.sin_port)
    }

    deinit { close(descriptor) }
  }

  private func client(_ host: String, _ numbers: HostNumbers = HostNumbers()) throws -> RedisClient
  {
    RedisClient(
      try RedisAddress("redis://\(host)", origin: "--online"), numbers: numbers,
      clock: SystemClock())
  }

  private func seconds(_ body: () -> Void) -> Double {
    let start = Date()
    body()
    return Date().timeIntervalSince(start)
  }

  @Test func aNameIsLookedUpBesideAndOnce() throws {
    let listener = try Listener()
    let asked = Mutex(0)
    let numbers = HostNumbers { host in
      asked.withLock { $0 += 1 }
      sleep(1)
      return host == "store" ? "127.0.0.1" : nil
    }
    let client = try client("store:\(listener.port)", numbers)
    client.waitsForNames = false
    let taken = seconds {
      for _ in 0..<20 {
        let result = client.execute(
          [RedisCommand("PING")], within: TimeSpan(microseconds: 5_000), .untilDeadline)
        #expect(result.answers == [nil])
      }
    }
    #expect(taken < 0.9, "\(taken)")
    #expect(numbers.number(of: "store", waits: true) == "127.0.0.1")
    let before = asked.withLock { $0 }
    #expect(numbers.number(of: "store", waits: false) == "127.0.0.1")
    #expect(asked.withLock { $0 } == before && before == 2)
  }

  @Test func aNameBehindWhichNobodyAnswersIsLookedUpAgain() throws {
    let listener = try Listener()
    let asked = Mutex(0)
    // Of the two numbers the first is of nobody.
    let numbers = HostNumbers { _ in
      asked.withLock { count in
        count += 1
        return count == 1 ? "127.0.0.2" : "127.0.0.1"
      }
    }
    #expect(numbers.number(of: "store", waits: true) == "127.0.0.2")
    let client = try client("store:\(listener.port)", numbers)
    client.waitsForNames = false
    let deadline = Date(timeIntervalSinceNow: 20)
    while Date() < deadline, numbers.number(of: "store", waits: false) == "127.0.0.2" {
      _ = client.execute(
        [RedisCommand("PING")], within: TimeSpan(microseconds: 50_000), .untilDeadline)
    }
    #expect(numbers.number(of: "store", waits: false) == "127.0.0.1")
  }

  /// As after the other machine has lost its power: nothing is refused and nothing is closed.
  @Test func aConnectionWithoutAnAnswerIsGivenUpWhileItIsWaitedFor() throws {
    let listener = try Listener()
    let client = try client("127.0.0.1:\(listener.port)")
    var result: RedisClient.Result?
    let taken = seconds {
      result = client.execute([RedisCommand("PING")], within: .seconds(60), .none)
    }
    #expect(result?.trouble?.reason == "has not answered for 5 s")
    #expect(taken > 4 && taken < 30, "\(taken)")
  }

  @Test func answersWithoutEndHoldNobodyBeyondTheDeadline() throws {
    let listener = try Listener()
    let descriptor = listener.descriptor
    let flood = Thread {
      let connection = accept(descriptor, nil, nil)
      let push = Array(String(repeating: ">1\r\n+x\r\n", count: 100_000).utf8)
      while send(connection, push, push.count, Int32(MSG_NOSIGNAL)) > 0 {}
      close(connection)
    }
    flood.start()
    let client = try client("127.0.0.1:\(listener.port)")
    let taken = seconds {
      _ = client.execute(
        [RedisCommand("PING")], within: TimeSpan(microseconds: 100_000), .untilDeadline)
    }
    #expect(taken < 5, "\(taken)")
  }
}
