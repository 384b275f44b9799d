// Requests are read alike however they arrive, and shapes that two readers could read differently are refused.

import Core
import TestSupport
import Testing

@testable import HTTP

@Suite struct RequestParserTests {
  private static let host = "Host: a\r\n"

  /// Streams of bytes and what they are read as.
  static let streams: [(text: String, requests: [String])] = [
    ("GET / HTTP/1.1\r\nHost: a\r\n\r\n", ["get /"]),
    ("GET /metrics?a=1&b HTTP/1.1\r\nhost:a\r\n\r\n", ["get /metrics?a=1&b"]),
    ("HEAD / HTTP/1.1\r\nHost:\r\n\r\n", ["head /"]),
    ("DELETE /x HTTP/1.1\r\nHost: a\r\n\r\n", ["other /x"]),
    ("GET http://h:80/p?q HTTP/1.1\r\nHost: a\r\n\r\n", ["get /p?q"]),
    ("GET http://h HTTP/1.1\r\nHost: a\r\n\r\n", ["get /"]),
    ("GET / HTTP/1.0\r\n\r\n", ["get /", "close"]),
    ("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", ["get /"]),
    ("GET / HTTP/1.1\r\nHost: a\r\nConnection: x, Close\r\n\r\n", ["get /", "close"]),
    ("\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", ["get /"]),
    (
      "POST /d HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhelloGET /2 HTTP/1.1\r\nHost: a\r\n\r\n",
      ["post /d [hello]", "get /2"]
    ),
    ("POST /d HTTP/1.1\r\nHost: a\r\n\r\n", ["post /d"]),
    ("POST /d HTTP/1.1\r\nHost: a\r\nContent-Length: 0005\r\n\r\nhello", ["post /d [hello]"]),
    (
      "POST /d HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: Chunked\r\n\r\n"
        + "5\r\nhello\r\n6;x=y\r\n world\r\n0\r\n\r\nGET /2 HTTP/1.1\r\nHost: a\r\n\r\n",
      ["post /d [hello world]", "get /2"]
    ),
    (
      "POST /d HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
        + "A ; x\r\n0123456789\r\n0\r\nTrailer: t\r\n\r\n",
      ["post /d [0123456789]"]
    ),
    (
      "POST /d HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", ["post /d"]
    ),
    (
      "POST /d HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\nhi",
      ["post /d [hi]"]
    ),
    (
      "POST /d HTTP/1.1\r\nHost: a\r\nContent-Type:\tapplication/json \r\n"
        + "AUTHORIZATION: Bearer x y\r\nInference-Header-Content-Length: 7\r\nX-Other: é\r\n\r\n",
      ["post /d authorization=Bearer x y contentType=application/json inferenceHeaderLength=7"]
    ),
    (
      "GET / HTTP/1.1\r\nHost: a\r\nAccept-Encoding: gzip\r\nAccept-Encoding: br\r\n\r\n",
      ["get / acceptEncoding=gzip"]
    ),
  ]

