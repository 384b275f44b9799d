// Lines out of a stream through one rolling buffer: large reads, no copy and no allocation per line. A line
// that does not fit is reported and passed over to its end; it never grows the buffer beyond the limit. A byte
// order mark (EF BB BF) at the start of the source belongs to no line; anywhere else it is text like any.
//
//     buffer:  [ used up | a line \n another \n the start of a th | free ]
//                        ^ start             ^ scanned            ^ filled

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// A line as it came, without its line end.
public struct Line {
  /// Valid until the next line is asked for. Where the line was too long, its beginning.
  public let bytes: Bytes
  /// Counted from 1.
  public let number: Int
  /// Bytes before the line in its source.
  public let offset: Int
  public let fault: Fault?
  /// Its line end was a carriage return and a line feed.
  public let endedInReturn: Bool

  public enum Fault: Sendable {
    /// Longer than the reader's limit.
    case tooLong
    /// The source ended before a line feed.
    case unterminated
  }
}

public final class LineReader {
  public let source: any ByteSource
  /// Bytes behind every line that may be loaded (not read): what stands there means nothing.
  public static let padding = 32
  private let lineBytesMax: Int
  private var buffer: UnsafeMutablePointer<UInt8>
  /// False where somebody else's bytes are read in place; they are never written.
  private let ownsBuffer: Bool
  private var capacity: Int
  private var start = 0
  private var scanned = 0
  private var filled = 0
  private var atEnd = false
  private var isPastMark = false
  /// Of the next line.
  private var number = 1
  private var offset = 0
  /// How often the source was read: what is asked for between two reads has come at one time.
  public private(set) var readCount = 0
  /// Called before a read that would have to wait, so that output does not wait for input.
  public var beforeWaiting: (() throws(Failure) -> Void)?

  public init(
    _ source: any ByteSource, lineBytesMax: Int = Limits.lineBytesMax,
    readBytes: Int = Limits.readBytes
  ) {
    precondition(lineBytesMax > 0 && readBytes > 0, "limits are at least one byte")
    self.source = source
    self.lineBytesMax = lineBytesMax
    self.capacity = readBytes
    self.buffer = LineReader.allocate(readBytes)
    self.ownsBuffer = true
  }

  /// Lines of what is in memory as a whole, where they stand: nothing is copied.
  ///
  /// - Parameters:
  ///   - bytes: with `padding` bytes behind them that may be loaded; valid as long as the reader is.
  ///   - isStart: a byte order mark at the start of them belongs to no line.
  init(inPlace bytes: Bytes, isStart: Bool, lineBytesMax: Int) {
    source = MemorySource([])
    self.lineBytesMax = lineBytesMax
    capacity = bytes.count
    buffer = UnsafeMutablePointer(mutating: bytes.base)
    ownsBuffer = false
    filled = bytes.count
    // With nothing to come, the buffer is neither moved nor filled.
    atEnd = true
    isPastMark = true
    guard isStart, bytes.starts(with: LineReader.mark) else { return }
    (start, scanned, offset) = (LineReader.mark.count, LineReader.mark.count, LineReader.mark.count)
  }

  private static let mark = Bytes("\u{feff}")

  private static func allocate(_ capacity: Int) -> UnsafeMutablePointer<UInt8> {
    let buffer = UnsafeMutablePointer<UInt8>.allocate(capacity: capacity + padding)
    (buffer + capacity).initialize(repeating: 0, count: padding)
    return buffer
  }

  deinit {
    if ownsBuffer { buffer.deallocate() }
  }

  /// Lines up to here, blank ones too.
  var lineCount: Int { number - 1 }

  /// The next line that is not blank, or nil at the end.
  public func next() throws(Failure) -> Line? {
    // Nearly all lines are whole in the buffer, and neither blank nor too long.
    if scanned < filled, let found = memchr(buffer + scanned, 0x0A, filled - scanned) {
      let end = found - UnsafeMutableRawPointer(buffer)
      if end - start <= lineBytesMax, !Bytes.isBlank(buffer[start]) {
        return take(upTo: end, consumed: end + 1, fault: nil)
      }
      scanned = end
    }
    while let line = try nextIncludingBlank() {
      // Nearly all lines begin with a brace.
      if let first = line.bytes.first, !Bytes.isBlank(first) { return line }
      if line.fault == .tooLong || !line.bytes.trimmed.isEmpty { return line }
    }
    return nil
  }

