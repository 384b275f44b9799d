// Room for strings whose escapes were resolved. What is handed out stays where it is until `reset`, however much
// more is asked for: a full chunk is kept and a larger one begun. After the first few records one
// chunk is large enough and nothing is allocated any more.

public final class TextScratch {
  private var chunk: UnsafeMutablePointer<UInt8>
  private var capacity = 256
  private var used = 0
  private var full: [UnsafeMutablePointer<UInt8>] = []

  public init() { chunk = .allocate(capacity: capacity) }

  deinit {
    reset()
    chunk.deallocate()
  }

  /// Takes everything back that was handed out.
  public func reset() {
    used = 0
    guard !full.isEmpty else { return }
    for old in full { old.deallocate() }
    full.removeAll(keepingCapacity: true)
  }

  /// - Parameter text: a string's content, accepted by the scanner.
  public func unescape(_ text: Bytes) -> Bytes {
    // Resolved text is never longer than its escapes.
    if used + text.count > capacity {
      full.append(chunk)
      capacity = max(capacity * 2, text.count)
      chunk = .allocate(capacity: capacity)
      used = 0
    }
    let start = used
    JSONText.unescape(text) { byte in
      chunk[used] = byte
      used += 1
    }
    return Bytes(base: UnsafePointer(chunk + start), count: used - start)
  }
}
