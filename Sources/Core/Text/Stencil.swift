// Text that is written again and again, such as the names in every row: it has room behind it, so that it can be copied in
// whole blocks, however long it is.

/// Kept as long as the process: for names that are made once, never for records.
public struct Stencil: @unchecked Sendable {
  // Sendable, as the bytes behind it never change.
  @usableFromInline typealias Block = SIMD32<UInt8>

  @usableFromInline let base: UnsafePointer<UInt8>
  @usableFromInline let count: Int

  public init(_ text: Bytes) {
    let room = text.count + MemoryLayout<Block>.size
    let memory = UnsafeMutablePointer<UInt8>.allocate(capacity: room)
    memory.initialize(repeating: 0, count: room)
    memory.update(from: text.base, count: text.count)
    base = UnsafePointer(memory)
    count = text.count
  }
}

extension Stencil {
  /// Text that is part of the program.
  public init(_ text: StaticString) { self.init(Bytes(text)) }
}

extension OutputBuffer {
  /// The same as appending its text.
  @inlinable
  public func append(_ stencil: Stencil) {
    let blockBytes = MemoryLayout<Stencil.Block>.size
    reserve(stencil.count &+ blockBytes)
    let (from, to) = (UnsafeRawPointer(stencil.base), UnsafeMutableRawPointer(storage + filled))
    var copied = 0
    while copied < stencil.count {
      let block = from.loadUnaligned(fromByteOffset: copied, as: Stencil.Block.self)
      to.storeBytes(of: block, toByteOffset: copied, as: Stencil.Block.self)
      copied &+= blockBytes
    }
    filled &+= stencil.count
  }
}