  /// Looks at lines behind the one at hand, as far as they are whole in the buffer; they are still to come.
  ///
  /// - Parameters:
  ///   - max: how many at most, blank ones included.
  ///   - look: is given each without its line feed; `padding` bytes behind it may be loaded.
  /// - Complexity: O(bytes of these lines).
  public func peekLines(_ max: Int, _ look: (Bytes) -> Void) {
    var place = start
    for _ in 0..<max {
      guard place < filled, let found = memchr(buffer + place, 0x0A, filled - place) else { return }
      let end = found - UnsafeMutableRawPointer(buffer)
      look(Bytes(base: UnsafePointer(buffer + place), count: end - place))
      place = end + 1
    }
  }

  /// The next byte that is not blank, left where it is; nil at the end.
  public func peekByte() throws(Failure) -> UInt8? {
    if !isPastMark { try passMark() }
    var index = start
    while true {
      while index < filled {
        if !Bytes.isBlank(buffer[index]) { return buffer[index] }
        index += 1
      }
      if atEnd || filled - start > lineBytesMax { return nil }
      let distance = index - start
      try fill()
      index = start + distance
    }
  }

  /// The next line, even if it is blank; nil at the end.
  func nextIncludingBlank() throws(Failure) -> Line? {
    if !isPastMark { try passMark() }
    while true {
      if let end = endOfLine() { return take(upTo: end, consumed: end + 1, fault: nil) }
      if filled - start > lineBytesMax { return try passOverLongLine() }
      if atEnd {
        return filled > start ? take(upTo: filled, consumed: filled, fault: .unterminated) : nil
      }
      try fill()
    }
  }

  /// Reads as far as it takes to know whether the source begins with a byte order mark.
  @inline(never)
  private func passMark() throws(Failure) {
    let mark = LineReader.mark
    isPastMark = true
    while filled < mark.count, !atEnd,
      mark.starts(with: Bytes(base: UnsafePointer(buffer), count: filled))
    {
      try fill()
    }
    guard Bytes(base: UnsafePointer(buffer), count: filled).starts(with: mark) else { return }
    start = mark.count
    scanned = start
    offset = start
  }

  @inline(__always)
  private func endOfLine() -> Int? {
    guard scanned < filled else { return nil }
    guard let found = memchr(buffer + scanned, 0x0A, filled - scanned) else {
      scanned = filled
      return nil
    }
    scanned = found - UnsafeMutableRawPointer(buffer)
    return scanned - start > lineBytesMax ? nil : scanned
  }

  @inline(__always)
  private func take(upTo end: Int, consumed: Int, fault: Line.Fault?) -> Line {
    var count = end - start
    let endedInReturn = count > 0 && buffer[end - 1] == UInt8(ascii: "\r")
    if endedInReturn { count -= 1 }
    let line = Line(
      bytes: Bytes(base: UnsafePointer(buffer + start), count: count), number: number,
      offset: offset,
      fault: fault, endedInReturn: endedInReturn)
    number += 1
    offset += consumed - start
    start = consumed
    scanned = consumed
    return line
  }

  /// Keeps the line's beginning for the message and drops the rest up to the next line feed.
  private func passOverLongLine() throws(Failure) -> Line? {
    // The same however the line arrives.
    let kept = min(lineBytesMax, 256)
    var dropped = 0
    while true {
      if scanned < filled {
        let found = memchr(buffer + scanned, 0x0A, filled - scanned)
        scanned = found.map { $0 - UnsafeMutableRawPointer(buffer) } ?? filled
        if found != nil { break }
      }
      dropped += scanned - (start + kept)
      scanned = start + kept
      filled = start + kept
      if atEnd { break }
      try fill()
    }
    let lineFeed = scanned < filled ? 1 : 0
    let line = Line(
      bytes: Bytes(base: UnsafePointer(buffer + start), count: kept), number: number,
      offset: offset,
      fault: .tooLong, endedInReturn: false)
    number += 1
    offset += scanned + lineFeed - start + dropped
    start = scanned + lineFeed
    scanned = start
    return line
  }

  private func fill() throws(Failure) {
    if start > 0 {
      buffer.update(from: buffer + start, count: filled - start)
      filled -= start
      scanned -= start
      start = 0
    }
    if filled == capacity { grow() }
    if let beforeWaiting, try source.mustWait() { try beforeWaiting() }
    let free = UnsafeMutableRawBufferPointer(start: buffer + filled, count: capacity - filled)
    let read = try source.read(into: free)
    readCount += 1
    atEnd = read == 0
    filled += read
  }

  private func grow() {
    let larger = LineReader.allocate(capacity * 2)
    larger.update(from: buffer, count: filled)
    buffer.deallocate()
    buffer = larger
    capacity *= 2
  }
}
