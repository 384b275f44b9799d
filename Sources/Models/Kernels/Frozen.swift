// Arrays that are filled once, when a model is loaded, and then only read, from any number of threads. Their address
// never changes, so a kernel's inner loop starts from a plain pointer.

final class Frozen<Element: BitwiseCopyable>: @unchecked Sendable {
  // Sendable since nothing writes to it after `init`.
  let base: UnsafePointer<Element>
  let count: Int

  /// Aligned to a line of the cache.
  init(_ elements: [Element]) {
    count = elements.count
    let memory = UnsafeMutableRawPointer.allocate(
      byteCount: max(elements.count, 1) * MemoryLayout<Element>.stride, alignment: 64)
    let bound = memory.bindMemory(to: Element.self, capacity: max(elements.count, 1))
    bound.update(from: elements, count: elements.count)
    base = UnsafePointer(bound)
  }

  deinit { base.deallocate() }

  subscript(index: Int) -> Element {
    precondition(index >= 0 && index < count, "an index of the array")
    return base[index]
  }
}
