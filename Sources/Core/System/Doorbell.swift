// One thread waits for work that others bring. A pipe, as the loops have it: a ring that comes between the look at the
// work and the wait is not lost.

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

public final class Doorbell: Sendable {
  private let reader: Int32
  private let writer: Int32

  public init() throws(Failure) {
    var ends: [Int32] = [-1, -1]
    guard pipe(&ends) == 0 else {
      throw .inputOutput("pipe: \(String(cString: strerror(errno)))")
    }
    for end in ends {
      _ = fcntl(end, F_SETFD, FD_CLOEXEC)
      _ = fcntl(end, F_SETFL, O_NONBLOCK)
    }
    (reader, writer) = (ends[0], ends[1])
  }

  deinit {
    close(reader)
    close(writer)
  }

  /// Never waits: a full pipe rings as well.
  public func ring() {
    var byte: UInt8 = 0
    _ = write(writer, &byte, 1)
  }

  /// Waits for a ring since the last wait, at most so long; -1: without end.
  public func wait(milliseconds: Int32) {
    var entry = pollfd(fd: reader, events: Int16(POLLIN), revents: 0)
    // A signal ends the wait early, and whoever waits looks again.
    guard poll(&entry, 1, milliseconds) > 0 else { return }
    withUnsafeTemporaryAllocation(byteCount: 256, alignment: 1) { room in
      while read(reader, room.baseAddress, room.count) == room.count {}
    }
  }
}
