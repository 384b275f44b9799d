// Arrays that are filled once, when a model is loaded, and then only read, from any number of threads. Their address
// never changes, so a kernel's inner loop starts from a plain pointer, and taking it counts no reference.

struct Frozen<Element: BitwiseCopyable>: @unchecked Sendable {
  // Sendable since nothing writes to it after `init`.
  let base: UnsafePointer<Element>
  let count: Int
  private let memory: FrozenMemory

  /// Aligned to a line of the cache.
  init(_ elements: [Element]) {
    count = elements.count
    memory = FrozenMemory(byteCount: max(elements.count, 1) * MemoryLayout<Element>.stride)
    let bound = memory.start.bindMemory(to: Element.self, capacity: max(elements.count, 1))
    bound.update(from: elements, count: elements.count)
    base = UnsafePointer(bound)
  }

  subscript(index: Int) -> Element {
    precondition(index >= 0 && index < count, "an index of the array")
    return base[index]
  }
}

/// Lives as long as an array of it does.
private final class FrozenMemory {
  let start: UnsafeMutableRawPointer

  init(byteCount: Int) { start = .allocate(byteCount: byteCount, alignment: 64) }

  deinit { start.deallocate() }
}
