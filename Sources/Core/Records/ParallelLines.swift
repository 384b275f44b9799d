// Lines read by several threads, and what was read of them taken by the caller's, in their order: for commands whose time
// goes into understanding lines, not into what they are understood to say. `LineReader` is the twin with one thread.
//
//     source ─▶ blocks ─┬─▶ thread: lines ─▶ parser ─┬─▶ in the blocks' order ─▶ take
//                       └─▶ thread: lines ─▶ parser ─┘

import Synchronization

public struct ParallelLines<Found: Sendable> {
  /// Bytes of a block: some thousand lines, and small enough for the second-level caches of two.
  public static var blockBytes: Int { 512 << 10 }
  /// Threads beyond these wait for the one that takes.
  private static var threadsMax: Int { 4 }

  private let threads: Int
  private let blockBytes: Int
  private let lineBytesMax: Int
  private let makeParser: @Sendable () -> (Line) -> Found

  /// - Parameter parser: made once in each thread; what it says of a line must not refer to its bytes.
  public init(
    threads: Int, blockBytes: Int = ParallelLines.blockBytes,
    lineBytesMax: Int = Limits.lineBytesMax, parser: @escaping @Sendable () -> (Line) -> Found
  ) {
    self.threads = min(max(1, threads), ParallelLines.threadsMax)
    self.blockBytes = blockBytes
    self.lineBytesMax = lineBytesMax
    makeParser = parser
  }

  /// Reads all lines of a source that are not blank.
  ///
  /// - Parameter take: is told of each in order, with its number and place as `LineReader` gives them.
  /// - Complexity: O(bytes); memory for two blocks a thread, and what was found in them.
  public func read(
    _ source: any ByteSource,
    _ take: (_ found: Found, _ number: Int, _ offset: Int) throws(Failure) -> Void
  ) throws(Failure) {
    let blocks = LineBlocks(source, blockBytes: blockBytes, lineBytesMax: lineBytesMax)
    guard let first = try blocks.next() else { return }
    if blocks.isDone {
      // Not worth a thread.
      let parser = BlockParser(makeParser(), lineBytesMax)
      return try deliver(parser.parse(first, isFirst: true), before: 0, take)
    }
    let pool = try ParserPool(threads: threads, lineBytesMax: lineBytesMax, makeParser)
    defer { pool.close() }
    var lines = 0
    var (given, taken) = (0, 0)
    var next: LineBlock? = first
    while next != nil || taken < given {
      while let block = next, given - taken < 2 * threads {
        pool.give(block, number: given)
        given += 1
        next = try blocks.next()
      }
      let parsed = pool.result(taken)
      taken += 1
      try deliver(parsed, before: lines, take)
      lines += parsed.lineCount
    }
  }

  private func deliver(
    _ parsed: ParsedBlock<Found>, before lines: Int,
    _ take: (_ found: Found, _ number: Int, _ offset: Int) throws(Failure) -> Void
  ) throws(Failure) {
    for index in parsed.found.indices {
      let (number, offset) = parsed.places[index]
      try take(parsed.found[index], lines + Int(number), parsed.offset + Int(offset))
    }
  }
}

/// What was found in a block, line by line.
private struct ParsedBlock<Found: Sendable>: Sendable {
  let offset: Int
  var found: [Found] = []
  /// Numbers and places within the block.
  var places: [(number: Int32, offset: Int32)] = []
  var lineCount = 0
}

/// One thread's parser.
private final class BlockParser<Found: Sendable> {
  private let parse: (Line) -> Found
  private let lineBytesMax: Int
  /// Lines of a block, as the one before had.
  private var expected = 0

  init(_ parse: @escaping (Line) -> Found, _ lineBytesMax: Int) {
    self.parse = parse
    self.lineBytesMax = lineBytesMax
  }

