// Replies of a Redis server in its protocol's second and third version (RESP2, RESP3), read from pieces of any size.
//
//     +text  -ERROR words  :1  $5 hello  *2 …                     both: texts, errors, integers, bytes, lists
//     _  #t  ,1.5  (123  =8 txt:word  !5 ERROR  %1 …  ~2 …        RESP3 also: null, booleans, doubles, maps, sets
//     |1 …  >2 …                                                  attributes and pushes, which are left out
//
// A map is given as the flat list that RESP2 would send. The bytes are a server's word: every length is held against a
// bound before anything is kept for it, and what is no reply ends the conversation.
// https://github.com/redis/redis-specifications/blob/master/protocol/RESP3.md

/// One reply.
enum RESPValue: Equatable, Sendable {
  case null
  case integer(Int64)
  case double(Double)
  case boolean(Bool)
  /// A simple string, or a number too large for 64 bits.
  case text(String)
  case bytes([UInt8])
  /// The server's words, which begin with a code such as `MOVED`.
  case error(String)
  case list([RESPValue])
}

/// Why bytes are no reply.
struct RESPRefusal: Error, Equatable {
  let reason: String
}

struct RESPParser {
  /// Bytes of a line: an error's words, or a length.
  static let lineBytesMax = 64 << 10
  /// Bytes of one reply: a few of the largest rows.
  static let replyBytesMax = 64 << 20
  /// Entries of one list.
  static let listCountMax = 1 << 20
  /// Lists within lists.
  static let depthMax = 8

  private enum Kind { case list, push, attribute }

  private struct Frame {
    let kind: Kind
    var rest: Int
    var items: [RESPValue] = []
  }

  private enum Step {
    case needsMore
    case opened
    case value(RESPValue)
  }

  private var buffer: [UInt8] = []
  private var place = 0
  /// Up to where no line's end was found.
  private var searched = 0
  private var frames: [Frame] = []
  /// The length and type of the bytes that are awaited.
  private var bulk: (count: Int, type: UInt8)?
  private var replyBytes = 0

  mutating func append(_ bytes: UnsafeRawBufferPointer) {
    if place > 0, place == buffer.count || place > 64 << 10 {
      buffer.removeSubrange(..<place)
      searched -= min(searched, place)
      place = 0
    }
    buffer.append(contentsOf: bytes)
  }

  /// The next whole reply; nil while there is none.
  ///
  /// - Complexity: O(bytes), however they are cut.
  mutating func next() throws(RESPRefusal) -> RESPValue? {
    while true {
      let start = place
      let step = try step()
      replyBytes += place - start
      guard replyBytes + (bulk?.count ?? 0) <= RESPParser.replyBytesMax else {
        throw RESPRefusal(reason: "a reply of more than \(RESPParser.replyBytesMax) bytes")
      }
      switch step {
      case .needsMore: return nil
      case .opened: continue
      case .value(let value):
        guard let whole = close(value) else { continue }
        replyBytes = 0
        return whole
      }
    }
  }

  /// Puts a value where it belongs; the whole reply if that was the last one missing.
  private mutating func close(_ value: RESPValue) -> RESPValue? {
    var value = value
    while var frame = frames.popLast() {
      frame.items.append(value)
      frame.rest -= 1
      if frame.rest > 0 {
        frames.append(frame)
        return nil
      }
      guard frame.kind == .list else { return nil }
      value = .list(frame.items)
    }
    return value
  }

