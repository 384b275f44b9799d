// A file as memory, shared with every process that maps it. What one writes the others see at once, and what was written
// outlives the process that wrote it, but not a power cut before `sync`. The file may grow while others have it
// mapped: whoever needs what lies behind its own mapping asks for it with `refresh`. Nobody may make it smaller.

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

public final class MappedFile {
  public enum Access: Sendable {
    case read, write
    /// Made, or emptied.
    case replace
  }

  public let path: String
  /// Where the file begins in memory; another place after `refresh` and `grow`.
  public private(set) var base: UnsafeMutableRawPointer
  /// Bytes that are mapped.
  public private(set) var count = 0
  private let descriptor: Int32
  private let protection: Int32

  /// An empty mapping stands for an empty file.
  nonisolated(unsafe) private static let nowhere = UnsafeMutableRawPointer(bitPattern: 16)!

  public init(_ path: String, _ access: Access) throws(SystemError) {
    self.path = path
    let flags: Int32 =
      switch access {
      case .read: O_RDONLY
      case .write: O_RDWR
      case .replace: O_RDWR | O_CREAT | O_TRUNC
      }
    base = MappedFile.nowhere
    protection = access == .read ? PROT_READ : PROT_READ | PROT_WRITE
    descriptor = try Syscall.open(path, flags)
    do throws(SystemError) {
      try refresh()
    } catch {
      Syscall.close(descriptor)
      throw error
    }
  }

  deinit {
    if count > 0 { munmap(base, count) }
    Syscall.close(descriptor)
  }

  /// Maps the file as long as it is now. Pointers into it are void.
  public func refresh() throws(SystemError) {
    let size = try Syscall.size(descriptor)
    guard size != count else { return }
    guard let mapped = mmap(nil, size, protection, MAP_SHARED, descriptor, 0), mapped != MAP_FAILED
    else { throw SystemError(errno, "mmap") }
    if count > 0 { munmap(base, count) }
    (base, count) = (mapped, size)
  }

  /// Makes the file longer, with room for it on the disk, and maps all of it. Pointers into it are void.
  public func grow(to size: Int) throws(SystemError) {
    precondition(size > count, "a mapped file only grows")
    #if canImport(Glibc)
      // Room that is not there shows now, not as a signal when it is first written to.
      let number = posix_fallocate(descriptor, off_t(count), off_t(size - count))
      guard number == 0 else { throw SystemError(number, "fallocate") }
    #else
      try Syscall.truncate(descriptor, to: size)
    #endif
    try refresh()
  }

  /// Returns when everything is on the disk.
  public func sync() throws(SystemError) {
    guard count > 0 else { return }
    guard msync(base, count, MS_SYNC) == 0 else { throw SystemError(errno, "msync") }
    try Syscall.sync(descriptor)
  }

  /// Tells this boot of the machine from all others; 0 where the system does not say.
  public static func bootIdentity(_ files: any FileSystem) -> UInt64 {
    let path = "/proc/sys/kernel/random/boot_id"
    guard let text = try? files.contents(of: path, bytesMax: 4_096) else { return 0 }
    return text.withBytes { ByteTable.hash($0) | 1 }
  }
}
