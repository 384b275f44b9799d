// The few system calls we make, each in one place: interrupted calls are made again here and nowhere else,
// and an error number becomes a typed error with the call's name. A descriptor that is not open (EBADF) or
// memory that is not ours (EFAULT) is a mistake of ours and stops the program; the three standard
// descriptors are the user's, who may well have closed them (`>&-`).

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// An operation that the system refused.
public struct SystemError: Error, Sendable, Equatable {
  public let number: Int32
  /// The operation, as in "open" or "fsync".
  public let call: String

  public init(_ number: Int32, _ call: String) {
    self.number = number
    self.call = call
  }

  /// The system's own words, such as "No space left on device".
  public var reason: String { String(cString: strerror(number)) }

  public var isBrokenPipe: Bool { number == EPIPE }
  public var isMissingFile: Bool { number == ENOENT }
  /// The file system has no locks, or nobody who keeps them.
  public var hasNoLocks: Bool { [ENOLCK, ENOSYS, EOPNOTSUPP].contains(number) }

  public static let interruptedBySimulation = SystemError(EIO, "simulated")
}

enum Syscall {
  @inline(__always)
  private static func retrying(
    _ call: StaticString, on descriptor: Int32? = nil, _ body: () -> Int
  ) throws(SystemError) -> Int {
    while true {
      let result = body()
      if result >= 0 { return result }
      let number = errno
      if number == EINTR { continue }
      let isGiven = descriptor.map { (0...2).contains($0) } ?? false
      precondition(
        (number != EBADF || isGiven) && number != EFAULT,
        "\(call): a descriptor or buffer of ours is invalid")
      throw SystemError(number, "\(call)")
    }
  }

  static func open(_ path: String, _ flags: Int32, _ mode: mode_t = 0o644) throws(SystemError)
    -> Int32
  {
    #if canImport(Glibc)
      Int32(try retrying("open") { Int(Glibc.open(path, flags | O_CLOEXEC, mode)) })
    #else
      Int32(try retrying("open") { Int(Darwin.open(path, flags | O_CLOEXEC, mode)) })
    #endif
  }

  /// Whether a descriptor was open when the program began and can be written to: all of our own are closed in programs that
  /// we start.
  static func isInherited(_ descriptor: Int32) -> Bool {
    guard descriptor >= 0 else { return false }
    let flags = fcntl(descriptor, F_GETFD)
    let mode = fcntl(descriptor, F_GETFL)
    return flags >= 0 && flags & FD_CLOEXEC == 0 && mode >= 0 && mode & O_ACCMODE != O_RDONLY
  }

  static func read(
    _ descriptor: Int32, _ buffer: UnsafeMutableRawBufferPointer
  ) throws(SystemError) -> Int {
    #if canImport(Glibc)
      try retrying("read", on: descriptor) {
        Glibc.read(descriptor, buffer.baseAddress, buffer.count)
      }
    #else
      try retrying("read", on: descriptor) {
        Darwin.read(descriptor, buffer.baseAddress, buffer.count)
      }
    #endif
  }

  static func read(
    _ descriptor: Int32, _ buffer: UnsafeMutableRawBufferPointer, at offset: Int
  ) throws(SystemError) -> Int {
    try retrying("read") { pread(descriptor, buffer.baseAddress, buffer.count, off_t(offset)) }
  }

  /// Writes all of it; a short write goes on where it stopped.
  static func writeAll(_ descriptor: Int32, _ bytes: Bytes) throws(SystemError) {
    var written = 0
    while written < bytes.count {
      #if canImport(Glibc)
        written += try retrying("write", on: descriptor) {
          Glibc.write(descriptor, bytes.base + written, bytes.count - written)
        }
      #else
        written += try retrying("write", on: descriptor) {
          Darwin.write(descriptor, bytes.base + written, bytes.count - written)
        }
      #endif
    }
  }

  /// Fills the places of standard descriptors that are closed, or the next file to be opened would take one
  /// and be read as stdin or written as stdout. What fills them can be neither: they fail as closed ones do.
  static func reserveStandardDescriptors() {
    for descriptor in Int32(0)...2 where fcntl(descriptor, F_GETFD) < 0 {
      #if canImport(Glibc)
        _ = Glibc.open("/dev/null", descriptor == 0 ? O_WRONLY : O_RDONLY)
      #else
        _ = Darwin.open("/dev/null", descriptor == 0 ? O_WRONLY : O_RDONLY)
      #endif
    }
  }

  static func sync(_ descriptor: Int32) throws(SystemError) {
    _ = try retrying("fsync") { Int(fsync(descriptor)) }
  }

