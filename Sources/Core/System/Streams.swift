// Bytes in and bytes out, behind two protocols: a file, a pipe, or a test's array split where it hurts.

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// Where bytes come from.
public protocol ByteSource: AnyObject {
  /// For messages: a path, or "stdin".
  var name: String { get }
  /// Waits for at least one byte. Returns how many were read; 0 at the end, or when asked to drain.
  func read(into buffer: UnsafeMutableRawBufferPointer) throws(Failure) -> Int
  /// True when `read` would have to wait now.
  func mustWait() throws(Failure) -> Bool
  /// Waits until `read` would not have to, at most so long; true when it would have to still.
  func mustWait(milliseconds: Int) throws(Failure) -> Bool
}

extension ByteSource {
  /// For what is in memory and comes at once or never.
  public func mustWait(milliseconds: Int) throws(Failure) -> Bool { try mustWait() }
}

/// Where bytes go.
public protocol ByteSink: AnyObject {
  func write(_ bytes: Bytes) throws(Failure)
}

extension Failure {
  /// Whoever read our output has seen enough (`… | head -1`): a quiet end, not an error.
  public static let outputClosed = Failure(.success, "the reader of the output has gone")
}

public final class DescriptorSource: ByteSource {
  public let name: String
  private let descriptor: Int32
  private let owned: Bool

  public static func standardInput() -> DescriptorSource {
    DescriptorSource(descriptor: 0, name: "stdin", owned: false)
  }

  public static func file(_ path: String) throws(Failure) -> DescriptorSource {
    do throws(SystemError) {
      return DescriptorSource(descriptor: try Syscall.open(path, O_RDONLY), name: path, owned: true)
    } catch {
      throw .inputOutput("\(path): \(error.reason)")
    }
  }

  private init(descriptor: Int32, name: String, owned: Bool) {
    self.descriptor = descriptor
    self.name = name
    self.owned = owned
  }

  deinit { if owned { Syscall.close(descriptor) } }

  public func read(into buffer: UnsafeMutableRawBufferPointer) throws(Failure) -> Int {
    do throws(SystemError) {
      let ready = try Syscall.readable(descriptor, Signals.wakeDescriptor, timeoutMilliseconds: -1)
      if ready.second { return 0 }
      return try Syscall.read(descriptor, buffer)
    } catch {
      throw .inputOutput("\(name): \(error.call): \(error.reason)")
    }
  }

  public func mustWait() throws(Failure) -> Bool { try mustWait(milliseconds: 0) }

  public func mustWait(milliseconds: Int) throws(Failure) -> Bool {
    do throws(SystemError) {
      let wake = milliseconds > 0 ? Signals.wakeDescriptor : -1
      let ready = try Syscall.readable(
        descriptor, wake, timeoutMilliseconds: Int32(clamping: milliseconds))
      return !ready.first && !ready.second
    } catch {
      throw .inputOutput("\(name): \(error.call): \(error.reason)")
    }
  }
}

public final class DescriptorSink: ByteSink {
  private let descriptor: Int32
  private let name: String
  private let owned: Bool

  public static func standardOutput() -> DescriptorSink {
    DescriptorSink(descriptor: 1, name: "stdout", owned: false)
  }

  public static func standardError() -> DescriptorSink {
    DescriptorSink(descriptor: 2, name: "stderr", owned: false)
  }

  /// Emptied if it is there.
  public static func file(_ path: String) throws(Failure) -> DescriptorSink {
    do throws(SystemError) {
      let descriptor = try Syscall.open(path, O_WRONLY | O_CREAT | O_TRUNC)
      return DescriptorSink(descriptor: descriptor, name: path, owned: true)
    } catch {
      throw .inputOutput("\(path): \(error.reason)")
    }
  }

  /// One that is open already, and stays so.
  static func open(_ descriptor: Int32, name: String) -> DescriptorSink {
    DescriptorSink(descriptor: descriptor, name: name, owned: false)
  }

  private init(descriptor: Int32, name: String, owned: Bool) {
    self.descriptor = descriptor
    self.name = name
    self.owned = owned
  }

  deinit { if owned { Syscall.close(descriptor) } }

  public func write(_ bytes: Bytes) throws(Failure) {
    do throws(SystemError) {
      try Syscall.writeAll(descriptor, bytes)
    } catch {
      if error.isBrokenPipe { throw .outputClosed }
      throw .inputOutput("\(name): \(error.call): \(error.reason)")
    }
  }
}

/// Bytes in memory, handed out as a file's would be.
public final class MemorySource: ByteSource {
  public let name: String
  private let bytes: [UInt8]
  private var position = 0

  public init(_ bytes: [UInt8], name: String = "memory") {
    self.bytes = bytes
    self.name = name
  }

  public func read(into buffer: UnsafeMutableRawBufferPointer) throws(Failure) -> Int {
    let count = min(buffer.count, bytes.count - position)
    bytes.withUnsafeBytes {
      buffer.copyMemory(from: UnsafeRawBufferPointer(rebasing: $0[position..<position + count]))
    }
    position += count
    return count
  }

  public func mustWait() throws(Failure) -> Bool { false }
}

/// Output kept in memory, for tests and for text that is compared before it is written.
public final class MemorySink: ByteSink {
  public private(set) var bytes: [UInt8] = []
  public init() {}
  public func write(_ bytes: Bytes) throws(Failure) { self.bytes.append(contentsOf: bytes.buffer) }
  public var text: String { String(decoding: bytes, as: UTF8.self) }
}
