// HTTP/1.1 replies out of bytes (RFC 9112 sections 4, 6 and 7), for a client that measures: it needs to know when a
// reply is whole, its status and its Server-Timing, and nothing of its body, which is counted and thrown away as
// it comes.
//
//     HTTP/1.1 200 OK ⏎               line; 1xx replies are passed over
//     Content-Length: 15 ⏎            field
//     Server-Timing: inference;dur=3  kept where it lies
//     ⏎
//     {"score":0.5}                   so many bytes, or chunks, or all that comes until the end
//
// Pure: it is given the bytes from the reply's first on, as often as more of them have come, and remembers where
// it was. The head stays where it is until the reply is complete; behind it, what was taken up makes room.

import Core

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

struct ResponseParser {
  enum Step: Equatable {
    case needsMore
    case complete
    /// The bytes are no reply; the connection cannot be used any more.
    case refused(StaticString)

    static func == (left: Step, right: Step) -> Bool {
      switch (left, right) {
      case (.needsMore, .needsMore), (.complete, .complete): true
      case (.refused(let one), .refused(let other)): Bytes(one) == Bytes(other)
      default: false
      }
    }
  }

  struct Fault: Error { let reason: StaticString }

  private enum State {
    case line, field, body, chunkSize, chunkData, chunkEnd, trailer, toEnd, complete
  }

  /// The reply is to a HEAD request: it has no body whatever its fields say.
  let isToHead: Bool
  private var state = State.line
  /// The first byte that was not taken up yet.
  private var position = 0
  /// No line feed lies before this place.
  private var scanned = 0
  private var bodyStart = 0
  private var missing = 0
  private var contentLength: Int?
  private var isChunked = false
  private var saidClose: Bool?
  private var minorVersion = 1

  private(set) var status = 0
  /// Of its body, without the framing of chunks.
  private(set) var bodyBytes = 0
  private(set) var serverTiming = Stretch()

  init(isToHead: Bool = false) { self.isToHead = isToHead }

  /// The connection can carry a further request, once the reply is complete.
  private(set) var keepsAlive = false

  /// A byte of a reply has come.
  var hasBegun: Bool { position > 0 || scanned > 0 }

  /// Takes up what has come.
  ///
  /// - Parameters:
  ///   - base: the reply's first byte; the same bytes as before, then more.
  ///   - filled: how many bytes there are. Less afterwards: what was taken up of a body is gone.
  mutating func parse(_ base: UnsafeMutablePointer<UInt8>, _ filled: inout Int) -> Step {
    do throws(Fault) {
      while try advance(base, filled) {}
    } catch {
      return .refused(error.reason)
    }
    if state == .complete {
      guard position == filled else { return .refused("bytes behind the reply's end") }
      return .complete
    }
    closeGap(base, &filled)
    return .needsMore
  }

  /// The server has closed the connection.
  mutating func end() -> Step {
    guard state == .toEnd else { return .refused("closed before the reply's end") }
    state = .complete
    return .complete
  }

  /// - Returns: false when it cannot go on without more, or need not.
  private mutating func advance(
    _ base: UnsafeMutablePointer<UInt8>, _ filled: Int
  ) throws(Fault) -> Bool {
    switch state {
    case .line:
      guard let line = try nextLine(base, filled) else { return false }
      try takeStatusLine(line)
    case .field:
      guard let line = try nextLine(base, filled) else { return false }
      if line.isEmpty { try endHead() } else { try takeField(line, base) }
    case .body, .chunkData: return takeData(filled)
    case .chunkSize:
      guard let line = try nextLine(base, filled) else { return false }
      try takeChunkSize(line)
    case .chunkEnd:
      guard let line = try nextLine(base, filled) else { return false }
      guard line.isEmpty else { throw Fault(reason: "a chunk is longer than its size says") }
      state = .chunkSize
    case .trailer:
      guard let line = try nextLine(base, filled) else { return false }
      if line.isEmpty { state = .complete }
    case .toEnd:
      bodyBytes += filled - position
      position = filled
      return false
    case .complete: return false
    }
    return true
  }

  // MARK: The head

  /// The next line without its end; nil when it is not whole. A line feed alone ends one too (section 2.2).
  private mutating func nextLine(
    _ base: UnsafeMutablePointer<UInt8>, _ filled: Int
  ) throws(Fault) -> Bytes? {
    guard scanned < filled, let found = memchr(base + scanned, 0x0A, filled - scanned) else {
      scanned = filled
      guard filled - position < Limits.replyHeadBytesMax else {
        throw Fault(reason: "the reply's head is too long")
      }
      return nil
    }
    let lineFeed = found - UnsafeMutableRawPointer(base)
    var end = lineFeed
    if end > position, base[end - 1] == 0x0D { end -= 1 }
    let line = Bytes(base: UnsafePointer(base + position), count: end - position)
    position = lineFeed + 1
    scanned = position
    return line
  }

