// Why an ensemble says what it says: the members' own contributions, carried through to what they are
// combined to. Where a member's margin becomes a score, and a score an input of a stacking model, what
// is known of the whole move is dealt out in the proportions of the move before (the rescale rule of
// DeepLIFT, as G-DeepSHAP has it for stacks of models: Chen, Lundberg and Lee, "Explaining a series of
// models by propagating Shapley values", 2022):
//
//     mean of margins   Σ weight × contribution / Σ weight, exactly
//     mean of scores    each member's contributions × (score - base score) / (margin - bias)
//     stack             Shapley values of the stacking model's inputs; that of a member's score
//                       × the member's contributions / (margin - bias)
//
// So the contributions always add up to the ensemble's margin less its base, which is what it says
// where nothing is known: each member its bias, a mean of scores the scores of these. Also the stacking
// model's walk goes by these scores where a member's is unknown, not by the training rows: a member that
// says no more than it would of any row then gives nothing. Its other inputs are unknown as in every
// forest. The one baseline stands for the paper's sample of rows, which a model file does not hold.

import Core

struct EnsembleGame: Sendable {
  private let ensemble: Ensemble
  private let members: [Explainer]
  /// By member and output: the margin where nothing is known, and the score.
  private let biases: [[Double]]
  private let baseScores: [[Double]]
  /// By member, in 64 bits where there is such a one: quotients of small moves need them.
  private let transforms: [Objective.Transform]
  /// Nil in a mean.
  private let top: Explainer?

  /// A margin that moved by less than this has its transform's slope in place of a quotient.
  private static let leastMove = 1e-9
  /// A sum of contributions that is a smaller part of them than this is rounding.
  private static let leastPart = 1e-6

  init(_ ensemble: Ensemble, _ source: String) throws(Failure) {
    self.ensemble = ensemble
    transforms = ensemble.members.map { member in
      let own = member.model.task.transform
      return own.wide.map { .double($0) } ?? own
    }
    var members: [Explainer] = []
    for (member, transform) in zip(ensemble.members, transforms) {
      if ensemble.takesScores, transform.isCoupled {
        throw .badData(
          "\(source): each score of '\(member.name)' (\(member.model.objective)) comes from all of its"
            + " margins, so that no input has a part of its own in it",
          hint: "a mean with on: \"margin\" can be explained")
      }
      members.append(try Explainer(member.model, source: "\(source): \(member.name)"))
    }
    self.members = members
    biases = members.map(\.biases)
    baseScores = zip(transforms, biases).map { $0.scores($1) }
    guard case .stack(let top, let sources) = ensemble.rule else {
      self.top = nil
      return
    }
    // As the members themselves would say it, so that where they say it nothing is given.
    let said = zip(ensemble.members, biases).map { $0.model.task.transform.scores($1) }
    self.top = try Explainer(
      top.model, source: "\(source): \(top.name)",
      unknown: sources.map { source in
        if case .score(let member, let index) = source { said[member][index] } else { .nan }
      })
  }

  /// The ensemble's margins where nothing is known.
  var base: [Double] {
    guard case .mean(let weights, let space) = ensemble.rule else { return top!.biases }
    let bases = space == .score ? baseScores : biases
    let total = weights.reduce(0, +)
    return (0..<ensemble.outputCount).map { output in
      zip(bases, weights).reduce(0) { $0 + $1.0[output] * $1.1 / total }
    }
  }

  /// See `Explainer.contributions`.
  func contributions(
    _ rows: UnsafeBufferPointer<Double>, rowCount: Int,
    into contributions: UnsafeMutableBufferPointer<Double>
  ) {
    let inputs = ensemble.inputCount
    let width = ensemble.outputCount * (inputs + 1)
    for row in 0..<rowCount {
      let own = UnsafeBufferPointer(rebasing: rows[row * inputs..<(row + 1) * inputs])
      var values = ContributionSums(inputs, ensemble.outputCount)
      switch ensemble.rule {
      case .mean(let weights, let space): explainMean(own, weights, space, &values)
      case .stack(_, let sources): explainStack(own, sources, &values)
      }
      _ = UnsafeMutableBufferPointer(
        rebasing: contributions[row * width..<(row + 1) * width]
      ).update(fromContentsOf: values.values)
    }
  }

  private func explainMean(
    _ row: UnsafeBufferPointer<Double>, _ weights: [Double], _ space: Combination.Space,
    _ values: inout ContributionSums
  ) {
    let total = weights.reduce(0, +)
    for (output, value) in base.enumerated() { values.addBias(value, toOutput: output) }
    for member in members.indices {
      let own = contributions(ofMember: member, row)
      let rates = space == .score ? rates(ofMember: member, own) : []
      for output in 0..<ensemble.outputCount {
        values.add(
          own.inputs(ofOutput: output), at: ensemble.members[member].columns,
          times: weights[member] / total * (rates.isEmpty ? 1 : rates[output]), toOutput: output)
      }
    }
  }

