// A source cut into blocks of whole lines, for several threads to read. What a line is, and how much of one that is too long is
// kept, is for the `LineReader` of a block to say.
//
//     source:   a line \n another \n the thi │ rd \n …
//     blocks:   ├────────────────────┤├─ carried over ──▶

struct LineBlock: Sendable {
  /// Its bytes, and `LineReader.padding` behind them at least.
  fileprivate var room: [UInt8]
  fileprivate var count = 0
  /// Bytes before the block in its source.
  fileprivate(set) var offset = 0

  /// - Parameter body: is given its lines; they stand in the block and are gone with it.
  func withLines<Result>(
    isFirst: Bool, lineBytesMax: Int, _ body: (LineReader) -> Result
  ) -> Result {
    room.withUnsafeBufferPointer { room in
      body(
        LineReader(
          inPlace: Bytes(UnsafeBufferPointer(rebasing: room[..<count])), isStart: isFirst,
          lineBytesMax: lineBytesMax))
    }
  }

  /// Behind the last line feed from `start` on.
  fileprivate func end(from start: Int) -> Int? {
    room[start..<count].lastIndex(of: 0x0A).map { $0 + 1 }
  }

  fileprivate mutating func append(_ bytes: [UInt8]) {
    grow(bytes.count)
    room.replaceSubrange(count..<count + bytes.count, with: bytes)
    count += bytes.count
  }

  /// Reads behind what is there, which stays all that counts.
  fileprivate mutating func read(_ source: any ByteSource, _ most: Int) throws(Failure) -> Int {
    grow(most)
    let place = count..<count + most
    return try room.withUnsafeMutableBufferPointer { (room) throws(Failure) in
      try source.read(
        into: UnsafeMutableRawBufferPointer(UnsafeMutableBufferPointer(rebasing: room[place])))
    }
  }

  private mutating func grow(_ more: Int) {
    let needed = count + more + LineReader.padding
    guard needed > room.count else { return }
    room += [UInt8](repeating: 0, count: max(needed, room.count * 2) - room.count)
  }
}

final class LineBlocks {
  private let source: any ByteSource
  private let blockBytes: Int
  private let lineBytesMax: Int
  private let readBytes: Int
  private let roomBytes: Int
  private var rest: [UInt8] = []
  private var offset = 0
  private(set) var isAtEnd = false
  /// Of blocks that are done with: to ask for new memory takes longer than to fill it.
  private var rooms: [[UInt8]] = []

  /// - Parameter blockBytes: a block of so many, and a line more, is not waited for; nor is one while nothing is ready.
  init(_ source: any ByteSource, blockBytes: Int, lineBytesMax: Int = Limits.lineBytesMax) {
    self.source = source
    self.blockBytes = blockBytes
    self.lineBytesMax = lineBytesMax
    readBytes = min(blockBytes, Limits.readBytes)
    roomBytes = blockBytes + readBytes + LineReader.padding
  }

  /// The next block; nil at the end.
  ///
  /// - Complexity: O(its bytes). Memory: a block and the longest line, at most `lineBytesMax` of it.
  func next() throws(Failure) -> LineBlock? {
    var block = LineBlock(room: rooms.popLast() ?? [UInt8](repeating: 0, count: roomBytes))
    block.append(rest)
    var end = block.end(from: 0)
    var dropped = 0
    while !isAtEnd {
      if end != nil, block.count >= blockBytes { break }
      if end != nil, try source.mustWait() { break }
      let count = try block.read(source, readBytes)
      isAtEnd = count == 0
      if end == nil, block.count > lineBytesMax {
        // Of a line that is too long only its beginning is kept, and the block ends with it: behind it, places in the
        // block would no longer be places in the source.
        let piece = block.count..<block.count + count
        let feed = block.room[piece].firstIndex(of: 0x0A) ?? piece.upperBound
        dropped += feed - piece.lowerBound
        if feed == piece.upperBound { continue }
        block.room.removeSubrange(piece.lowerBound..<feed)
        end = block.count + 1
        block.count += piece.upperBound - feed
        break
      }
      let before = block.count
      block.count += count
      if let found = block.end(from: before) { end = found }
    }
    // The last line of a source may lack its end.
    let cut = isAtEnd && dropped == 0 ? block.count : end ?? block.count
    guard cut > 0 else { return nil }
    rest.removeAll(keepingCapacity: true)
    rest.append(contentsOf: block.room[cut..<block.count])
    block.count = cut
    block.offset = offset
    offset += cut + dropped
    return block
  }

  /// Takes back the memory of a block that nobody reads any more; one that a long line has made larger is let go.
  func reuse(_ block: LineBlock) {
    if block.room.count == roomBytes { rooms.append(block.room) }
  }

  /// Whether anything may follow.
  var isDone: Bool { isAtEnd && rest.isEmpty }
}
