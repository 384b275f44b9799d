// Shapley values of one tree by the textbook: Lundberg, Erion and Lee, "Consistent Individualized
// Feature Attribution for Tree Ensembles" (2018), Algorithm 2. The path from the root keeps, for each
// player on it, the part of the paths that go on when its input is unknown (`zero`) and when it is
// known (`one`), and the weights of all subsets of the path by size. It is what the fast kernel must
// equal, and what explains forests that are too large for its tables.

struct TreeSHAP {
  private struct Element {
    var player: Int32
    var zero: Double
    var one: Double
    /// Of all subsets of as many elements as stand before this one, together.
    var weight: Double
  }

  private let forest: Forest
  private let players: Players
  private let row: UnsafeBufferPointer<Double>
  private let output: Int
  private var values: [Double]

  /// Adds the Shapley values of one tree's players for one row and output.
  ///
  /// - Parameters:
  ///   - row: the forest's inputs.
  ///   - values: one for each player.
  /// - Complexity: O(leaves × depth²).
  static func add(
    _ forest: Forest, _ players: Players, tree: Int, output: Int,
    row: UnsafeBufferPointer<Double>, to values: inout [Double]
  ) {
    var walk = TreeSHAP(
      forest: forest, players: players, row: row, output: output, values: values)
    walk.visit(Int(forest.roots[tree]), [], zero: 1, one: 1, player: -1)
    values = walk.values
  }

  private mutating func visit(
    _ node: Int, _ before: [Element], zero: Double, one: Double, player: Int32
  ) {
    // Neither known nor unknown does anything go on here.
    guard zero != 0 || one != 0 else { return }
    var path = before
    Self.extend(&path, zero, one, player)
    guard forest.left[node] >= 0 else {
      let value = forest.leafValue(node, output)
      for place in path.indices.dropFirst() {
        let element = path[place]
        values[Int(element.player)] +=
          Self.weight(without: place, path) * (element.one - element.zero) * value
      }
      return
    }
    let child = Int(forest.left[node])
    let hot = forest.goesLeft(node, row) ? child : child + 1
    let cold = 2 * child + 1 - hot
    let own = players.ofInput[Int(forest.feature[node])]
    var (knownZero, knownOne) = (1.0, 1.0)
    if let place = path.firstIndex(where: { $0.player == own }) {
      (knownZero, knownOne) = (path[place].zero, path[place].one)
      Self.unwind(&path, place)
    }
    visit(
      hot, path, zero: knownZero * forest.share(ofChild: hot, of: node), one: knownOne,
      player: own)
    visit(
      cold, path, zero: knownZero * forest.share(ofChild: cold, of: node), one: 0, player: own)
  }

  private static func extend(
    _ path: inout [Element], _ zero: Double, _ one: Double, _ player: Int32
  ) {
    let last = path.count
    path.append(Element(player: player, zero: zero, one: one, weight: last == 0 ? 1 : 0))
    let length = Double(last + 1)
    for place in (0..<last).reversed() {
      path[place + 1].weight += one * path[place].weight * Double(place + 1) / length
      path[place].weight *= zero * Double(last - place) / length
    }
  }

  /// Takes an element out again, as if it had never been added.
  private static func unwind(_ path: inout [Element], _ taken: Int) {
    let last = path.count - 1
    let weights = weightsWithout(taken, path)
    for place in taken..<last {
      path[place].player = path[place + 1].player
      path[place].zero = path[place + 1].zero
      path[place].one = path[place + 1].one
    }
    path.removeLast()
    for place in path.indices { path[place].weight = weights[place] }
  }

  private static func weight(without taken: Int, _ path: [Element]) -> Double {
    weightsWithout(taken, path).reduce(0, +)
  }

  private static func weightsWithout(_ taken: Int, _ path: [Element]) -> [Double] {
    let last = path.count - 1
    let length = Double(last + 1)
    let (zero, one) = (path[taken].zero, path[taken].one)
    var weights = [Double](repeating: 0, count: last)
    var next = path[last].weight
    for place in (0..<last).reversed() {
      if one != 0 {
        weights[place] = next * length / (Double(place + 1) * one)
        next = path[place].weight - weights[place] * zero * Double(last - place) / length
      } else {
        weights[place] = path[place].weight * length / (zero * Double(last - place))
      }
    }
    return weights
  }
}
