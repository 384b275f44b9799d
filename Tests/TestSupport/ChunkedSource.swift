// Input in memory, handed over in pieces of the test's choosing: a reader must give the same result
// wherever the pieces end. Before each piece it says that it would have to wait, as a slow pipe
// would.

public import Core

public final class ChunkedSource: ByteSource {
  public let name: String
  private var chunks: [ArraySlice<UInt8>]
  /// Pieces handed over so far.
  public private(set) var reads = 0
  private let waits: Bool

  /// - Parameters:
  ///   - cuts: where one piece ends and the next begins, ascending.
  ///   - waits: what `mustWait` answers.
  public init(_ bytes: [UInt8], cuts: [Int] = [], name: String = "test", waits: Bool = false) {
    self.name = name
    self.waits = waits
    let ends = cuts + [bytes.count]
    chunks = zip([0] + cuts, ends).map { bytes[$0..<$1] }.filter { !$0.isEmpty }.reversed()
  }

  public convenience init(_ text: String, name: String = "test") {
    self.init(Array(text.utf8), name: name)
  }

  /// Pieces of `size` bytes.
  public convenience init(_ bytes: [UInt8], pieces size: Int) {
    self.init(bytes, cuts: Array(stride(from: size, to: bytes.count, by: size)))
  }

  public func read(into buffer: UnsafeMutableRawBufferPointer) throws(Failure) -> Int {
    guard let chunk = chunks.popLast() else { return 0 }
    reads += 1
    let taken = chunk.prefix(buffer.count)
    buffer.copyBytes(from: taken)
    if taken.count < chunk.count { chunks.append(chunk.dropFirst(taken.count)) }
    return taken.count
  }

  public func mustWait() throws(Failure) -> Bool { waits }
}

/// A sink that fails once it was given so many bytes, as a full disk does.
public final class FullSink: ByteSink {
  public private(set) var bytes: [UInt8] = []
  private let room: Int

  public init(room: Int) { self.room = room }

  public func write(_ bytes: Bytes) throws(Failure) {
    guard self.bytes.count + bytes.count <= room else {
      throw .inputOutput("full: write: No space left on device")
    }
    self.bytes.append(contentsOf: bytes.buffer)
  }
}
