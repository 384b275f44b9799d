extension Forest {
  /// By tree: the steps from its root to its deepest leaf.
  ///
  /// - Complexity: O(nodes).
  func depths() -> [Int32] {
    var depths = [Int32](repeating: 0, count: nodeCount)
    return (0..<treeCount).map { tree in
      var deepest: Int32 = 0
      // Children have higher numbers than their parents.
      for node in Int(roots[tree])..<Int(roots[tree + 1]) where left[node] >= 0 {
        let child = Int(left[node])
        depths[child] = depths[node] + 1
        depths[child + 1] = depths[child]
        deepest = max(deepest, depths[child])
      }
      return deepest
    }
  }
}
