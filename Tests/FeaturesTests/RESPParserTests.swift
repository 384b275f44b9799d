// Replies of both versions of the protocol, cut at every byte; and bytes that are no replies.

import Core
import Testing

@testable import Features

private func read(_ pieces: [[UInt8]]) throws -> [RESPValue] {
  var parser = RESPParser()
  var values: [RESPValue] = []
  for piece in pieces {
    piece.withUnsafeBytes { parser.append($0) }
    while let value = try parser.next() { values.append(value) }
  }
  return values
}

private func refusal(_ text: String) -> String? {
  do {
    _ = try read([Array(text.utf8)])
    return nil
  } catch {
    return (error as? RESPRefusal)?.reason
  }
}

@Suite struct RESPParserTests {
  private static func bytes(_ text: String) -> RESPValue { .bytes(Array(text.utf8)) }

  private static let replies: [(text: String, values: [RESPValue])] = [
    ("+OK\r\n", [.text("OK")]),
    ("-MOVED 3999 127.0.0.1:6381\r\n", [.error("MOVED 3999 127.0.0.1:6381")]),
    (":-42\r\n:9223372036854775807\r\n", [.integer(-42), .integer(.max)]),
    ("$5\r\nhe\r\no\r\n$0\r\n\r\n$-1\r\n", [bytes("he\r\no"), bytes(""), .null]),
    ("*2\r\n$1\r\na\r\n*1\r\n:1\r\n", [.list([bytes("a"), .list([.integer(1)])])]),
    ("*0\r\n*-1\r\n", [.list([]), .null]),
    (
      "_\r\n#t\r\n#f\r\n,1.5\r\n,inf\r\n",
      [
        .null, .boolean(true), .boolean(false), .double(1.5), .double(.infinity),
      ]
    ),
    ("(12345678901234567890\r\n", [.text("12345678901234567890")]),
    ("=8\r\ntxt:word\r\n!5\r\nERR x\r\n", [bytes("word"), .error("ERR x")]),
    (
      "%1\r\n+a\r\n:1\r\n~2\r\n:1\r\n:2\r\n",
      [
        .list([.text("a"), .integer(1)]), .list([.integer(1), .integer(2)]),
      ]
    ),
    // What was not asked for comes between, and is left out.
    (">2\r\n+message\r\n*1\r\n:1\r\n:7\r\n", [.integer(7)]),
    (
      "|1\r\n+ttl\r\n:3600\r\n*2\r\n:1\r\n|1\r\n+a\r\n+b\r\n:2\r\n",
      [
        .list([.integer(1), .integer(2)])
      ]
    ),
  ]

  @Test func repliesAreReadHoweverTheyAreCut() throws {
    for (text, values) in RESPParserTests.replies {
      let bytes = Array(text.utf8)
      #expect(try read([bytes]) == values, "\(text)")
      for cut in 0...bytes.count {
        #expect(try read([Array(bytes[..<cut]), Array(bytes[cut...])]) == values, "\(text) \(cut)")
      }
      #expect(try read(bytes.map { [$0] }) == values, "\(text)")
    }
    let all = RESPParserTests.replies
    let together = try read([all.flatMap { Array($0.text.utf8) }])
    #expect(together == all.flatMap(\.values))
  }

  @Test func aBeginningIsNoReply() throws {
    for (text, values) in RESPParserTests.replies where values.count == 1 {
      #expect(try read([Array(text.utf8.dropLast())]).isEmpty, "\(text)")
    }
  }

  @Test func hostileLengthsAreRefusedBeforeAnythingIsKept() {
    #expect(refusal("$9999999999999\r\n") == "a length of 9999999999999 bytes")
    #expect(refusal("$-2\r\n") == "a length of -2 bytes")
    #expect(refusal("$99999999999999999999999\r\n")?.contains("is no integer") == true)
    #expect(refusal("*1048577\r\n") == "a list of 1048577 entries")
    #expect(refusal("%-1\r\n") == "a list of -1 entries")
    #expect(
      refusal(String(repeating: "*1\r\n", count: 9)) == "lists in lists beyond 8")
    #expect(
      refusal(":" + String(repeating: "1", count: 70_000))?.contains("a line of more than") == true)
    // Many parts, each within bounds.
    let part = "$16777216\r\n" + String(repeating: "x", count: 16 << 20) + "\r\n"
    #expect(
      refusal("*5\r\n" + String(repeating: part, count: 4))?.contains("a reply of more than")
        == true)
  }

  @Test func whatIsNoReplyIsRefused() {
    for text in ["HTTP/1.1 400\r\n", "\r\n", ":1\n", ":x\r\n", "$2\r\nabcd", "*1\r\n>1\r\n:1\r\n"] {
      #expect(refusal(text) != nil, "\(text)")
    }
  }

  @Test func anyBytesEndInRepliesOrARefusal() {
    var random = SplitMix64(seed: 3)
    let alphabet = Array("+-:$*_#,(=!%~>|0123456789\r\n\r\n\r\nab".utf8)
    for _ in 0..<20_000 {
      let bytes = (0..<Int.random(in: 1...60, using: &random)).map { _ in
        alphabet.randomElement(using: &random)!
      }
      let whole = try? read([bytes])
      let cut = Int.random(in: 0...bytes.count, using: &random)
      #expect((try? read([Array(bytes[..<cut]), Array(bytes[cut...])])) == whole)
    }
  }

  @Test func commandsAreListsOfTheirWords() {
    let get = RedisCommand("GET", key: Array("k".utf8))
    #expect(String(decoding: get.wire, as: UTF8.self) == "*2\r\n$3\r\nGET\r\n$1\r\nk\r\n")
    #expect(get.slot == HashSlot.of(Array("k".utf8)))
    let long = RedisCommand(
      "SADD", key: Array("a{tag}".utf8), [Array(repeating: 0x78, count: 1_204)])
    #expect(
      String(decoding: long.wire, as: UTF8.self).hasPrefix(
        "*3\r\n$4\r\nSADD\r\n$6\r\na{tag}\r\n$1204\r\nx"))
    #expect(long.slot == HashSlot.of(Array("tag".utf8)))
    let script = RedisCommand(script: [0x61], keys: [[0x62], [0x63]], arguments: [])
    #expect(script.slot == HashSlot.of([0x62]) && RedisCommand("ASKING").slot == nil)
  }
}
