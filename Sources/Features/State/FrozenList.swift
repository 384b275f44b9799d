// Lists that are made once and read for every event. Their address never changes and their elements are plain values, so
// reading one counts no reference and checks no capacity; with ten features an event, that is as much work as the answers.

/// Plain values: nothing in them is counted.
struct FrozenList<Element> {
  private let memory: FrozenListMemory<Element>
  private let base: UnsafePointer<Element>
  let count: Int

  init(_ elements: [Element]) {
    memory = FrozenListMemory(elements)
    base = UnsafePointer(memory.base)
    count = elements.count
  }

  /// Where an element lies, as long as the list: for those that are larger than what is read of them.
  @inline(__always)
  func address(_ index: Int) -> UnsafePointer<Element> {
    precondition(index >= 0 && index < count, "an index of the list")
    return base + index
  }

  subscript(index: Int) -> Element {
    @inline(__always) get {
      precondition(index >= 0 && index < count, "an index of the list")
      return base[index]
    }
  }
}

/// Lives as long as a list of it does.
private final class FrozenListMemory<Element> {
  let base: UnsafeMutablePointer<Element>

  init(_ elements: [Element]) {
    precondition(_isPOD(Element.self), "elements are plain values")
    base = .allocate(capacity: max(elements.count, 1))
    base.initialize(from: elements, count: elements.count)
  }

  deinit { base.deallocate() }
}