  static func truncate(_ descriptor: Int32, to size: Int) throws(SystemError) {
    _ = try retrying("ftruncate") { Int(ftruncate(descriptor, off_t(size))) }
  }

  /// Not made again when interrupted: on Linux the descriptor is closed all the same.
  static func close(_ descriptor: Int32) {
    #if canImport(Glibc)
      _ = Glibc.close(descriptor)
    #else
      _ = Darwin.close(descriptor)
    #endif
  }

  static func rename(_ from: String, _ to: String) throws(SystemError) {
    #if canImport(Glibc)
      _ = try retrying("rename") { Int(Glibc.rename(from, to)) }
    #else
      _ = try retrying("rename") { Int(Darwin.rename(from, to)) }
    #endif
  }

  static func unlink(_ path: String) throws(SystemError) {
    #if canImport(Glibc)
      _ = try retrying("unlink") { Int(Glibc.unlink(path)) }
    #else
      _ = try retrying("unlink") { Int(Darwin.unlink(path)) }
    #endif
  }

  static func makeFolder(_ path: String) throws(SystemError) {
    do throws(SystemError) {
      _ = try retrying("mkdir") { Int(mkdir(path, 0o755)) }
    } catch {
      // Another process may have made it since it was looked for.
      guard error.number == EEXIST else { throw error }
    }
  }

  /// False when another open file holds the lock.
  static func lock(_ descriptor: Int32) throws(SystemError) -> Bool {
    do throws(SystemError) {
      _ = try retrying("flock") { Int(flock(descriptor, LOCK_EX | LOCK_NB)) }
      return true
    } catch {
      guard error.number == EWOULDBLOCK else { throw error }
      return false
    }
  }

  /// False where nothing is there.
  static func standsForAnother(_ path: String) -> Bool {
    var status = stat()
    guard lstat(path, &status) == 0 else { return false }
    let kind = status.st_mode & S_IFMT
    return kind != S_IFREG && kind != S_IFDIR
  }

  static func isFile(_ path: String) -> Bool {
    var status = stat()
    return stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFREG
  }

  static func names(in folder: String) throws(SystemError) -> [String] {
    guard let stream = opendir(folder) else { throw SystemError(errno, "opendir") }
    defer { closedir(stream) }
    var names: [String] = []
    while let entry = readdir(stream) {
      let name = withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
        String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
      }
      if name != ".", name != ".." { names.append(name) }
    }
    return names
  }

  static func size(_ descriptor: Int32) throws(SystemError) -> Int {
    var status = stat()
    _ = try retrying("fstat") { Int(fstat(descriptor, &status)) }
    return Int(status.st_size)
  }

  /// What tells one file from another, whatever they are called.
  struct Identity {
    struct File: Equatable {
      let device: UInt64
      let number: UInt64
    }
    let file: File
    let size: Int

    fileprivate init(_ status: stat) {
      file = File(
        device: UInt64(truncatingIfNeeded: status.st_dev),
        number: UInt64(truncatingIfNeeded: status.st_ino))
      size = Int(status.st_size)
    }
  }

  static func identity(_ descriptor: Int32) throws(SystemError) -> Identity {
    var status = stat()
    _ = try retrying("fstat") { Int(fstat(descriptor, &status)) }
    return Identity(status)
  }

  static func identity(_ path: String) throws(SystemError) -> Identity {
    var status = stat()
    _ = try retrying("stat") { Int(stat(path, &status)) }
    return Identity(status)
  }

  /// Whether a write would not wait; also where it would fail at once.
  static func writable(_ descriptor: Int32, timeoutMilliseconds: Int32) throws(SystemError) -> Bool
  {
    try withUnsafeTemporaryAllocation(of: pollfd.self, capacity: 1) {
      (entry) throws(SystemError) -> Bool in
      entry[0] = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
      return try retrying("poll") { Int(poll(entry.baseAddress!, 1, timeoutMilliseconds)) } > 0
    }
  }

  /// Which of the two descriptors can be read without waiting. `second` may be -1: none.
  static func readable(
    _ first: Int32, _ second: Int32, timeoutMilliseconds: Int32
  ) throws(SystemError) -> (first: Bool, second: Bool) {
    try withUnsafeTemporaryAllocation(of: pollfd.self, capacity: 2) {
      (entries) throws(SystemError) -> (first: Bool, second: Bool) in
      entries[0] = pollfd(fd: first, events: Int16(POLLIN), revents: 0)
      entries[1] = pollfd(fd: second, events: Int16(POLLIN), revents: 0)
      _ = try retrying("poll") { Int(poll(entries.baseAddress!, 2, timeoutMilliseconds)) }
      return (entries[0].revents != 0, entries[1].revents != 0)
    }
  }
}
