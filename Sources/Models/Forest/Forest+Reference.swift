// The obvious walk, one row and one tree at a time: what every faster kernel must equal, bit for
// bit. It is plain rather than slow: the arrays are opened once for all rows, and nothing is
// allocated or counted inside.

extension Forest {
  /// Margins of `rowCount` rows.
  ///
  /// - Parameters:
  ///   - rows: `rowCount × inputCount` inputs, row after row; NaN is missing.
  ///   - margins: takes `rowCount × outputCount` values, row after row.
  /// - Complexity: O(trees × depth) per row, no allocation.
  func referenceMargins(
    _ rows: UnsafeBufferPointer<Float>, rowCount: Int,
    into margins: UnsafeMutableBufferPointer<Float>
  ) {
    withNodes { nodes in
      var inputs = rows[...]
      for row in 0..<rowCount {
        let outputs = UnsafeMutableBufferPointer(
          rebasing: margins[row * outputCount..<(row + 1) * outputCount])
        walk(nodes, UnsafeBufferPointer(rebasing: inputs.prefix(inputCount)), into: outputs)
        inputs = inputs.dropFirst(inputCount)
      }
    }
  }

  /// Time is spent here.
  private func walk(
    _ nodes: ForestNodes, _ inputs: UnsafeBufferPointer<Float>,
    into margins: UnsafeMutableBufferPointer<Float>
  ) {
    for output in 0..<margins.count { margins[output] = nodes.baseMargins[output] }
    for tree in 0..<nodes.treeOutput.count {
      var node = Int(nodes.roots[tree])
      while nodes.left[node] >= 0 {
        let left = Int(nodes.left[node])
        node = nodes.goesLeft(node, inputs[Int(nodes.feature[node])]) ? left : left + 1
      }
      margins[Int(nodes.treeOutput[tree])] += nodes.value[node]
    }
  }

  private func withNodes(_ body: (ForestNodes) -> Void) {
    left.withUnsafeBufferPointer { left in
      feature.withUnsafeBufferPointer { feature in
        value.withUnsafeBufferPointer { value in
          defaultLeft.withUnsafeBufferPointer { defaultLeft in
            categorySet.withUnsafeBufferPointer { categorySet in
              withTables { roots, treeOutput, baseMargins, categorySets, categoryWords in
                body(
                  ForestNodes(
                    left: left, feature: feature, value: value, defaultLeft: defaultLeft,
                    categorySet: categorySet, categorySets: categorySets,
                    categoryWords: categoryWords, roots: roots, treeOutput: treeOutput,
                    baseMargins: baseMargins))
              }
            }
          }
        }
      }
    }
  }

  private func withTables(
    _ body: (
      UnsafeBufferPointer<Int32>, UnsafeBufferPointer<Int32>, UnsafeBufferPointer<Float>,
      UnsafeBufferPointer<CategorySet>, UnsafeBufferPointer<UInt32>
    ) -> Void
  ) {
    roots.withUnsafeBufferPointer { roots in
      treeOutput.withUnsafeBufferPointer { treeOutput in
        baseMargins.withUnsafeBufferPointer { baseMargins in
          categorySets.withUnsafeBufferPointer { sets in
            categoryWords.withUnsafeBufferPointer { words in
              body(roots, treeOutput, baseMargins, sets, words)
            }
          }
        }
      }
    }
  }
}

/// A forest's arrays, opened.
private struct ForestNodes {
  let left: UnsafeBufferPointer<Int32>
  let feature: UnsafeBufferPointer<Int32>
  let value: UnsafeBufferPointer<Float>
  let defaultLeft: UnsafeBufferPointer<Bool>
  let categorySet: UnsafeBufferPointer<Int32>
  let categorySets: UnsafeBufferPointer<CategorySet>
  let categoryWords: UnsafeBufferPointer<UInt32>
  let roots: UnsafeBufferPointer<Int32>
  let treeOutput: UnsafeBufferPointer<Int32>
  let baseMargins: UnsafeBufferPointer<Float>

  @inline(__always)
  func goesLeft(_ node: Int, _ input: Float) -> Bool {
    if input.isNaN { return defaultLeft[node] }
    let set = Int(categorySet[node])
    if set < 0 { return input < value[node] }
    return !contains(categorySets[set], input)
  }

  /// A fraction counts as the category below it: 3.7 is 3.
  private func contains(_ set: CategorySet, _ input: Float) -> Bool {
    guard input >= 0, input < CategorySet.categoryEnd else { return false }
    let category = Int32(input)
    guard category >> 5 < set.wordCount else { return false }
    return categoryWords[Int(set.firstWord + category >> 5)] >> UInt32(category & 31) & 1 == 1
  }
}
