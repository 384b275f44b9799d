// Files behind two small protocols, so that whatever must survive a crash is tested against a simulated disk
// that can lose power between any two operations (see `SimulatedFileSystem`).

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

public enum OpenMode: Sendable {
  case read
  /// Made if it is not there; writes go to the end.
  case append
  /// Made, or emptied.
  case replace
}

/// An open file. Reads and appends go forward from where the last one ended.
public protocol File: AnyObject {
  /// Returns how many bytes were read; 0 at the end.
  func read(into buffer: UnsafeMutableRawBufferPointer) throws(SystemError) -> Int
  /// Reads from a place of its own, without moving where the next read goes on. Returns how many bytes were
  /// read; 0 at or behind the end.
  func read(
    into buffer: UnsafeMutableRawBufferPointer, at offset: Int
  ) throws(SystemError) -> Int
  func write(_ bytes: Bytes) throws(SystemError)
  /// Returns when everything written so far is on the disk. After a failure nothing is certain: do not retry.
  func sync() throws(SystemError)
  func truncate(to size: Int) throws(SystemError)
  /// Bytes in the file now.
  func size() throws(SystemError) -> Int
}

public protocol FileSystem: Sendable {
  func open(_ path: String, _ mode: OpenMode) throws(SystemError) -> any File
  func rename(_ from: String, to: String) throws(SystemError)
  func remove(_ path: String) throws(SystemError)
  /// Makes names that were created, renamed or removed in the folder durable.
  func syncFolder(_ path: String) throws(SystemError)
  func exists(_ path: String) -> Bool
  /// The names in a folder, in no order.
  func names(in folder: String) throws(SystemError) -> [String]
  /// Whether what is there is no file of its own: a link, a device or a pipe.
  func standsForAnother(_ path: String) -> Bool
  /// Whether a file is there that can be read to its end, or a link to one: no folder, device or pipe.
  func isFile(_ path: String) -> Bool
  /// Makes the folder and those above it, if they are not there.
  func makeFolder(_ path: String) throws(SystemError)
  /// Takes the lock that the file at `path` stands for, or says who holds it. The file is made if it is not
  /// there, and stays.
  func lock(_ path: String) throws(SystemError) -> LockAnswer
}

/// A lock that is held until the object is gone or the process ends, however it ends.
public protocol FileLock: AnyObject {}

public enum LockAnswer {
  case taken(any FileLock)
  /// Another process holds it; nil where it has not yet said which.
  case held(by: Int?)
}

extension FileSystem {
  /// The whole file, or a failure that names it.
  public func contents(of path: String, bytesMax: Int) throws(Failure) -> [UInt8] {
    guard let bytes = try contentsIfThere(of: path, bytesMax: bytesMax) else {
      throw .inputOutput("\(path): \(SystemError(ENOENT, "open").reason)")
    }
    return bytes
  }

  /// The same, or nil where there is no such file.
  public func contentsIfThere(of path: String, bytesMax: Int) throws(Failure) -> [UInt8]? {
    // Of a file that was opened on a shared disk, another machine may swap another in before it is read.
    var attempts = 10
    while true {
      do throws(SystemError) {
        let file = try open(path, .read)
        let size = try file.size()
        guard size <= bytesMax else {
          throw SystemError(EFBIG, "read")
        }
        return try readAll(file, sizeHint: size, bytesMax: bytesMax)
      } catch {
        attempts -= 1
        if error.number == ESTALE, attempts > 0 { continue }
        if error.isMissingFile { return nil }
        if error.number == EFBIG {
          throw .inputOutput("\(path): larger than the limit of \(bytesMax) bytes")
        }
        throw .inputOutput("\(path): \(error.reason)")
      }
    }
  }

  private func readAll(
    _ file: any File, sizeHint: Int, bytesMax: Int
  ) throws(SystemError) -> [UInt8] {
    // The size is a hint only: pipes and /proc files say 0.
    var bytes = [UInt8](repeating: 0, count: max(sizeHint + 1, 4096))
    var count = 0
    while true {
      if count == bytes.count {
        bytes.append(contentsOf: repeatElement(0, count: count))
      }
      let read = try bytes.withUnsafeMutableBufferPointer { (buffer) throws(SystemError) in
        let free = UnsafeMutableBufferPointer(rebasing: buffer[count...])
        return try file.read(into: UnsafeMutableRawBufferPointer(free))
      }
      if read == 0 { break }
      count += read
      guard count <= bytesMax else { throw SystemError(EFBIG, "read") }
    }
    bytes.removeLast(bytes.count - count)
    return bytes
  }
}

