// Replies in every shape, cut at every byte.

import Core
import TestSupport
import Testing

@testable import HTTP

/// What a stream of bytes is read as, in one line.
///
/// - Parameter cuts: where one piece ends and the next begins, ascending.
private func read(_ text: String, cuts: [Int] = [], isToHead: Bool = false, ends: Bool = false)
  -> String
{
  let bytes = Array(text.utf8)
  var parser = ResponseParser(isToHead: isToHead)
  let buffer = UnsafeMutablePointer<UInt8>.allocate(capacity: bytes.count + 1)
  defer { buffer.deallocate() }
  var (filled, begin) = (0, 0)
  var step = ResponseParser.Step.needsMore
  for end in cuts + [bytes.count] where step == .needsMore {
    for byte in bytes[begin..<end] {
      buffer[filled] = byte
      filled += 1
    }
    begin = end
    step = parser.parse(buffer, &filled)
  }
  if ends, step == .needsMore { step = parser.end() }
  switch step {
  case .needsMore: return "more"
  case .refused(let reason): return "refused: \(reason)"
  case .complete:
    let timing =
      parser.serverTiming.isAbsent ? .empty : parser.serverTiming.bytes(UnsafePointer(buffer))
    return
      "\(parser.status) body \(parser.bodyBytes)\(parser.keepsAlive ? " kept" : "") [\(timing.string)]"
  }
}

@Suite struct ResponseParserTests {
  private static let replies: [(text: String, isToHead: Bool, ends: Bool, read: String)] = [
    (
      "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nServer-Timing: inference;dur=3\r\n\r\nhello", false,
      false,
      "200 body 5 kept [inference;dur=3]"
    ),
    ("HTTP/1.1 200\r\ncontent-length:0\r\n\r\n", false, false, "200 body 0 kept []"),
    (
      "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 503 No\r\nContent-Length: 2\r\nConnection: close\r\n\r\nno",
      false,
      false, "503 body 2 []"
    ),
    (
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nServer-Timing: a\r\n\r\n5;x=y\r\nhello\r\n00a\r\n0123456789\r\n0\r\nT: v\r\n\r\n",
      false, false, "200 body 15 kept [a]"
    ),
    ("HTTP/1.0 200 OK\nServer-Timing: q\n\nall of it", false, true, "200 body 9 [q]"),
    (
      "HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 1\r\n\r\nx", false, false,
      "200 body 1 kept []"
    ),
    ("HTTP/1.1 204 None\r\n\r\n", false, false, "204 body 0 kept []"),
    ("HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n", true, false, "200 body 0 kept []"),
    (
      "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nshort", false, true,
      "refused: closed before the reply's end"
    ),
    (
      "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\nok", false, false,
      "200 body 2 kept []"
    ),
  ]

  @Test func readsReplies() {
    for reply in Self.replies {
      #expect(
        read(reply.text, isToHead: reply.isToHead, ends: reply.ends) == reply.read, "\(reply.text)")
    }
  }

  @Test func readsTheSameWhereverTheyAreCut() {
    for reply in Self.replies {
      let count = reply.text.utf8.count
      for cut in 0...count {
        #expect(
          read(reply.text, cuts: [cut], isToHead: reply.isToHead, ends: reply.ends) == reply.read)
      }
      let everywhere = Array(0..<count)
      #expect(
        read(reply.text, cuts: everywhere, isToHead: reply.isToHead, ends: reply.ends) == reply.read
      )
    }
  }

  @Test func refusesWhatIsNoReply() {
    let refused = [
      "GET / HTTP/1.1\r\n\r\n", "HTTP/2.0 200 OK\r\n\r\n", "HTTP/1.1 2x0 OK\r\n\r\n",
      "HTTP/1.1 101 Up\r\n\r\n", "HTTP/1.1 099 OK\r\n\r\n", "HTTP/1.1 2000 OK\r\n\r\n",
      "HTTP/1.1 200 OK\r\nno colon\r\n\r\n", "HTTP/1.1 200 OK\r\n A: folded\r\n\r\n",
      "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
      "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n",
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 1\r\n\r\n",
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n",
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nab\r\n",
      "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nabc",
      "HTTP/1.1 200 OK\r\nA: \(String(repeating: "x", count: 70_000))",
    ]
    for text in refused {
      #expect(read(text).hasPrefix("refused: "), "\(text.prefix(60)): \(read(text))")
    }
  }
}
