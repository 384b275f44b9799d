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
    _ rows: UnsafeBufferPointer<Double>, rowCount: Int,
    into margins: UnsafeMutableBufferPointer<Double>
  ) {
    withNodes { nodes in
      for row in 0..<rowCount {
        let inputs = UnsafeBufferPointer(
          rebasing: rows[row * inputCount..<(row + 1) * inputCount])
        let outputs = UnsafeMutableBufferPointer(
          rebasing: margins[row * outputCount..<(row + 1) * outputCount])
        walk(nodes, inputs, into: outputs)
      }
    }
  }

  /// Time is spent here.
  private func walk(
    _ nodes: ForestNodes, _ inputs: UnsafeBufferPointer<Double>,
    into margins: UnsafeMutableBufferPointer<Double>
  ) {
    for output in margins.indices {
      margins[output] = accumulation.start(baseMargins[output])
    }
    for tree in 0..<nodes.treeOutput.count {
      var node = Int(nodes.roots[tree])
      while nodes.left[node] >= 0 {
        let left = Int(nodes.left[node])
        node = nodes.goesLeft(node, inputs[Int(nodes.feature[node])]) ? left : left + 1
      }
      let entry = Int(nodes.entry[node])
      if entry < 0 {
        add(nodes.value[node], to: &margins[Int(nodes.treeOutput[tree])])
      } else if leafVectors.isEmpty {
        let value = linear(linearLeaves[entry], inputs) ?? nodes.value[node]
        add(value, to: &margins[Int(nodes.treeOutput[tree])])
      } else {
        for output in 0..<outputCount {
          add(leafVectors[entry * outputCount + output], to: &margins[output])
        }
      }
    }
    for output in margins.indices {
      margins[output] = accumulation.margin(margins[output], baseMargins[output])
    }
  }

  @inline(__always)
  private func add(_ value: Double, to margin: inout Double) {
    if accumulation.isFloat {
      margin = Double(Float(margin) + Float(value))
    } else {
      margin += value
    }
  }

  /// Nil where an input that it asks for is missing.
  private func linear(_ leaf: LinearLeaf, _ inputs: UnsafeBufferPointer<Double>) -> Double? {
    var sum = leaf.constant
    for term in Int(leaf.firstTerm)..<Int(leaf.firstTerm + leaf.termCount) {
      let input = comparison.seen(inputs[Int(linearFeatures[term])])
      if input.isNaN { return nil }
      sum += linearCoefficients[term] * input
    }
    return sum
  }

  /// The side to which a split sends a row.
  func goesLeft(_ node: Int, _ inputs: UnsafeBufferPointer<Double>) -> Bool {
    var goes = false
    withNodes { goes = $0.goesLeft(node, inputs[Int(feature[node])]) }
    return goes
  }

  private func withNodes(_ body: (ForestNodes) -> Void) {
    left.withUnsafeBufferPointer { left in
      feature.withUnsafeBufferPointer { feature in
        value.withUnsafeBufferPointer { value in
          missing.withUnsafeBufferPointer { missing in
            entry.withUnsafeBufferPointer { entry in
              withTables { roots, treeOutput, categorySets, categoryWords in
                body(
                  ForestNodes(
                    comparison: comparison, left: left, feature: feature, value: value,
                    missing: missing, entry: entry, categorySets: categorySets,
                    categoryWords: categoryWords, roots: roots, treeOutput: treeOutput))
              }
            }
          }
        }
      }
    }
  }

  private func withTables(
    _ body: (
      UnsafeBufferPointer<Int32>, UnsafeBufferPointer<Int32>,
      UnsafeBufferPointer<CategorySet>, UnsafeBufferPointer<UInt32>
    ) -> Void
  ) {
    roots.withUnsafeBufferPointer { roots in
      treeOutput.withUnsafeBufferPointer { treeOutput in
        categorySets.withUnsafeBufferPointer { sets in
          categoryWords.withUnsafeBufferPointer { words in
            body(roots, treeOutput, sets, words)
          }
        }
      }
    }
  }
}

/// A forest's arrays, opened.
private struct ForestNodes {
  let comparison: Forest.Comparison
  let left: UnsafeBufferPointer<Int32>
  let feature: UnsafeBufferPointer<Int32>
  let value: UnsafeBufferPointer<Double>
  let missing: UnsafeBufferPointer<Forest.Missing>
  let entry: UnsafeBufferPointer<Int32>
  let categorySets: UnsafeBufferPointer<CategorySet>
  let categoryWords: UnsafeBufferPointer<UInt32>
  let roots: UnsafeBufferPointer<Int32>
  let treeOutput: UnsafeBufferPointer<Int32>

  @inline(__always)
  func goesLeft(_ node: Int, _ input: Double) -> Bool {
    var seen = comparison.seen(input)
    if seen.isNaN {
      switch missing[node] {
      case .left, .zeroLeft: return true
      case .right, .zeroRight: return false
      case .asZero: seen = 0
      }
    }
    let set = Int(entry[node])
    if set >= 0 { return !contains(categorySets[set], seen) }
    if seen == 0 {
      if missing[node] == .zeroLeft { return true }
      if missing[node] == .zeroRight { return false }
    }
    return comparison == .floatBelow ? seen < value[node] : seen <= value[node]
  }

  private func contains(_ set: CategorySet, _ seen: Double) -> Bool {
    guard let category = comparison.category(seen), category >> 5 < set.wordCount else {
      return false
    }
    return categoryWords[Int(set.firstWord) + category >> 5] >> UInt32(category & 31) & 1 == 1
  }
}
