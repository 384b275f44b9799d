// Bodies: so many bytes, or chunks. Chunks are moved together where they lie, so that whoever reads a body sees
// one run of bytes; the room that their sizes took is closed whenever more must come.
//
//     …head⏎⏎ {"amo | 5⏎ unt": | ⏎ a⏎ 12.5}      {"amount":12.5}
//             ▲bodyStart      ▲bodyEnd

import Core

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

extension RequestParser {
  /// Takes up the data that is there, for a body of known length and for a chunk.
  ///
  /// - Returns: false when all of it was taken and more is due.
  mutating func takeData(_ base: UnsafeMutablePointer<UInt8>, _ filled: Int) -> Bool {
    let count = min(missing, filled - position)
    if bodyEnd != position { memmove(base + bodyEnd, base + position, count) }
    bodyEnd += count
    position += count
    scanned = position
    missing -= count
    guard missing == 0 else { return false }
    state = state == .body ? .complete : .chunkEnd
    return true
  }

  /// `1a`, `1A;name=value`: hexadecimal digits, and extensions that nobody reads.
  mutating func takeChunkSize(_ line: Bytes) throws(Refusal) {
    var size = 0
    var digits = 0
    while digits < line.count, let digit = RequestParser.hexDigit(line[digits]) {
      size = size << 4 | digit
      digits += 1
      // Leading zeros included: no honest size is longer.
      guard digits <= 15 else { throw Refusal(.badRequest, "a chunk's size has too many digits") }
    }
    guard digits > 0 else { throw Refusal(.badRequest, "a chunk without a size") }
    try checkExtension(line[digits..<line.count])
    guard size <= bodyBytesMax - (bodyEnd - bodyStart) else { throw tooLarge }
    guard size > 0 else {
      state = .trailer
      return
    }
    chunkCount += 1
    guard chunkCount <= Limits.chunksMax else {
      throw Refusal(.contentTooLarge, "more than \(Limits.chunksMax) chunks")
    }
    missing = size
    state = .chunkData
  }

  /// Nothing, or what begins with a semicolon (blanks before it are bad manners, but allowed).
  private func checkExtension(_ rest: Bytes) throws(Refusal) {
    guard !rest.isEmpty else { return }
    guard rest.trimmed.first == UInt8(ascii: ";") else {
      throw Refusal(.badRequest, "a chunk's size that is no hexadecimal number")
    }
    for byte in rest.buffer where byte < 0x20 && byte != 0x09 || byte == 0x7F {
      throw Refusal(.badRequest, "a control character in a chunk's extension")
    }
  }

  private static func hexDigit(_ byte: UInt8) -> Int? {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): Int(byte - UInt8(ascii: "0"))
    case UInt8(ascii: "a")...UInt8(ascii: "f"): Int(byte - UInt8(ascii: "a")) + 10
    case UInt8(ascii: "A")...UInt8(ascii: "F"): Int(byte - UInt8(ascii: "A")) + 10
    default: nil
    }
  }

  /// Moves what was not taken up yet to the end of the body: a chunked body takes no more room than it has
  /// bytes.
  mutating func closeGap(_ base: UnsafeMutablePointer<UInt8>, _ filled: inout Int) {
    guard awaitsBody, position > bodyEnd else { return }
    memmove(base + bodyEnd, base + position, filled - position)
    filled -= position - bodyEnd
    scanned -= position - bodyEnd
    position = bodyEnd
  }
}
