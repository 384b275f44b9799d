// Why a margin is what it is: exact Shapley values of the model's inputs, those of the path-dependent
// game (TreeSHAP) that the libraries' own `pred_contribs` and `pred_contrib` give. What an input gets
// is what it moves the margin by, from what is expected where nothing is known of a row; with the
// expectation, the bias, they add up to the margin. What ensembles do about it is in `EnsembleGame`.

public import Core

/// A model made ready to explain its margins. Any number of threads may use it at once.
public struct Explainer: Sendable {
  /// Inputs in a row.
  public let inputCount: Int
  /// Margins of a row.
  public let outputCount: Int
  private let model: Model
  private let game: Game

  private enum Game {
    /// With what an input counts as where it is not known.
    case linear(LinearBooster, unknown: [Double])
    case forest(ForestGame)
    indirect case ensemble(EnsembleGame)
  }

  /// - Parameters:
  ///   - source: the file's name, for messages.
  ///   - unknown: by input, what it counts as where it is not known; NaN, or empty: as the training
  ///     rows were in a forest, and as nothing in a linear model.
  /// - Throws: a failure that names what the file does not say, or what cannot be explained.
  /// - Complexity: O(nodes × depth); half a kilobyte for a node of a tree of usual depth.
  init(_ model: Model, source: String, unknown: [Double]) throws(Failure) {
    precondition(unknown.isEmpty || unknown.count == model.inputCount, "one value for each input")
    self.model = model
    inputCount = model.inputCount
    outputCount = model.outputCount
    switch model.predictor {
    case .linear(let booster):
      game = .linear(booster, unknown: unknown.map { $0.isNaN ? 0 : $0 })
    case .forest(let plan):
      let forest = unknown.isEmpty ? plan.forest : plan.forest.whereUnknown(are: unknown)
      game = .forest(try ForestGame(forest, model.derived, source))
    case .ensemble(let ensemble): game = .ensemble(try EnsembleGame(ensemble, source))
    }
  }

  /// - Parameter source: the file's name, for messages.
  /// - Throws: a failure that names what the file does not say, or what cannot be explained.
  /// - Complexity: O(nodes × depth); half a kilobyte for a node of a tree of usual depth.
  public init(_ model: Model, source: String) throws(Failure) {
    try self.init(model, source: source, unknown: [])
  }

  /// Values that a row's explanation takes: for each output one for each input, and last the bias.
  public var width: Int { outputCount * (inputCount + 1) }

  /// By output: the margin where nothing is known.
  var biases: [Double] {
    switch game {
    case .linear(let booster, let unknown): booster.biases(unknown)
    case .forest(let game): game.bias
    case .ensemble(let game): game.base
    }
  }

  /// Explains the margins of rows.
  ///
  /// - Parameters:
  ///   - rows: `rowCount × inputCount` inputs, row after row, as `Model.margins` takes them.
  ///   - contributions: takes `rowCount × width` values, row after row.
  /// - Complexity: O(nodes of all trees) per row.
  public func contributions(
    _ rows: UnsafeBufferPointer<Double>, rowCount: Int,
    into contributions: UnsafeMutableBufferPointer<Double>
  ) {
    precondition(rowCount >= 0, "a number of rows is not negative")
    precondition(rows.count >= rowCount * inputCount, "every row has all inputs")
    precondition(contributions.count >= rowCount * width, "there is room for every contribution")
    switch game {
    case .linear(let booster, let unknown):
      booster.contributions(rows, rowCount: rowCount, unknown, into: contributions)
    case .ensemble(let game):
      game.contributions(rows, rowCount: rowCount, into: contributions)
    case .forest(let game):
      guard let derived = model.derived else {
        return game.contributions(rows, rowCount: rowCount, inputCount, into: contributions)
      }
      derived.extend(rows, rowCount: rowCount) { extended, places in
        game.contributions(
          extended, rowCount: places.count, inputCount,
          into: UnsafeMutableBufferPointer(
            rebasing: contributions[places.lowerBound * width..<places.upperBound * width]))
      }
    }
  }
}

/// The Shapley values of a forest's players, and whose they are in the end.
struct ForestGame: Sendable {
  let forest: Forest
  let players: Players
  /// Nil where the tables would be too large.
  let plan: ContributionPlan?
  /// By output: the margin where nothing is known.
  let bias: [Double]
  private let scale: Double

  /// Rows that are explained together: their sums stay near, and tables are read once for all.
  private static let blockRows = 16

