// How good the probabilities of several classes are, against the class that turned out.
//
//   AUC         of each class against all others, the plain mean (scikit-learn's roc_auc_score with
//               multi_class="ovr"); the interval is DeLong's for the mean: each row's parts in the classes' areas
//               are added up before they are squared, since the areas come from the same rows
//   log loss    of the true class's probability, held away from 0 as for two classes
//   Brier       the squared distance to the outcome, over all classes: 0 to 2
//   accuracy    the share of rows whose most likely class is the true one, with Wilson's interval; of equal
//               probabilities the first counts
//   macro F1    the mean over the classes that are there or were predicted; the interval by the delta method
//               (Takahashi et al., "Confidence interval for micro-averaged F1 and macro-averaged F1 scores", 2022),
//               none where every class is all right or all wrong

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// One class of several that was given by probabilities.
public struct MulticlassMetrics: Sendable {
  /// Row after row, `classCount` probabilities each.
  private let scores: [Double]
  private let outcomes: [Int]
  private let classCount: Int
  private let predicted: [Int]

  /// - Parameters:
  ///   - scores: `outcomes.count × classCount` probabilities, row after row.
  ///   - outcomes: classes from 0.
  public init(scores: [Double], classCount: Int, outcomes: [Int]) {
    precondition(scores.count == outcomes.count * classCount, "every row has all probabilities")
    precondition(outcomes.allSatisfy { (0..<classCount).contains($0) }, "outcomes are classes")
    (self.scores, self.classCount, self.outcomes) = (scores, classCount, outcomes)
    predicted = outcomes.indices.map { row in
      (0..<classCount).max {
        let (left, right) = (scores[row * classCount + $0], scores[row * classCount + $1])
        return left == right ? $0 > $1 : left < right
      } ?? 0
    }
  }

  /// Of classes alone, where no probabilities are known: only `accuracy` and `macroF1` mean something.
  public init(predicted: [Int], classCount: Int, outcomes: [Int]) {
    precondition(predicted.count == outcomes.count, "every prediction has an outcome")
    (scores, self.predicted, self.classCount, self.outcomes) = ([], predicted, classCount, outcomes)
  }

  public var accuracy: Estimate? {
    Estimate.share(outcomes.indices.count { predicted[$0] == outcomes[$0] }, of: outcomes.count)
  }

  public var logLoss: Estimate? {
    let losses = outcomes.indices.map { row in
      -log(max(scores[row * classCount + outcomes[row]], .ulpOfOne))
    }
    return Estimate.mean(of: losses, within: 0...(.infinity))
  }

  public var brier: Estimate? {
    let distances = outcomes.indices.map { row in
      (0..<classCount).reduce(0.0) { sum, kind in
        let distance = scores[row * classCount + kind] - (kind == outcomes[row] ? 1 : 0)
        return sum + distance * distance
      }
    }
    return Estimate.mean(of: distances, within: 0...2)
  }

  /// Nil where a class never turned out: it has no area.
  ///
  /// - Complexity: O(classes × n log n).
  public var auc: Estimate? {
    guard classCount > 1, !outcomes.isEmpty else { return nil }
    var sum = 0.0
    var parts = [Double](repeating: 0, count: outcomes.count)
    for kind in 0..<classCount {
      guard let area = addArea(of: kind, into: &parts) else { return nil }
      sum += area
    }
    let count = Double(classCount)
    let variance = parts.reduce(0) { $0 + $1 * $1 } / (count * count)
    return Estimate.normal(sum / count, standardError: variance.squareRoot(), within: 0...1)
  }

  /// The area of one class against the others; each row's part in its error is added to `parts`.
  private func addArea(of kind: Int, into parts: inout [Double]) -> Double? {
    let own = outcomes.indices.filter { outcomes[$0] == kind }
    let other = outcomes.indices.filter { outcomes[$0] != kind }
    guard !own.isEmpty, !other.isEmpty else { return nil }
    func score(_ row: Int) -> Double { scores[row * classCount + kind] }
    let all = Midranks.of((own + other).map(score))
    let (ownRanks, otherRanks) = (Midranks.of(own.map(score)), Midranks.of(other.map(score)))
    let (m, n) = (Double(own.count), Double(other.count))
    // For each row of the class the share of others below it, and the other way round.
    let above = own.indices.map { (all[$0] - ownRanks[$0]) / n }
    let below = other.indices.map { 1 - (all[own.count + $0] - otherRanks[$0]) / m }
    let area = above.reduce(0, +) / m
    for (row, share) in zip(own, above) { parts[row] += (share - area) * weight(m) }
    for (row, share) in zip(other, below) { parts[row] += (share - area) * weight(n) }
    return area
  }

  /// So that the squares of the parts of `n` rows add up to the variance of their mean.
  private func weight(_ n: Double) -> Double { n > 1 ? 1 / (n * (n - 1)).squareRoot() : 0 }

  /// - Complexity: O(rows + classes).
  public var macroF1: Estimate? {
    guard !outcomes.isEmpty else { return nil }
    var (hits, marks) = (
      [Double](repeating: 0, count: classCount), [Double](repeating: 0, count: classCount)
    )
    // A row counts for the class that it has and for the one that it was given. One that is no class is nobody's.
    for row in outcomes.indices {
      marks[outcomes[row]] += 1
      guard (0..<classCount).contains(predicted[row]) else { continue }
      marks[predicted[row]] += 1
      if predicted[row] == outcomes[row] { hits[outcomes[row]] += 1 }
    }
    let classes = marks.indices.filter { marks[$0] > 0 }
    let value = classes.reduce(0) { $0 + 2 * hits[$1] / marks[$1] } / Double(classes.count)
    // How much each row moves the mean: the derivative with respect to the share of rows like it, whose mean is 0.
    let moves = outcomes.indices.map { row in
      var move = predicted[row] == outcomes[row] ? 2 / marks[outcomes[row]] : 0
      for kind in [outcomes[row], predicted[row]] where marks.indices.contains(kind) {
        move -= 2 * hits[kind] / (marks[kind] * marks[kind])
      }
      return move / Double(classes.count)
    }
    let error = moves.reduce(0) { $0 + $1 * $1 }.squareRoot()
    return error > 0
      ? Estimate.normal(value, standardError: error, within: 0...1) : Estimate(value)
  }
}
