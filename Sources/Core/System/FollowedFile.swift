// A file that grows, read to its end and beyond, as `tail -F` does. When the file is moved away and another one
// made in its place (rotation by renaming), or emptied (rotation by copying), reading goes on with what is
// there now; what the old one still held has been read before.

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

public final class FollowedFile: ByteSource {
  public let name: String
  private var descriptor: Int32
  private var identity: Syscall.Identity
  private var position = 0
  private var lastByte = UInt8(ascii: "\n")
  /// A look costs a system call or two.
  private static let pauseMilliseconds = 10

  public init(_ path: String) throws(Failure) {
    name = path
    do throws(SystemError) {
      descriptor = try Syscall.open(path, O_RDONLY)
      identity = try Syscall.identity(descriptor)
    } catch {
      throw .inputOutput("\(path): \(error.reason)")
    }
  }

  deinit { Syscall.close(descriptor) }

  public func read(into buffer: UnsafeMutableRawBufferPointer) throws(Failure) -> Int {
    while true {
      // In this order: whatever was written before the file was replaced is read first.
      let wasReplaced = isReplaced
      let count = try attempt { () throws(SystemError) in try Syscall.read(descriptor, buffer) }
      if count > 0 {
        position += count
        lastByte = buffer[count - 1]
        return count
      }
      if wasReplaced {
        try reopen()
        // A last line without an end must not run into the new file's first.
        guard lastByte != UInt8(ascii: "\n") else { continue }
        lastByte = UInt8(ascii: "\n")
        buffer[0] = lastByte
        return 1
      }
      if Signals.sleep(milliseconds: FollowedFile.pauseMilliseconds) { return 0 }
    }
  }

  public func mustWait() throws(Failure) -> Bool { try mustWait(milliseconds: 0) }

  public func mustWait(milliseconds: Int) throws(Failure) -> Bool {
    var left = milliseconds
    while true {
      let size = try attempt { () throws(SystemError) in try Syscall.size(descriptor) }
      if size > position || isReplaced { return false }
      if left <= 0 { return true }
      if Signals.sleep(milliseconds: min(left, FollowedFile.pauseMilliseconds)) { return false }
      left -= FollowedFile.pauseMilliseconds
    }
  }

  /// True if another file stands in this one's place, or this one has become shorter. While there is none, the
  /// next one is waited for.
  private var isReplaced: Bool {
    guard let now = try? Syscall.identity(name) else { return false }
    return now.file != identity.file || now.size < position
  }

  private func reopen() throws(Failure) {
    let opened = try attempt { () throws(SystemError) in try Syscall.open(name, O_RDONLY) }
    Syscall.close(descriptor)
    descriptor = opened
    identity = try attempt { () throws(SystemError) in try Syscall.identity(opened) }
    position = 0
  }

  private func attempt<Result>(_ body: () throws(SystemError) -> Result) throws(Failure) -> Result {
    do throws(SystemError) {
      return try body()
    } catch {
      throw .inputOutput("\(name): \(error.call): \(error.reason)")
    }
  }
}