  /// Shapes that are refused, with the status and a part of the reason.
  static let refused: [(text: String, status: Int, part: String)] = [
    // Two readers could count differently.
    (
      "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\nhello", 400,
      "second"
    ),
    (
      "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello", 400,
      "second"
    ),
    ("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5, 5\r\n\r\nhello", 400, "no number"),
    ("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: +5\r\n\r\nhello", 400, "no number"),
    ("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0x5\r\n\r\nhello", 400, "no number"),
    ("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n", 400, "no number"),
    ("POST / HTTP/1.1\r\nHost: a\r\nContent-Length:\r\n\r\n", 400, "no number"),
    (
      "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
      400, "exclude"
    ),
    (
      "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n",
      400, "exclude"
    ),
    (
      "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n",
      400, "second"
    ),
    ("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n", 501, "only"),
    ("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: identity\r\n\r\n", 501, "only"),
    ("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: xchunked\r\n\r\n", 501, "only"),
    ("POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400, "HTTP/1.0"),
    ("POST / HTTP/1.1\r\nHost: a\r\nContent-Length : 5\r\n\r\nhello", 400, "blank before"),
    ("POST / HTTP/1.1\r\nHost: a\r\nContent-Length\t: 5\r\n\r\nhello", 400, "blank before"),
    ("GET / HTTP/1.1\r\nHost: a\r\nX: a\r\n folded\r\n\r\n", 400, "folded"),
    ("GET / HTTP/1.1\r\n Host: a\r\n\r\n", 400, "folded"),
    ("GET / HTTP/1.1\nHost: a\n\n", 400, "line feed"),
    ("GET / HTTP/1.1\r\nHost: a\n\r\n", 400, "line feed"),
    ("GET / HTTP/1.1\r\nHost: a\r\nX: y\r\r\n\r\n", 400, "control"),
    ("GET / HTTP/1.1\r\nHost: a\r\nX: y\rZ: w\r\n\r\n", 400, "control"),
    ("GET / HTTP/1.1\r\nHost: a\r\nX: \0\r\n\r\n", 400, "control"),
    ("GET / HTTP/1.1\r\nHost: a\r\n: y\r\n\r\n", 400, "token"),
    ("GET / HTTP/1.1\r\nHost: a\r\nno colon\r\n\r\n", 400, "colon"),
    ("GET / HTTP/1.1\r\n\r\n", 400, "Host"),
    ("GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n", 400, "second Host"),
    (
      "GET / HTTP/1.1\r\nHost: a\r\nContent-Type: a\r\nContent-Type: b\r\n\r\n", 400,
      "second content-type"
    ),
    // Chunks.
    (
      "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0x5\r\nhello\r\n0\r\n\r\n",
      400, "hexadecimal"
    ),
    (
      "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5 \r\nhello\r\n0\r\n\r\n",
      400, "hexadecimal"
    ),
    (
      "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n 5\r\nhello\r\n0\r\n\r\n",
      400, "without a size"
    ),
    (
      "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n-5\r\n", 400,
      "without a size"
    ),
    ("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n\r\n", 400, "without a size"),
    (
      "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\nhello\r\n0\r\n\r\n", 400,
      "line feed"
    ),
    (
      "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello!\r\n0\r\n\r\n",
      400, "longer"
    ),
    (
      "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello0\r\n\r\n", 400,
      "longer"
    ),
    (
      "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n10000000000000005\r\nhello",
      400, "digits"
    ),
    (
      "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0000000000000005\r\nhello",
      400, "digits"
    ),
    (
      "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nfffffffffffffff\r\nhello",
      413, "larger"
    ),
    (
      "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5;\u{1}\r\nhello", 400,
      "extension"
    ),
    (
      "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n bad\r\n\r\n", 400,
      "folded"
    ),
    // Request lines.
    ("\u{16}\u{3}\u{1}", 400, "method"),
    ("GET  / HTTP/1.1\r\nHost: a\r\n\r\n", 400, "request line"),
    ("GET / HTTP/1.1 \r\nHost: a\r\n\r\n", 400, "request line"),
    ("GET /a b HTTP/1.1\r\nHost: a\r\n\r\n", 400, "request line"),
    ("GET / http/1.1\r\nHost: a\r\n\r\n", 400, "request line"),
    ("GET /\r\n\r\n", 400, "request line"),
    ("GET / HTTP/2.0\r\nHost: a\r\n\r\n", 505, "spoken"),
    ("GET / HTTP/1.2\r\nHost: a\r\n\r\n", 505, "spoken"),
    ("G@T / HTTP/1.1\r\nHost: a\r\n\r\n", 400, "request line"),
    ("GET example HTTP/1.1\r\nHost: a\r\n\r\n", 400, "neither"),
    ("CONNECT example:443 HTTP/1.1\r\nHost: a\r\n\r\n", 400, "neither"),
    ("GET /é HTTP/1.1\r\nHost: a\r\n\r\n", 400, "percent"),
    ("\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", 400, "request line"),
    ("GET / HTTP/1.1\r\nHost: a\r\nExpect: cheese\r\n\r\n", 417, "Expect"),
    // Sizes.
    ("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1001\r\n\r\n", 413, "larger than 1000"),
    (
      "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999999999999999999\r\n\r\n", 413, "larger"
    ),
  ]

  @Test(arguments: streams.indices) func streamsAreReadAlikeHoweverTheyArrive(_ index: Int) {
    let (text, requests) = Self.streams[index]
    let bytes = Array(text.utf8)
    #expect(parsed(bytes) == requests)
    for cut in 1..<bytes.count { #expect(parsed(bytes, cuts: [cut]) == requests, "cut at \(cut)") }
    #expect(parsed(bytes, cuts: Array(1..<bytes.count)) == requests, "byte by byte")
  }

  @Test(arguments: refused.indices) func shapesAreRefusedAlikeHoweverTheyArrive(_ index: Int) {
    let (text, status, part) = Self.refused[index]
    let bytes = Array(text.utf8)
    let whole = parsed(bytes)
    #expect(whole.count == 1 && whole[0].hasPrefix("\(status) "), "\(whole) for \(text)")
    #expect(whole[0].contains(part), "\(whole) does not say '\(part)'")
    for cut in 1..<max(2, bytes.count) where cut < bytes.count {
      #expect(parsed(bytes, cuts: [cut]) == whole, "cut at \(cut)")
    }
    #expect(parsed(bytes, cuts: Array(1..<bytes.count)) == whole, "byte by byte")
  }

  @Test func whatIsNotWholeIsWaitedFor() {
    for (text, requests) in Self.streams where requests.count == 1 && requests[0] != "close" {
      let bytes = Array(text.utf8)
      for end in 1..<bytes.count {
        #expect(parsed(Array(bytes[..<end])) == ["more"], "\(end) bytes of \(text)")
      }
    }
  }

  @Test func limitsHoldAtTheirEdges() {
    let path = String(repeating: "a", count: Limits.requestLineBytesMax - "GET / HTTP/1.1".count)
    #expect(parsed("GET /\(path) HTTP/1.1\r\nHost: a\r\n\r\n") == ["get /\(path)"])
    #expect(
      parsed("GET /\(path)a HTTP/1.1\r\nHost: a\r\n\r\n") == ["414 the request line is too long"])
    #expect(parsed("GET /\(path)aaaaaaaaaaa") == ["414 the request line is too long"])

    let many = String(repeating: "X: y\r\n", count: Limits.requestFieldsMax - 1)
    #expect(parsed("GET / HTTP/1.1\r\nHost: a\r\n\(many)\r\n") == ["get /"])
    #expect(
      parsed("GET / HTTP/1.1\r\nHost: a\r\n\(many)X: y\r\n\r\n") == ["431 more than 100 fields"])

    let line = "GET / HTTP/1.1\r\nHost: a\r\nX: "
    let room = Limits.requestHeadBytesMax - line.utf8.count
    let long = String(repeating: "v", count: room)
    #expect(parsed("\(line)\(long)\r\n\r\n").first == "431 the fields are too long")
    #expect(parsed("\(line)\(long)zz").first == "431 the fields are too long")
    #expect(parsed("\(line)\(long.dropLast(4))\r\n\r\n") == ["get /"])

    let body = String(repeating: "b", count: 1_000)
    #expect(
      parsed("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\n\(body)")
        == ["post / [\(body)]"])
    let chunked = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
    #expect(parsed("\(chunked)3e8\r\n\(body)\r\n0\r\n\r\n") == ["post / [\(body)]"])
    #expect(
      parsed("\(chunked)3e8\r\n\(body)\r\n1\r\nb\r\n0\r\n\r\n")
        == ["413 the body is larger than 1000 bytes"])
    let lengthy = String(repeating: "x", count: Limits.chunkLineBytesMax - 2)
    #expect(parsed("\(chunked)1;\(lengthy)\r\nb\r\n0\r\n\r\n") == ["post / [b]"])
    #expect(
      parsed("\(chunked)1;x\(lengthy)\r\nb\r\n0\r\n\r\n") == [
        "400 a chunk's size is too long a line"
      ])
  }

  @Test func aBodyInTinyChunksTakesNoMoreRoomThanItsBytes() {
    let outbox = Outbox()
    let connection = Connection(
      slot: 0, outbox: outbox, dateLine: DateLine(), bodyBytesMax: 100_000, now: 0)
    func send(_ text: String) {
      let room = connection.room()
      precondition(room.count >= text.utf8.count, "a small piece")
      room.copyBytes(from: Array(text.utf8))
      connection.received(text.utf8.count, now: 0)
    }
    send("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n")
    #expect(connection.nextRequest() == nil)
    for _ in 0..<5_000 {
      send("1\r\nb\r\n")
      #expect(connection.nextRequest() == nil)
    }
    // 30,000 bytes were sent, 5,000 of them are kept.
    #expect(connection.room().count > Limits.connectionBufferBytes - 5_200)
    send("0\r\n\r\n")
    #expect(connection.nextRequest()?.body.count == 5_000)
  }
}
