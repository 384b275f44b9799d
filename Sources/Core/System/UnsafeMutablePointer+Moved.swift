// Memory that is outgrown: what is in it moves to a larger piece, and the smaller one is free.

extension UnsafeMutablePointer {
  /// Frees this memory, of which the first `count` are filled.
  ///
  /// - Parameter capacity: of the new memory, at least `count`.
  /// - Returns: new memory that begins with what was in this one.
  /// - Complexity: O(count).
  public func moved(_ count: Int, toRoomFor capacity: Int) -> UnsafeMutablePointer {
    precondition(capacity >= count, "room for all")
    let larger = UnsafeMutablePointer.allocate(capacity: capacity)
    larger.moveInitialize(from: self, count: count)
    deallocate()
    return larger
  }
}