  /// What each score of a member moved by, for one of its margin.
  private func rates(ofMember member: Int, _ own: ContributionSums) -> [Double] {
    let moves = own.moves
    let margins = zip(biases[member], moves).map { $0 + $1 }
    let scores = transforms[member].scores(margins)
    let step = 1e-4
    let above = transforms[member].scores(margins.map { $0 + step })
    let below = transforms[member].scores(margins.map { $0 - step })
    return moves.indices.map { output in
      abs(moves[output]) > Self.leastMove
        ? (scores[output] - baseScores[member][output]) / moves[output]
        : (above[output] - below[output]) / (2 * step)
    }
  }

  private func explainStack(
    _ row: UnsafeBufferPointer<Double>, _ sources: [Ensemble.Source],
    _ values: inout ContributionSums
  ) {
    var told = [Double](repeating: 0, count: sources.count)
    told.withUnsafeMutableBufferPointer { ensemble.stackInputs(row, sources, into: $0) }
    let given = top!.sums(told)
    for output in 0..<ensemble.outputCount {
      values.addBias(given.bias(ofOutput: output), toOutput: output)
    }
    for member in members.indices {
      let own = contributions(ofMember: member, row)
      for (place, source) in sources.enumerated() {
        guard case .score(member, let index) = source else { continue }
        let parts = own.inputs(ofOutput: index)
        let move = parts.reduce(0, +)
        let isRounding = abs(move) <= Self.leastPart * parts.reduce(0) { $0 + abs($1) }
        for output in 0..<ensemble.outputCount {
          let value = given.value(ofInput: place, toOutput: output)
          if isRounding {
            // Nobody's in particular.
            values.addBias(value, toOutput: output)
          } else {
            values.add(
              parts, at: ensemble.members[member].columns, times: value / move, toOutput: output)
          }
        }
      }
    }
    for (place, source) in sources.enumerated() {
      guard case .input(let input) = source else { continue }
      for output in 0..<ensemble.outputCount {
        let value = given.value(ofInput: place, toOutput: output)
        values.add([value], at: [input], times: 1, toOutput: output)
      }
    }
  }

  private func contributions(
    ofMember member: Int, _ row: UnsafeBufferPointer<Double>
  ) -> ContributionSums {
    let columns = ensemble.members[member].columns
    return members[member].sums(columns.isEmpty ? Array(row) : columns.map { row[$0] })
  }
}

/// One row's contributions: of each output one for each input, and last the bias.
struct ContributionSums {
  private let inputCount: Int
  private let outputCount: Int
  fileprivate(set) var values: [Double]

  init(_ inputCount: Int, _ outputCount: Int) {
    (self.inputCount, self.outputCount) = (inputCount, outputCount)
    values = Array(repeating: 0, count: outputCount * (inputCount + 1))
  }

  private func firstInput(ofOutput output: Int) -> Int { output * (inputCount + 1) }

  func inputs(ofOutput output: Int) -> ArraySlice<Double> {
    values[firstInput(ofOutput: output)..<firstInput(ofOutput: output) + inputCount]
  }

  func value(ofInput input: Int, toOutput output: Int) -> Double {
    values[firstInput(ofOutput: output) + input]
  }

  func bias(ofOutput output: Int) -> Double { value(ofInput: inputCount, toOutput: output) }

  /// By output, what all inputs gave together.
  var moves: [Double] { (0..<outputCount).map { inputs(ofOutput: $0).reduce(0, +) } }

  mutating func addBias(_ value: Double, toOutput output: Int) {
    values[firstInput(ofOutput: output) + inputCount] += value
  }

  /// - Parameter columns: where each of `parts` belongs; empty where they are in the inputs' order.
  mutating func add(
    _ parts: ArraySlice<Double>, at columns: [Int], times rate: Double, toOutput output: Int
  ) {
    let first = firstInput(ofOutput: output)
    for (place, part) in parts.enumerated() {
      values[first + (columns.isEmpty ? place : columns[place])] += part * rate
    }
  }
}

extension Explainer {
  /// One row's contributions.
  fileprivate func sums(_ row: [Double]) -> ContributionSums {
    var sums = ContributionSums(inputCount, outputCount)
    row.withUnsafeBufferPointer { row in
      sums.values.withUnsafeMutableBufferPointer {
        contributions(row, rowCount: 1, into: $0)
      }
    }
    return sums
  }
}

extension Ensemble {
  /// Whether what is combined are the members' scores.
  fileprivate var takesScores: Bool {
    if case .mean(_, .margin) = rule { false } else { true }
  }
}

extension Objective.Transform {
  /// The scores of one row's margins.
  fileprivate func scores(_ margins: [Double]) -> [Double] {
    var values = margins
    values.withUnsafeMutableBufferPointer { apply($0) }
    return values
  }

  /// Whether a score comes from several margins.
  fileprivate var isCoupled: Bool {
    switch self {
    case .float(.softmax), .float(.argmax), .float(.ascending), .float(.cumulativeSoftplus): true
    case .double(let transform): transform.shape == .softmax
    case .onnx(let transform): transform.shape == .softmax || transform.shape == .softmaxZero
    case .float: false
    }
  }
}