  /// `HTTP/1.1 200 OK`.
  private mutating func takeStatusLine(_ line: Bytes) throws(Fault) {
    let digits = UInt8(ascii: "0")
    guard line.count >= 12, line.starts(with: Bytes("HTTP/1.")), line[7] &- digits <= 1,
      line[8] == 0x20, line.count == 12 || line[12] == 0x20
    else { throw Fault(reason: "not an HTTP/1 status line") }
    status = 0
    for index in 9..<12 {
      guard line[index] &- digits <= 9 else { throw Fault(reason: "a status that is no number") }
      status = status * 10 + Int(line[index] - digits)
    }
    guard status >= 100, status != 101 else { throw Fault(reason: "a status below 100, or 101") }
    minorVersion = Int(line[7] - digits)
    state = .field
  }

  /// Only those that say where the reply ends, and Server-Timing; told apart by their length.
  private mutating func takeField(
    _ line: Bytes, _ base: UnsafeMutablePointer<UInt8>
  ) throws(Fault) {
    guard line[0] != 0x20, line[0] != 0x09, let colon = line.firstIndex(of: UInt8(ascii: ":"))
    else {
      throw Fault(reason: "a field line without a name")
    }
    let name = line[0..<colon]
    let value = line[colon + 1..<line.count].trimmed
    switch colon {
    case 10 where name.equalsIgnoringCase("connection"):
      if value.equalsIgnoringCase("close") { saidClose = true }
      if value.equalsIgnoringCase("keep-alive") { saidClose = false }
    case 13 where name.equalsIgnoringCase("server-timing") && serverTiming.isAbsent:
      let start = value.base - UnsafePointer(base)
      serverTiming = Stretch(from: start, to: start + value.count)
    case 14 where name.equalsIgnoringCase("content-length"):
      let length = try ResponseParser.length(value)
      guard contentLength == nil || contentLength == length else {
        throw Fault(reason: "two different Content-Lengths")
      }
      contentLength = length
    case 17 where name.equalsIgnoringCase("transfer-encoding"):
      guard value.equalsIgnoringCase("chunked") else {
        throw Fault(reason: "a Transfer-Encoding other than chunked")
      }
      isChunked = true
    default: break
    }
  }

  private static func length(_ value: Bytes) throws(Fault) -> Int {
    var length = 0
    guard !value.isEmpty, value.count <= 15 else { throw Fault(reason: "a bad Content-Length") }
    for byte in value.buffer {
      guard byte &- UInt8(ascii: "0") <= 9 else { throw Fault(reason: "a bad Content-Length") }
      length = length * 10 + Int(byte - UInt8(ascii: "0"))
    }
    return length
  }

  private mutating func endHead() throws(Fault) {
    if status < 200 {
      // An interim reply: the real one follows.
      (state, contentLength, isChunked, saidClose) = (.line, nil, false, nil)
      return
    }
    bodyStart = position
    keepsAlive = saidClose == nil ? minorVersion == 1 : saidClose == false
    if isToHead || status == 204 || status == 304 {
      state = .complete
    } else if isChunked {
      guard contentLength == nil else { throw Fault(reason: "a length beside chunks") }
      state = .chunkSize
    } else if let contentLength {
      missing = contentLength
      state = missing > 0 ? .body : .complete
    } else {
      keepsAlive = false
      state = .toEnd
    }
  }

  // MARK: The body

  /// - Returns: false when all of it was taken and more is due.
  private mutating func takeData(_ filled: Int) -> Bool {
    let count = min(missing, filled - position)
    position += count
    scanned = position
    bodyBytes += count
    missing -= count
    guard missing == 0 else { return false }
    state = state == .body ? .complete : .chunkEnd
    return true
  }

  /// Hexadecimal digits, and extensions that nobody reads.
  private mutating func takeChunkSize(_ line: Bytes) throws(Fault) {
    var size = 0
    var digits = 0
    while digits < line.count, let digit = ResponseParser.hexDigit(line[digits]) {
      size = size << 4 | digit
      digits += 1
      guard digits <= 15 else { throw Fault(reason: "a chunk's size has too many digits") }
    }
    guard digits > 0 else { throw Fault(reason: "a chunk without a size") }
    missing = size
    state = size > 0 ? .chunkData : .trailer
  }

  private static func hexDigit(_ byte: UInt8) -> Int? {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): Int(byte - UInt8(ascii: "0"))
    case UInt8(ascii: "a")...UInt8(ascii: "f"): Int(byte - UInt8(ascii: "a")) + 10
    case UInt8(ascii: "A")...UInt8(ascii: "F"): Int(byte - UInt8(ascii: "A")) + 10
    default: nil
    }
  }

  /// A body takes no more room than its unread rest.
  private mutating func closeGap(_ base: UnsafeMutablePointer<UInt8>, _ filled: inout Int) {
    guard bodyStart > 0, position > bodyStart else { return }
    memmove(base + bodyStart, base + position, filled - position)
    filled -= position - bodyStart
    scanned -= position - bodyStart
    position = bodyStart
  }
}