  func parse(_ block: LineBlock, isFirst: Bool) -> ParsedBlock<Found> {
    var parsed = ParsedBlock<Found>(offset: block.offset)
    // A byte order mark is one at the start of the source only: before other blocks stands a blank line.
    let source = BlockSource(block.bytes, withBlankLine: !isFirst)
    let reader = LineReader(source, lineBytesMax: lineBytesMax)
    let blank = isFirst ? 0 : 1
    parsed.found.reserveCapacity(expected)
    parsed.places.reserveCapacity(expected)
    // A source in memory does not fail.
    while let line = try? reader.next() {
      parsed.found.append(parse(line))
      parsed.places.append((Int32(line.number - blank), Int32(line.offset - blank)))
    }
    parsed.lineCount = reader.lineCount - blank
    expected = parsed.found.count + parsed.found.count / 8
    return parsed
  }
}

private final class BlockSource: ByteSource {
  let name = "a block"
  private let bytes: [UInt8]
  private var place = 0
  private var owesBlankLine: Bool

  init(_ bytes: [UInt8], withBlankLine: Bool) {
    self.bytes = bytes
    owesBlankLine = withBlankLine
  }

  func read(into buffer: UnsafeMutableRawBufferPointer) -> Int {
    if owesBlankLine, !buffer.isEmpty {
      owesBlankLine = false
      buffer[0] = 0x0A
      return 1
    }
    let count = min(buffer.count, bytes.count - place)
    bytes.withUnsafeBytes { buffer.copyMemory(from: .init(rebasing: $0[place..<place + count])) }
    place += count
    return count
  }

  func mustWait() -> Bool { false }
}

/// Threads with a parser each; the block of number n is the one's of number n modulo threads.
private final class ParserPool<Found: Sendable> {
  private struct State: Sendable {
    var waiting: [[(number: Int, block: LineBlock)]]
    var parsed: [Int: ParsedBlock<Found>] = [:]
    var isClosed = false
  }

  private final class Shared: Sendable {
    let state: Mutex<State>
    /// One for each thread, and the last for who takes.
    let bells: [Doorbell]

    init(threads: Int) throws(Failure) {
      state = Mutex(State(waiting: Array(repeating: [], count: threads)))
      var bells: [Doorbell] = []
      for _ in 0...threads { bells.append(try Doorbell()) }
      self.bells = bells
    }

    func run(_ thread: Int, _ parser: BlockParser<Found>) {
      while true {
        let (next, isClosed) = state.withLock { state in
          let next = state.waiting[thread].isEmpty ? nil : state.waiting[thread].removeFirst()
          return (next, state.isClosed)
        }
        if isClosed { return }
        guard let next else {
          bells[thread].wait(milliseconds: -1)
          continue
        }
        let parsed = parser.parse(next.block, isFirst: next.number == 0)
        state.withLock { $0.parsed[next.number] = parsed }
        bells[bells.count - 1].ring()
      }
    }
  }

  private let shared: Shared
  private var threads: [WorkerThread] = []

  init(
    threads count: Int, lineBytesMax: Int, _ makeParser: @escaping @Sendable () -> (Line) -> Found
  ) throws(Failure) {
    let shared = try Shared(threads: count)
    self.shared = shared
    for thread in 0..<count {
      threads.append(
        try WorkerThread { shared.run(thread, BlockParser(makeParser(), lineBytesMax)) })
    }
  }

  func give(_ block: LineBlock, number: Int) {
    let thread = number % threads.count
    shared.state.withLock { $0.waiting[thread].append((number, block)) }
    shared.bells[thread].ring()
  }

  /// Waits for a block's.
  func result(_ number: Int) -> ParsedBlock<Found> {
    while true {
      if let parsed = shared.state.withLock({ $0.parsed.removeValue(forKey: number) }) {
        return parsed
      }
      shared.bells[threads.count].wait(milliseconds: -1)
    }
  }

  func close() {
    shared.state.withLock { $0.isClosed = true }
    for thread in threads.indices { shared.bells[thread].ring() }
    for thread in threads { thread.join() }
  }
}
