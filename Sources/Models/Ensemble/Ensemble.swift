// Several models that decide as one. Each member is asked by its own kernel for a block of rows, and
// what they say is combined:
//
//     rows ─┬▶ a's inputs ─▶ a's margins ─▶ (scores) ─┬▶ Σ weight × … / Σ weight
//           └▶ b's inputs ─▶ b's margins ─▶ (scores) ─┴▶ or the inputs of the stacking model
//
// Sums are in 64 bits in the members' order, whatever the members' own precision, and divided by the
// sum of the weights at last, as numpy.average does it.

import Core

final class Ensemble: Sendable {
  struct Member: Sendable {
    let name: String
    let model: Model
    /// Of each of its inputs the ensemble's; empty where they are the same.
    let columns: [Int]
  }

  /// What a stacking model is told in one of its inputs.
  enum Source: Sendable, Equatable {
    case score(member: Int, index: Int)
    case input(Int)
  }

  enum Rule: Sendable {
    case mean(weights: [Double], on: Combination.Space)
    case stack(EnsembleMember, [Source])
  }

  let members: [Member]
  let rule: Rule
  let inputCount: Int
  let outputCount: Int
  /// The combination in words that tell it from all others; its SHA-256 is the fingerprint.
  let recipe: [UInt8]
  /// The most inputs that have to be picked for a member.
  fileprivate let toldWidth: Int
  /// The most margins of a member.
  fileprivate let saidWidth: Int
  /// Inputs of the stacking model; 0 in a mean.
  fileprivate let stackedWidth: Int

  init(members: [Member], rule: Rule, inputCount: Int, outputCount: Int, recipe: [UInt8]) {
    self.members = members
    self.rule = rule
    self.inputCount = inputCount
    self.outputCount = outputCount
    self.recipe = recipe
    toldWidth = members.map(\.columns.count).max() ?? 0
    saidWidth = members.map(\.model.outputCount).max() ?? 0
    stackedWidth = if case .stack(_, let sources) = rule { sources.count } else { 0 }
  }

  /// Values that are held at a time: half a megabyte, as for inputs that are derived.
  private static let blockValues = 1 << 16

  /// See `Model.margins`. The margins of a mean of scores are these means.
  func margins(
    _ rows: UnsafeBufferPointer<Double>, rowCount: Int,
    into margins: UnsafeMutableBufferPointer<Double>
  ) {
    let width = blockWidth
    let whole = Self.blockValues / width / Binning.blockRows * Binning.blockRows
    let block = max(1, min(rowCount, max(Binning.blockRows, whole)))
    withUnsafeTemporaryAllocation(of: Double.self, capacity: block * width) { scratch in
      var first = 0
      while first < rowCount {
        let count = min(block, rowCount - first)
        let own = UnsafeBufferPointer(
          rebasing: rows[first * inputCount..<(first + count) * inputCount])
        combine(
          own, count, EnsembleScratch(self, scratch, rows: count),
          into: UnsafeMutableBufferPointer(
            rebasing: margins[first * outputCount..<(first + count) * outputCount]))
        first += count
      }
    }
  }

  private func combine(
    _ rows: UnsafeBufferPointer<Double>, _ count: Int, _ scratch: EnsembleScratch,
    into margins: UnsafeMutableBufferPointer<Double>
  ) {
    switch rule {
    case .mean(let weights, let space):
      margins.update(repeating: 0)
      for (member, weight) in zip(members, weights) {
        ask(member, rows, count, scratch, on: space)
        let stride = member.model.outputCount
        for row in 0..<count {
          for output in 0..<outputCount {
            margins[row * outputCount + output] += weight * scratch.said[row * stride + output]
          }
        }
      }
      let total = weights.reduce(0, +)
      for index in margins.indices { margins[index] /= total }
    case .stack(let top, let sources):
      gather(rows, count, scratch, sources)
      top.model.margins(UnsafeBufferPointer(scratch.stacked), rowCount: count, into: margins)
    }
  }

  /// Fills the stacking model's inputs.
  private func gather(
    _ rows: UnsafeBufferPointer<Double>, _ count: Int, _ scratch: EnsembleScratch,
    _ sources: [Source]
  ) {
    for (place, source) in sources.enumerated() {
      guard case .input(let input) = source else { continue }
      for row in 0..<count {
        scratch.stacked[row * sources.count + place] = rows[row * inputCount + input]
      }
    }
    for (number, member) in members.enumerated() {
      ask(member, rows, count, scratch, on: .score)
      let stride = member.model.outputCount
      for (place, source) in sources.enumerated() {
        guard case .score(number, let index) = source else { continue }
        for row in 0..<count {
          scratch.stacked[row * sources.count + place] = scratch.said[row * stride + index]
        }
      }
    }
  }

  /// What a stacking model is told of one row.
  ///
  /// - Parameter stacked: takes a value for each of the stacking model's inputs.
  func stackInputs(
    _ row: UnsafeBufferPointer<Double>, _ sources: [Source],
    into stacked: UnsafeMutableBufferPointer<Double>
  ) {
    withUnsafeTemporaryAllocation(of: Double.self, capacity: blockWidth) { values in
      let scratch = EnsembleScratch(self, values, rows: 1)
      gather(row, 1, scratch, sources)
      _ = stacked.update(fromContentsOf: scratch.stacked)
    }
  }

  /// Lets a member judge; `scratch.said` has what it says, rows of its margins' width.
  private func ask(
    _ member: Member, _ rows: UnsafeBufferPointer<Double>, _ count: Int,
    _ scratch: EnsembleScratch, on space: Combination.Space
  ) {
    let model = member.model
    let width = model.outputCount
    let said = UnsafeMutableBufferPointer(rebasing: scratch.said[..<(count * width)])
    if member.columns.isEmpty {
      model.margins(rows, rowCount: count, into: said)
    } else {
      pick(member.columns, rows, count, into: scratch.told)
      model.margins(UnsafeBufferPointer(scratch.told), rowCount: count, into: said)
    }
    guard space == .score else { return }
    for row in 0..<count {
      model.transform(UnsafeMutableBufferPointer(rebasing: said[row * width..<(row + 1) * width]))
    }
  }

  /// A member's own inputs.
  func pick(
    _ columns: [Int], _ rows: UnsafeBufferPointer<Double>, _ count: Int,
    into told: UnsafeMutableBufferPointer<Double>
  ) {
    var next = 0
    for row in 0..<count {
      for column in columns {
        told[next] = rows[row * inputCount + column]
        next += 1
      }
    }
  }

  /// Values that a row needs between the members.
  private var blockWidth: Int { toldWidth + saidWidth + stackedWidth }
}

/// What a block of rows needs between the members, cut from one piece of memory.
private struct EnsembleScratch {
  let told: UnsafeMutableBufferPointer<Double>
  let said: UnsafeMutableBufferPointer<Double>
  let stacked: UnsafeMutableBufferPointer<Double>

  init(_ ensemble: Ensemble, _ memory: UnsafeMutableBufferPointer<Double>, rows: Int) {
    let saidStart = rows * ensemble.toldWidth
    let stackedStart = saidStart + rows * ensemble.saidWidth
    told = UnsafeMutableBufferPointer(rebasing: memory[..<saidStart])
    said = UnsafeMutableBufferPointer(rebasing: memory[saidStart..<stackedStart])
    stacked = UnsafeMutableBufferPointer(
      rebasing: memory[stackedStart..<stackedStart + rows * ensemble.stackedWidth])
  }
}