/// The disk.
public struct RealFileSystem: FileSystem {
  public init() {}

  public func open(_ path: String, _ mode: OpenMode) throws(SystemError) -> any File {
    let flags: Int32 =
      switch mode {
      case .read: O_RDONLY
      case .append: O_RDWR | O_CREAT | O_APPEND
      case .replace: O_RDWR | O_CREAT | O_TRUNC
      }
    return RealFile(try Syscall.open(path, flags))
  }

  public func rename(_ from: String, to: String) throws(SystemError) {
    try Syscall.rename(from, to)
  }

  public func remove(_ path: String) throws(SystemError) { try Syscall.unlink(path) }

  public func syncFolder(_ path: String) throws(SystemError) {
    let descriptor = try Syscall.open(path, O_RDONLY | O_DIRECTORY)
    defer { Syscall.close(descriptor) }
    try Syscall.sync(descriptor)
  }

  public func exists(_ path: String) -> Bool { access(path, F_OK) == 0 }

  public func standsForAnother(_ path: String) -> Bool { Syscall.standsForAnother(path) }

  public func isFile(_ path: String) -> Bool { Syscall.isFile(path) }

  public func names(in folder: String) throws(SystemError) -> [String] {
    try Syscall.names(in: folder)
  }

  public func makeFolder(_ path: String) throws(SystemError) {
    guard !exists(path) else { return }
    let parent = AtomicFile.folder(of: path)
    if parent != path { try makeFolder(parent) }
    try Syscall.makeFolder(path)
    try syncFolder(parent)
  }

  public func lock(_ path: String) throws(SystemError) -> LockAnswer {
    let descriptor = try Syscall.open(path, O_RDWR | O_CREAT)
    do throws(SystemError) {
      guard try Syscall.lock(descriptor) else {
        let holder = RealFileSystem.number(in: descriptor)
        Syscall.close(descriptor)
        return .held(by: holder)
      }
      try Syscall.truncate(descriptor, to: 0)
      try Array("\(getpid())\n".utf8).withBytes { (bytes) throws(SystemError) in
        try Syscall.writeAll(descriptor, bytes)
      }
    } catch {
      Syscall.close(descriptor)
      throw error
    }
    return .taken(DescriptorLock(descriptor))
  }

  /// The process id that the holder of a lock wrote down.
  private static func number(in descriptor: Int32) -> Int? {
    var text = [UInt8](repeating: 0, count: 20)
    let count = text.withUnsafeMutableBytes { (buffer) in try? Syscall.read(descriptor, buffer) }
    return Int(String(decoding: text.prefix(count ?? 0).dropLast(), as: UTF8.self))
  }
}

/// The system gives an advisory lock back when its descriptor is closed, be it by a crash.
private final class DescriptorLock: FileLock {
  private let descriptor: Int32
  init(_ descriptor: Int32) { self.descriptor = descriptor }
  deinit { Syscall.close(descriptor) }
}

private final class RealFile: File {
  private let descriptor: Int32

  init(_ descriptor: Int32) { self.descriptor = descriptor }
  deinit { Syscall.close(descriptor) }

  func read(into buffer: UnsafeMutableRawBufferPointer) throws(SystemError) -> Int {
    try Syscall.read(descriptor, buffer)
  }
  func read(
    into buffer: UnsafeMutableRawBufferPointer, at offset: Int
  ) throws(SystemError) -> Int {
    try Syscall.read(descriptor, buffer, at: offset)
  }
  func write(_ bytes: Bytes) throws(SystemError) { try Syscall.writeAll(descriptor, bytes) }
  func sync() throws(SystemError) { try Syscall.sync(descriptor) }
  func truncate(to size: Int) throws(SystemError) { try Syscall.truncate(descriptor, to: size) }
  func size() throws(SystemError) -> Int { try Syscall.size(descriptor) }
}
