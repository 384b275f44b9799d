// Who shares a margin out among themselves. A player is an input of the row; where a forest asks for
// inputs that are made from several of the row's (CatBoost's statistics of combinations), each such
// set is a player too, and what it gets goes to its members in equal parts. Splits of the same player
// on one path are one move, however often they ask.

struct Players: Sendable {
  /// Of each player, the row's inputs that it stands for.
  let members: [[Int]]
  /// By input of the forest; -1 where no split asks for it.
  let ofInput: [Int32]

  var count: Int { members.count }

  /// Those that the forest's splits ask for.
  init(_ forest: Forest, _ derived: DerivedInputs?) {
    var members: [[Int]] = []
    var places: [[Int]: Int32] = [:]
    var ofInput = [Int32](repeating: -1, count: forest.inputCount)
    for node in 0..<forest.nodeCount where forest.left[node] >= 0 {
      let input = Int(forest.feature[node])
      guard ofInput[input] < 0 else { continue }
      var sources = [input]
      if let derived, input >= derived.inputCount {
        sources = derived.explainingSources(ofInput: input)
      }
      if let place = places[sources] {
        ofInput[input] = place
      } else {
        places[sources] = Int32(members.count)
        ofInput[input] = Int32(members.count)
        members.append(sources)
      }
    }
    self.members = members
    self.ofInput = ofInput
  }
}

extension Forest {
  /// The part of a split's training rows that came to one of its children, by which a walk that does
  /// not know the split's input goes there. Where no row came to the split, each child has one half.
  func share(ofChild child: Int, of node: Int) -> Double {
    if !unknownShares.isEmpty { return unknownShares[child] }
    return cover[node] > 0 ? cover[child] / cover[node] : 0.5
  }

  /// The same forest, explained with values that inputs have where they are not known: a walk goes as
  /// they do. NaN: as the training rows went.
  ///
  /// - Parameter unknown: by input of the row; what is derived from them stays as it was.
  func whereUnknown(are unknown: [Double]) -> Forest {
    var forest = self
    // What contributions need is missing; that is for others to say.
    guard cover.count == nodeCount else { return forest }
    let row = unknown + Array(repeating: Double.nan, count: inputCount - unknown.count)
    var shares = [Double](repeating: 1, count: nodeCount)
    row.withUnsafeBufferPointer { row in
      for node in 0..<nodeCount where left[node] >= 0 {
        let child = Int(left[node])
        if row[Int(feature[node])].isNaN {
          shares[child] = share(ofChild: child, of: node)
          shares[child + 1] = share(ofChild: child + 1, of: node)
        } else {
          shares[child] = goesLeft(node, row) ? 1 : 0
          shares[child + 1] = 1 - shares[child]
        }
      }
    }
    forest.unknownShares = shares
    return forest
  }

  /// The value that a leaf adds to an output, one of `outputs(ofTree:)`.
  func leafValue(_ leaf: Int, _ output: Int) -> Double {
    leafVectors.isEmpty ? value[leaf] : leafVectors[Int(entry[leaf]) * outputCount + output]
  }

  /// The outputs that a tree adds to.
  func outputs(ofTree tree: Int) -> Range<Int> {
    leafVectors.isEmpty
      ? Int(treeOutput[tree])..<Int(treeOutput[tree]) + 1 : 0..<outputCount
  }

  /// What a tree gives to an output where nothing is known of a row.
  func expectedValue(ofTree tree: Int, _ output: Int) -> Double {
    let nodes = Int(roots[tree])..<Int(roots[tree + 1])
    var means = [Double](repeating: 0, count: nodes.count)
    // Children come behind their parents.
    for node in nodes.reversed() {
      let place = node - nodes.lowerBound
      guard left[node] >= 0 else {
        means[place] = leafValue(node, output)
        continue
      }
      let child = Int(left[node])
      means[place] =
        share(ofChild: child, of: node) * means[child - nodes.lowerBound]
        + share(ofChild: child + 1, of: node) * means[child + 1 - nodes.lowerBound]
    }
    return means[0]
  }
}
