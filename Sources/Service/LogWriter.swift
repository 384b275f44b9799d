// Lines on their way into a file, which never keep a reply waiting: loops put them into a buffer under a lock, a thread
// of its own writes them. What does not fit into the buffer, because the disk does not keep up, is counted
// and dropped; so is all while the file cannot be written, which is tried again now and then, and when it is reopened.

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
  private static let turnMicroseconds: UInt32 = 20_000
  /// Five seconds.
  private static let retryTurns = 250

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
  /// - Parameter fail: told what the disk says whenever lines can no longer be written; until they can they are dropped.
  public func run(into file: any LineDestination, onFailure fail: (SystemError) -> Void) {
    var waiting: [UInt8] = []
    // Until a file that cannot be written is tried again; nil while it can.
    var turnsLeft: Int?
    while true {
      let (isClosed, wantsReopening) = state.withLock { state in
        swap(&waiting, &state.bytes)
        defer { state.wantsReopening = false }
        return (state.isClosed, state.wantsReopening)
      }
      let mustWait = waiting.isEmpty || turnsLeft != nil
      if let turns = turnsLeft, turns > 0, !wantsReopening {
        turnsLeft = turns - 1
        drop(waiting)
      } else {
        do throws(SystemError) {
          if turnsLeft != nil { try file.reopen() }
          try write(waiting, to: file)
          if wantsReopening, turnsLeft == nil { try file.reopen() }
          turnsLeft = nil
        } catch {
          // That it still is as it was is no news.
          if turnsLeft == nil { fail(error) } else { drop(waiting) }
          turnsLeft = LogWriter.retryTurns
        }
      }
      if mustWait {
        if isClosed { return }
        usleep(LogWriter.turnMicroseconds)
      }
      waiting.removeAll(keepingCapacity: true)
    }
  }

  private func write(_ lines: [UInt8], to file: any LineDestination) throws(SystemError) {
    guard !lines.isEmpty else { return }
    try lines.withBytes { (bytes) throws(SystemError) in try file.write(bytes) }
  }

  private func drop(_ lines: [UInt8]) {
    guard !lines.isEmpty else { return }
    let count = lines.count(where: { $0 == UInt8(ascii: "\n") })
    state.withLock { $0.dropped += count }
  }
}
