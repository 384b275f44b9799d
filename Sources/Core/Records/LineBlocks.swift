// A source cut into blocks of whole lines, for several threads to read. What a line is, and how much of one that is too long is
// kept, is for the `LineReader` of a block to say.
//
//     source:   a line \n another \n the thi │ rd \n …
//     blocks:   ├────────────────────┤├─ carried over ──▶

struct LineBlock: Sendable {
  let bytes: [UInt8]
  /// Bytes before the block in its source.
  let offset: Int
}

final class LineBlocks {
  private let source: any ByteSource
  private let blockBytes: Int
  private let lineBytesMax: Int
  private let room: UnsafeMutableRawBufferPointer
  private var rest: [UInt8] = []
  private var offset = 0
  private(set) var isAtEnd = false

  /// - Parameter blockBytes: a block of so many, and a line more, is not waited for; nor is one while nothing is ready.
  init(_ source: any ByteSource, blockBytes: Int, lineBytesMax: Int = Limits.lineBytesMax) {
    self.source = source
    self.blockBytes = blockBytes
    self.lineBytesMax = lineBytesMax
    room = .allocate(byteCount: min(blockBytes, Limits.readBytes), alignment: 16)
  }

  deinit { room.deallocate() }

  /// The next block; nil at the end.
  ///
  /// - Complexity: O(its bytes). Memory: a block and the longest line, at most `lineBytesMax` of it.
  func next() throws(Failure) -> LineBlock? {
    var bytes = rest
    bytes.reserveCapacity(blockBytes + room.count)
    var end = LineBlocks.end(of: bytes[...])
    var dropped = 0
    while !isAtEnd {
      if end != nil, bytes.count >= blockBytes { break }
      if end != nil, try source.mustWait() { break }
      let count = try source.read(into: room)
      isAtEnd = count == 0
      var piece = UnsafeRawBufferPointer(rebasing: room[..<count])
      if end == nil, bytes.count > lineBytesMax {
        // Of a line that is too long only its beginning is kept, and the block ends with it: behind it, places in the
        // block would no longer be places in the source.
        let feed = piece.firstIndex(of: 0x0A) ?? count
        dropped += feed
        piece = UnsafeRawBufferPointer(rebasing: piece[feed...])
        if piece.isEmpty { continue }
        end = bytes.count + 1
        bytes.append(contentsOf: piece)
        break
      }
      let before = bytes.count
      bytes.append(contentsOf: piece)
      if let found = LineBlocks.end(of: bytes[before...]) { end = found }
    }
    // The last line of a source may lack its end.
    let cut = isAtEnd && dropped == 0 ? bytes.count : end ?? bytes.count
    guard cut > 0 else { return nil }
    rest = Array(bytes[cut...])
    bytes.removeLast(rest.count)
    defer { offset += cut + dropped }
    return LineBlock(bytes: bytes, offset: offset)
  }

  /// Whether anything may follow.
  var isDone: Bool { isAtEnd && rest.isEmpty }

  /// Behind the last line feed.
  private static func end(of bytes: ArraySlice<UInt8>) -> Int? {
    bytes.lastIndex(of: 0x0A).map { $0 + 1 }
  }
}
