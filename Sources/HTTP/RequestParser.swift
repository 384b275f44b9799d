// HTTP/1.1 requests out of bytes, as RFC 9112 has them and no other way. A server behind a proxy must see the
// same requests in a stream as the proxy does; where the two could differ, one client can put words into
// another's mouth. So whatever the RFC lets a recipient refuse is refused: a line feed without its carriage
// return, folded lines, a space before a colon, a second Content-Length, a length beside chunks.
//
//     POST /decide/fraud HTTP/1.1 ⏎   line       ─┐
//     Host: a ⏎                       field       │ each found by its line feed, then checked
//     Content-Length: 15 ⏎            field       │
//     ⏎                                          ─┘
//     {"amount":12.5}                 body: so many bytes, or chunks that are joined where they lie
//
// Pure: it is given the bytes from the request's first on, as often as more of them have come, and remembers
// where it was. Nothing is allocated and no byte is looked at twice.

import Core

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

struct RequestParser {
  enum Step: Equatable {
    case needsMore
    /// The request is whole; `consumed` bytes belong to it.
    case complete
    case refused(Refusal)
  }

  enum State {
    case line, field
    case body
    case chunkSize, chunkData, chunkEnd
    case trailer
    case complete
  }

  let bodyBytesMax: Int
  var state = State.line
  /// The first byte that was not taken up yet.
  var position = 0
  /// No line feed lies before this place.
  var scanned = 0
  private var skippedEmptyLine = false
  private var fieldCount = 0

  private(set) var method = Method.other
  private(set) var target = Stretch()
  var fields = FieldStretches(repeating: Stretch())
  /// 0 or 1, behind "HTTP/1.".
  private(set) var minorVersion = 1
  var hasHost = false
  /// What the client said of the connection; nil: nothing.
  var keepAlive: Bool?
  var contentLength: Int?
  var isChunked = false
  var expectsContinue = false

  private(set) var bodyStart = 0
  /// Behind the last byte of the body so far.
  var bodyEnd = 0
  /// Bytes of the body, or of its current chunk, that have not come.
  var missing = 0
  var chunkCount = 0

  init(bodyBytesMax: Int = Limits.requestBodyBytesMax) { self.bodyBytesMax = bodyBytesMax }

  /// Bytes of the request, once it is complete.
  var consumed: Int { position }

  /// Nothing of a request has come.
  var isUntouched: Bool { state == .line && position == 0 && scanned == 0 }

  /// The head has been read, the body is on its way.
  var awaitsBody: Bool {
    switch state {
    case .line, .field, .complete: false
    default: true
    }
  }

  /// Bytes of a request of known length; 0 before it is known.
  var wholeCount: Int { state == .body ? bodyStart + (contentLength ?? 0) : 0 }

  /// Takes up what has come.
  ///
  /// - Parameters:
  ///   - base: the request's first byte; the same bytes as before, then more.
  ///   - filled: how many bytes there are. Less afterwards where chunks were joined.
  mutating func parse(_ base: UnsafeMutablePointer<UInt8>, _ filled: inout Int) -> Step {
    while true {
      do throws(Refusal) {
        guard try advance(base, filled) else { break }
      } catch {
        return .refused(error)
      }
      if state == .complete { return .complete }
    }
    closeGap(base, &filled)
    return .needsMore
  }

  /// - Returns: false when it cannot go on without more.
  private mutating func advance(
    _ base: UnsafeMutablePointer<UInt8>, _ filled: Int
  ) throws(Refusal) -> Bool {
    switch state {
    case .line:
      if position < filled, !skippedEmptyLine { try checkFirst(base[position]) }
      guard let line = try nextLine(base, filled) else { return false }
      try takeRequestLine(line, base)
    case .field:
      guard let line = try nextLine(base, filled) else { return false }
      if line.isEmpty { try endHead() } else { try takeField(line, base) }
    case .body, .chunkData: return takeData(base, filled)
    case .chunkSize:
      guard let line = try nextLine(base, filled) else { return false }
      try takeChunkSize(line)
    case .chunkEnd:
      guard filled - position >= 2 else { return false }
      guard base[position] == 0x0D, base[position + 1] == 0x0A else {
        throw Refusal(.badRequest, "a chunk is longer than its size says")
      }
      position += 2
      scanned = position
      state = .chunkSize
    case .trailer:
      guard let line = try nextLine(base, filled) else { return false }
      if line.isEmpty { state = .complete } else { try takeTrailer(line) }
    case .complete: return false
    }
    return true
  }

  // MARK: Lines

  /// A request begins with a method's letter; anything else (TLS, say) is refused before a line has come.
  private func checkFirst(_ byte: UInt8) throws(Refusal) {
    guard FieldToken.isToken(byte) || byte == 0x0D else {
      throw Refusal(.badRequest, "a request begins with its method")
    }
  }