  private mutating func step() throws(RESPRefusal) -> Step {
    if let bulk { return try takeBulk(bulk.count, bulk.type) }
    guard let line = try takeLine() else { return .needsMore }
    guard let type = line.first else { throw RESPRefusal(reason: "an empty line") }
    let rest = line.dropFirst()
    switch type {
    case UInt8(ascii: "+"), UInt8(ascii: "("): return .value(.text(text(rest)))
    case UInt8(ascii: "-"): return .value(.error(text(rest)))
    case UInt8(ascii: ":"): return .value(.integer(try integer(rest)))
    case UInt8(ascii: "_"): return .value(.null)
    case UInt8(ascii: "#"): return .value(.boolean(rest.first == UInt8(ascii: "t")))
    case UInt8(ascii: ","):
      guard let number = Double(text(rest)) else {
        throw RESPRefusal(reason: "'\(text(rest))' is no number")
      }
      return .value(.double(number))
    case UInt8(ascii: "$"), UInt8(ascii: "="), UInt8(ascii: "!"):
      let count = try integer(rest)
      if count == -1 { return .value(.null) }
      guard count >= 0, count <= RESPParser.replyBytesMax else {
        throw RESPRefusal(reason: "a length of \(count) bytes")
      }
      bulk = (Int(count), type)
      return .opened
    case UInt8(ascii: "*"), UInt8(ascii: "~"): return try open(.list, try integer(rest), each: 1)
    case UInt8(ascii: "%"): return try open(.list, try integer(rest), each: 2)
    case UInt8(ascii: ">"): return try open(.push, try integer(rest), each: 1)
    case UInt8(ascii: "|"): return try open(.attribute, try integer(rest), each: 2)
    default: throw RESPRefusal(reason: "a reply of the unknown type \(type)")
    }
  }

  private mutating func open(
    _ kind: Kind, _ count: Int64, each: Int
  ) throws(RESPRefusal) -> Step {
    if count == -1, kind == .list, each == 1 { return .value(.null) }
    guard count >= 0, count <= RESPParser.listCountMax else {
      throw RESPRefusal(reason: "a list of \(count) entries")
    }
    guard kind != .push || frames.isEmpty else { throw RESPRefusal(reason: "a push in a reply") }
    guard frames.count < RESPParser.depthMax else {
      throw RESPRefusal(reason: "lists in lists beyond \(RESPParser.depthMax)")
    }
    guard count > 0 else { return kind == .list ? .value(.list([])) : .opened }
    frames.append(Frame(kind: kind, rest: Int(count) * each))
    return .opened
  }

  private mutating func takeBulk(_ count: Int, _ type: UInt8) throws(RESPRefusal) -> Step {
    guard buffer.count - place >= count + 2 else { return .needsMore }
    let end = place + count
    guard buffer[end] == UInt8(ascii: "\r"), buffer[end + 1] == UInt8(ascii: "\n") else {
      throw RESPRefusal(reason: "\(count) bytes do not end where they should")
    }
    let bytes = buffer[place..<end]
    bulk = nil
    place = end + 2
    searched = place
    switch type {
    case UInt8(ascii: "!"): return .value(.error(text(bytes)))
    // Behind a format of three letters and a colon.
    case UInt8(ascii: "="): return .value(.bytes(Array(bytes.dropFirst(4))))
    default: return .value(.bytes(Array(bytes)))
    }
  }

  private mutating func takeLine() throws(RESPRefusal) -> ArraySlice<UInt8>? {
    searched = max(searched, place)
    while searched < buffer.count, buffer[searched] != UInt8(ascii: "\n") { searched += 1 }
    guard searched - place <= RESPParser.lineBytesMax else {
      throw RESPRefusal(reason: "a line of more than \(RESPParser.lineBytesMax) bytes")
    }
    guard searched < buffer.count else { return nil }
    guard searched > place, buffer[searched - 1] == UInt8(ascii: "\r") else {
      throw RESPRefusal(reason: "a line that does not end with CR LF")
    }
    defer { place = searched + 1 }
    return buffer[place..<searched - 1]
  }

  private func text(_ bytes: ArraySlice<UInt8>) -> String { String(decoding: bytes, as: UTF8.self) }

  private func integer(_ bytes: ArraySlice<UInt8>) throws(RESPRefusal) -> Int64 {
    if let value = digits(bytes) { return value }
    guard bytes.count <= 20, let value = Int64(text(bytes)) else {
      throw RESPRefusal(reason: "'\(text(bytes.prefix(32)))' is no integer")
    }
    return value
  }

  /// What lengths are mostly: a few digits.
  private func digits(_ bytes: ArraySlice<UInt8>) -> Int64? {
    guard !bytes.isEmpty, bytes.count <= 18 else { return nil }
    var value: Int64 = 0
    for byte in bytes {
      let digit = byte &- UInt8(ascii: "0")
      guard digit < 10 else { return nil }
      value = value * 10 + Int64(digit)
    }
    return value
  }
}
