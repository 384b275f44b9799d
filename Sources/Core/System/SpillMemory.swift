// Memory for tables that may outgrow it. Up to a bound it is ordinary. What is asked for beyond lies in files without a
// name, mapped: the system writes their pages to the disk when others need the room, and reads them again when they are
// touched. Their blocks are reserved first, so a full disk is known before anything is written; then, and where
// the folder takes no files, the memory is ordinary all the same, and the reason is kept.

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

public final class SpillMemory {
  public struct Block {
    public let base: UnsafeMutableRawPointer
    public let byteCount: Int
    /// Of a file; all its bytes are 0 at first.
    public let isSpilled: Bool
  }

  /// Where files lie that have no name; one that outlives a start of the system is on a disk.
  public static let standardFolder = "/var/tmp"
  public static let standardBytes = 1 << 30

  public let folder: String
  public let bytesMax: Int
  public private(set) var heldBytes = 0
  public private(set) var spilledBytes = 0
  /// Why the last block that should have been spilled was not.
  public private(set) var trouble: String?

  /// - Parameter bytesMax: of ordinary memory.
  public init(folder: String = standardFolder, bytesMax: Int = standardBytes) {
    self.folder = folder
    self.bytesMax = bytesMax
  }

  /// - Parameters:
  ///   - byteCount: above 0.
  ///   - spilled: that many where it is of a file, since each takes a mapping of the process's.
  public func allocate(byteCount: Int, spilled: Int? = nil) -> Block {
    if heldBytes + byteCount > bytesMax, let block = spill(max(byteCount, spilled ?? 0)) {
      spilledBytes += block.byteCount
      return block
    }
    heldBytes += byteCount
    return Block(
      base: LargeMemory.allocate(byteCount: byteCount, alignment: 16), byteCount: byteCount,
      isSpilled: false)
  }

  public func free(_ block: Block) {
    if block.isSpilled {
      munmap(block.base, block.byteCount)
      spilledBytes -= block.byteCount
    } else {
      block.base.deallocate()
      heldBytes -= block.byteCount
    }
  }

  private func spill(_ byteCount: Int) -> Block? {
    #if os(Linux)
      var name = Array("\(folder)/rtinfer-XXXXXX".utf8CString)
      let file = mkstemp(&name)
      guard file >= 0 else { return refuse(errno) }
      defer { close(file) }
      unlink(name)
      let error = posix_fallocate(file, 0, off_t(byteCount))
      guard error == 0 else { return refuse(error) }
      let base = mmap(nil, byteCount, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0)
      guard let base, base != MAP_FAILED else { return refuse(errno) }
      return Block(base: base, byteCount: byteCount, isSpilled: true)
    #else
      return nil
    #endif
  }

  private func refuse(_ error: Int32) -> Block? {
    trouble = "\(folder): \(String(cString: strerror(error)))"
    return nil
  }
}