  /// The next line without its end; nil when it is not whole.
  private mutating func nextLine(
    _ base: UnsafeMutablePointer<UInt8>, _ filled: Int
  ) throws(Refusal) -> Bytes? {
    let bound = lineBound
    guard let found = lineFeed(base, filled) else {
      if filled - position >= bound.bytes + 2 { throw bound.refusal }
      return nil
    }
    if found - position >= bound.bytes + 2 { throw bound.refusal }
    guard found > position, base[found - 1] == 0x0D else {
      throw Refusal(.badRequest, "a line feed without a carriage return")
    }
    let line = Bytes(base: UnsafePointer(base + position), count: found - 1 - position)
    position = found + 1
    scanned = position
    return line
  }

  private mutating func lineFeed(_ base: UnsafeMutablePointer<UInt8>, _ filled: Int) -> Int? {
    guard scanned < filled else { return nil }
    guard let found = memchr(base + scanned, 0x0A, filled - scanned) else {
      scanned = filled
      return nil
    }
    return found - UnsafeMutableRawPointer(base)
  }

  /// The longest that the line may be, and what is said of a longer one.
  private var lineBound: (bytes: Int, refusal: Refusal) {
    switch state {
    case .line:
      (Limits.requestLineBytesMax, Refusal(.targetTooLong, "the request line is too long"))
    case .chunkSize:
      (Limits.chunkLineBytesMax, Refusal(.badRequest, "a chunk's size is too long a line"))
    case .trailer:
      (Limits.requestLineBytesMax, Refusal(.fieldsTooLarge, "a trailer field is too long"))
    default:
      (Limits.requestHeadBytesMax - position, Refusal(.fieldsTooLarge, "the fields are too long"))
    }
  }

  private mutating func takeRequestLine(
    _ line: Bytes, _ base: UnsafeMutablePointer<UInt8>
  ) throws(Refusal) {
    if line.isEmpty, !skippedEmptyLine {
      // Left over behind a body by a client that counts badly.
      skippedEmptyLine = true
      return
    }
    let start = line.base - UnsafePointer(base)
    guard let firstSpace = line.firstIndex(of: 0x20) else { throw RequestParser.malformed }
    let rest = line[firstSpace + 1..<line.count]
    guard let secondSpace = rest.firstIndex(of: 0x20) else { throw RequestParser.malformed }
    method = try RequestParser.method(line[0..<firstSpace])
    let path = rest[0..<secondSpace]
    try RequestParser.checkTarget(path)
    try takeVersion(rest[secondSpace + 1..<rest.count])
    target = Stretch(from: start + firstSpace + 1, to: start + firstSpace + 1 + secondSpace)
    state = .field
  }

  private static let malformed = Refusal(
    .badRequest, "the request line is not 'METHOD target HTTP/1.1'")

  private static func method(_ name: Bytes) throws(Refusal) -> Method {
    guard !name.isEmpty, FieldToken.isToken(name) else { throw malformed }
    if name == "GET" { return .get }
    if name == "POST" { return .post }
    if name == "HEAD" { return .head }
    return .other
  }

  private static func checkTarget(_ target: Bytes) throws(Refusal) {
    guard let first = target.first else { throw malformed }
    for byte in target.buffer where byte <= 0x20 || byte >= 0x7F {
      throw Refusal(.badRequest, "the target has a byte that must be percent-encoded")
    }
    if first == UInt8(ascii: "/") || target == "*" { return }
    guard target.count > 7, target[0..<7].equalsIgnoringCase("http://") else {
      throw Refusal(.badRequest, "the target is neither a path nor an http:// address")
    }
  }

  private mutating func takeVersion(_ version: Bytes) throws(Refusal) {
    if version == "HTTP/1.1" {
      minorVersion = 1
    } else if version == "HTTP/1.0" {
      minorVersion = 0
    } else if version.count == 8, version.starts(with: Bytes("HTTP/")),
      version[5] &- UInt8(ascii: "0") <= 9, version[6] == UInt8(ascii: "."),
      version[7] &- UInt8(ascii: "0") <= 9
    {
      throw Refusal(.versionNotSupported, "the versions spoken here are 1.1 and 1.0")
    } else {
      throw RequestParser.malformed
    }
  }

  private mutating func takeTrailer(_ line: Bytes) throws(Refusal) {
    // Checked as any field, and not kept: nothing here reads a trailer.
    try countField()
    _ = try FieldLine(line)
  }

  mutating func countField() throws(Refusal) {
    fieldCount += 1
    guard fieldCount <= Limits.requestFieldsMax else {
      throw Refusal(.fieldsTooLarge, "more than \(Limits.requestFieldsMax) fields")
    }
  }

  // MARK: The end of the head

  private mutating func endHead() throws(Refusal) {
    guard hasHost || minorVersion == 0 else {
      throw Refusal(.badRequest, "a request names its Host")
    }
    bodyStart = position
    bodyEnd = position
    if isChunked {
      guard contentLength == nil else {
        throw Refusal(.badRequest, "Content-Length and Transfer-Encoding exclude each other")
      }
      guard minorVersion == 1 else {
        throw Refusal(.badRequest, "HTTP/1.0 has no Transfer-Encoding")
      }
      state = .chunkSize
      return
    }
    missing = contentLength ?? 0
    state = missing > 0 ? .body : .complete
  }
}
