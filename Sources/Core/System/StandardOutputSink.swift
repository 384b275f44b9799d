// stdout of a server, which waits for a slow reader as long as it runs, and no longer than it may when it ends. A pipe that
// has room takes at least its atomic share at once, so no write of that size waits for the reader.

import Synchronization

public final class StandardOutputSink: ByteSink, Sendable {
  private static let bytesAtOnce = 4_096
  private static let milliseconds: Int32 = 100

  private let clock: any Clock
  /// Monotonic nanoseconds after which a reader that takes nothing is given up.
  private let end = Atomic<UInt64>(.max)

  public init(_ clock: any Clock) { self.clock = clock }

  /// From another thread: what the reader has not taken after these spans is not written.
  public func giveUp(after spans: TimeSpan...) {
    let now = clock.monotonicNanoseconds()
    end.store(spans.reduce(now) { $0 + $1.nanoseconds }, ordering: .relaxed)
  }

  public func write(_ bytes: Bytes) throws(Failure) {
    var written = 0
    while written < bytes.count {
      let part = min(StandardOutputSink.bytesAtOnce, bytes.count - written)
      if try write(part: bytes[written..<written + part]) {
        written += part
      } else if clock.monotonicNanoseconds() >= end.load(ordering: .relaxed) {
        throw .inputOutput("stdout: its reader takes nothing: what it has not taken is not written")
      }
    }
  }

  /// False where there is still no room.
  private func write(part: Bytes) throws(Failure) -> Bool {
    do throws(SystemError) {
      guard try Syscall.writable(1, timeoutMilliseconds: StandardOutputSink.milliseconds) else {
        return false
      }
      try Syscall.writeAll(1, part)
      return true
    } catch {
      if error.isBrokenPipe { throw .outputClosed }
      throw .inputOutput("stdout: \(error.call): \(error.reason)")
    }
  }
}
