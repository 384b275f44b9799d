// Lines on their way into a file, which never keep a reply waiting: loops put them into a buffer under a lock, a thread
// of its own writes them. What does not fit into the buffer, because the disk does not keep up, is counted
// and dropped.

public import Core
import Synchronization

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

public final class LogWriter: Sendable {
  private struct State: Sendable {
    var bytes: [UInt8] = []
    var dropped = 0
    var isClosed = false
    var wantsReopening = false
  }

  /// For messages and metrics.
  public let name: String
  private let state = Mutex(State())
  private let bytesMax: Int

  /// - Parameter bytesMax: that may wait for the disk.
  public init(name: String, bytesMax: Int = Limits.logBytesMax) {
    self.name = name
    self.bytesMax = bytesMax
  }

  /// Lines that did not fit.
  public var dropped: Int { state.withLock { $0.dropped } }

  /// Takes a line with its end.
  func append(_ line: Bytes) {
    state.withLock { state in
      guard state.bytes.count + line.count <= bytesMax else {
        state.dropped += 1
        return
      }
      state.bytes.append(contentsOf: line.buffer)
    }
  }

  /// Goes on in what now stands under the file's name, behind what was taken so far.
  public func reopen() { state.withLock { $0.wantsReopening = true } }

  /// Nothing more will come.
  public func close() { state.withLock { $0.isClosed = true } }

  /// Writes what comes until it is closed and all is written.
  ///
  /// - Parameter fail: told once what the disk says; from then on lines are dropped.
  public func run(into file: any LineDestination, onFailure fail: (SystemError) -> Void) {
    var waiting: [UInt8] = []
    while true {
      let (isClosed, wantsReopening) = state.withLock { state in
        swap(&waiting, &state.bytes)
        defer { state.wantsReopening = false }
        return (state.isClosed, state.wantsReopening)
      }
      do throws(SystemError) {
        if !waiting.isEmpty {
          try waiting.withBytes { (bytes) throws(SystemError) in try file.write(bytes) }
        }
        if wantsReopening { try file.reopen() }
      } catch {
        fail(error)
        return giveUp()
      }
      if waiting.isEmpty {
        if isClosed { return }
        usleep(20_000)
      }
      waiting.removeAll(keepingCapacity: true)
    }
  }

  /// Drops lines until it is closed.
  private func giveUp() {
    while true {
      let isClosed = state.withLock { state in
        if !state.bytes.isEmpty {
          state.dropped += state.bytes.count(where: { $0 == UInt8(ascii: "\n") })
          state.bytes.removeAll()
        }
        return state.isClosed
      }
      if isClosed { return }
      usleep(20_000)
    }
  }
}