  init(_ forest: Forest, _ derived: DerivedInputs?, _ source: String) throws(Failure) {
    guard forest.linearLeaves.isEmpty else {
      throw .badData("\(source): contributions to linear trees are not supported yet")
    }
    guard forest.cover.count == forest.nodeCount else {
      throw .badData(
        "\(source): the file does not say how many training rows came to each node, from which"
          + " contributions come")
    }
    guard forest.cover.allSatisfy({ $0 >= 0 && $0.isFinite }) else {
      throw .badData("\(source): a node with a negative or infinite number of training rows")
    }
    self.forest = forest
    players = Players(forest, derived)
    plan = ContributionPlan(forest, players)
    if case .double(let scale) = forest.accumulation { self.scale = scale } else { scale = 1 }
    var expected = [Double](repeating: 0, count: forest.outputCount)
    for tree in 0..<forest.treeCount {
      for output in forest.outputs(ofTree: tree) {
        expected[output] += forest.expectedValue(ofTree: tree, output)
      }
    }
    bias = zip(expected, forest.baseMargins).map { [scale] in $0 * scale + $1 }
  }

  func contributions(
    _ rows: UnsafeBufferPointer<Double>, rowCount: Int, _ inputCount: Int,
    into contributions: UnsafeMutableBufferPointer<Double>
  ) {
    let width = forest.outputCount * players.count
    let block = min(max(rowCount, 1), Self.blockRows)
    withUnsafeTemporaryAllocation(of: Double.self, capacity: max(1, block * width)) { values in
      var first = 0
      while first < rowCount {
        let count = min(block, rowCount - first)
        values.update(repeating: 0)
        addValues(
          UnsafeBufferPointer(rebasing: rows[(first * forest.inputCount)...]), count, to: values)
        for row in 0..<count {
          share(
            values.baseAddress! + row * width, inputCount,
            into: contributions.baseAddress!
              + (first + row) * forest.outputCount * (inputCount + 1))
        }
        first += count
      }
    }
  }

  private func addValues(
    _ rows: UnsafeBufferPointer<Double>, _ count: Int,
    to values: UnsafeMutableBufferPointer<Double>
  ) {
    if let plan { return plan.add(rows.baseAddress!, rowCount: count, to: values.baseAddress!) }
    let width = forest.outputCount * players.count
    for row in 0..<count {
      let reference = referenceValues(
        UnsafeBufferPointer(
          rebasing: rows[row * forest.inputCount..<(row + 1) * forest.inputCount]))
      for index in 0..<width { values[row * width + index] = reference[index] }
    }
  }

  /// One row's values, outputs × players, by the textbook.
  func referenceValues(_ row: UnsafeBufferPointer<Double>) -> [Double] {
    var values: [Double] = []
    for output in 0..<forest.outputCount {
      var own = [Double](repeating: 0, count: players.count)
      for tree in 0..<forest.treeCount where forest.outputs(ofTree: tree).contains(output) {
        TreeSHAP.add(forest, players, tree: tree, output: output, row: row, to: &own)
      }
      values += own
    }
    return values
  }

  /// From players to inputs: what a set of inputs got goes to its members in equal parts.
  private func share(
    _ values: UnsafePointer<Double>, _ inputCount: Int,
    into contributions: UnsafeMutablePointer<Double>
  ) {
    for output in 0..<forest.outputCount {
      let own = contributions + output * (inputCount + 1)
      own.update(repeating: 0, count: inputCount)
      for player in 0..<players.count {
        let members = players.members[player]
        let part = values[output * players.count + player] * scale / Double(members.count)
        for member in members { own[member] += part }
      }
      own[inputCount] = bias[output]
    }
  }
}

extension LinearBooster {
  /// Each input gives its weight times its value; a missing one gives nothing.
  fileprivate func contributions(
    _ rows: UnsafeBufferPointer<Double>, rowCount: Int, _ unknown: [Double],
    into contributions: UnsafeMutableBufferPointer<Double>
  ) {
    let biases = biases(unknown)
    var place = 0
    for row in 0..<rowCount {
      for output in 0..<outputCount {
        for input in 0..<inputCount {
          let value = Float(rows[row * inputCount + input])
          let weight = weights[input * outputCount + output]
          contributions[place] = value.isNaN ? 0 : Double(value * weight)
          if !unknown.isEmpty { contributions[place] -= unknown[input] * Double(weight) }
          place += 1
        }
        contributions[place] = biases[output]
        place += 1
      }
    }
  }

  /// By output: the margin where no input is known.
  fileprivate func biases(_ unknown: [Double]) -> [Double] {
    (0..<outputCount).map { output in
      var sum = Double(weights[inputCount * outputCount + output] + base)
      for (input, value) in unknown.enumerated() {
        sum += value * Double(weights[input * outputCount + output])
      }
      return sum
    }
  }
}
