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
  private let makeParser: @Sendable () -> (BlockLines) -> Found

  /// - Parameter parser: made once in each thread; takes all lines of a block, and what it says of them must not refer to
  ///   their bytes.
  public init(
    threads: Int, blockBytes: Int = ParallelLines.blockBytes,
    lineBytesMax: Int = Limits.lineBytesMax,
    parser: @escaping @Sendable () -> (BlockLines) -> Found
  ) {
    self.threads = min(max(1, threads), ParallelLines.threadsMax)
    self.blockBytes = blockBytes
    self.lineBytesMax = lineBytesMax
    makeParser = parser
  }

  /// Reads all lines of a source that are not blank.
  ///
  /// - Parameter take: is told of each block in order, with how many lines and bytes there were before it: with those, numbers
  ///   and places of its lines are as `LineReader` gives them.
  /// - Complexity: O(bytes); memory for two blocks a thread, and what was found in them.
  public func read(
    _ source: any ByteSource,
    _ take: (_ found: Found, _ before: (lines: Int, bytes: Int)) throws(Failure) -> Void
  ) throws(Failure) {
    let blocks = LineBlocks(source, blockBytes: blockBytes, lineBytesMax: lineBytesMax)
    guard let first = try blocks.next() else { return }
    if blocks.isDone {
      // Not worth a thread.
      let parser = BlockParser(makeParser(), lineBytesMax)
      let parsed = parser.parse(first, isFirst: true)
      return try take(parsed.found, (0, parsed.block.offset))
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
      try take(parsed.found, (lines, parsed.block.offset))
      lines += parsed.lineCount
      blocks.reuse(parsed.block)
    }
  }
}

/// The lines of a block that are not blank, numbers and places counted from its start.
public struct BlockLines {
  fileprivate let reader: LineReader

  /// Valid until the next one is asked for; nil at the end.
  public func next() -> Line? {
    // What is in memory does not fail.
    try? reader.next()
  }
}

/// What was found in a block, and the block, to be filled again.
private struct ParsedBlock<Found: Sendable>: Sendable {
  let block: LineBlock
  let found: Found
  let lineCount: Int
}

/// One thread's parser.
private final class BlockParser<Found: Sendable> {
  private let parse: (BlockLines) -> Found
  private let lineBytesMax: Int

  init(_ parse: @escaping (BlockLines) -> Found, _ lineBytesMax: Int) {
    self.parse = parse
    self.lineBytesMax = lineBytesMax
  }

  /// - Parameter isFirst: a byte order mark is one at the start of the source only.
  func parse(_ block: LineBlock, isFirst: Bool) -> ParsedBlock<Found> {
    block.withLines(isFirst: isFirst, lineBytesMax: lineBytesMax) { reader in
      let found = parse(BlockLines(reader: reader))
      // Those that the parser has left.
      while (try? reader.next()) != nil {}
      return ParsedBlock(block: block, found: found, lineCount: reader.lineCount)
    }
  }
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
    threads count: Int, lineBytesMax: Int,
    _ makeParser: @escaping @Sendable () -> (BlockLines) -> Found
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
