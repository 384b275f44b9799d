// One arm beside the first: how often it decided otherwise, how old its features were, how far its scores lay off, how
// well it did against what turned out, and what that was worth.

public import Core
import Decisions
public import Measure

/// Figures of one arm on its own.
public struct ArmQuality: Sendable {
  /// A decision, as a guess that the outcome is true.
  public struct Action: Sendable {
    public let decision: String
    /// Questions that were decided so, and those among them whose outcome was true.
    public let count: Int
    public let trueCount: Int
    /// Questions whose outcome was true, whatever was decided.
    public let allTrueCount: Int

    /// Nil where there is nothing to take a share of.
    public var precision: Double? { count > 0 ? Double(trueCount) / Double(count) : nil }
    public var recall: Double? {
      allTrueCount > 0 ? Double(trueCount) / Double(allTrueCount) : nil
    }
  }

  /// Nil where some decisions came too late: their scores may have known the outcome. So are the other two.
  public let auc: Estimate?
  /// Nil where scores are no probabilities.
  public let logLoss: Estimate?
  public let brier: Estimate?
  public let actions: [Action]
}

/// What an arm would have been worth, by decisions that were logged with their propensities.
public struct LoggedValue: Sendable {
  public let own: OffPolicyValue
  /// The first arm's SNIPW less this one's; nil for the first itself, or where it cannot be said.
  public let gain: (value: Double, interval: (low: Double, high: Double)?)?
}

public struct ArmComparison: Sendable {
  public let arm: ReplayArm
  /// Questions with another decision than in the first arm, by what the first arm and this one decided.
  public let flips: [(first: String, other: String, count: Int)]
  public let refusedCount: Int
  /// Questions that the first arm could decide and this one not, and the other way round.
  public let onlyFirstCount: Int
  public let onlyOwnCount: Int
  public let ageMedian: TimeSpan
  public let ageMax: TimeSpan
  /// From a question to its decision.
  public let delayMedian: TimeSpan
  public let delayMax: TimeSpan
  /// From the features of a decision to its rules, of those that were timed.
  public let took: LatencyHistogram
  /// Decisions that came when the outcome was there already: they are none.
  public let tooLateCount: Int
  /// Of the absolute differences of scores.
  public let scoreDifference: (mean: Double, p99: Double, max: Double)
  /// Of one input that the first arm's model has, too.
  public struct StaleInput: Sendable {
    public let name: String
    /// Of the questions in which the model was told something else.
    public let share: Double
    /// By how much on average, in the input's own unit, stale or not; nil for categories, and where it was never known.
    public let meanDifference: Double?
  }

  /// In the order of the arm's own model.
  public let staleInputs: [StaleInput]
  /// Nil where outcomes are not true or false, or there are none.
  public let quality: ArmQuality?
  /// What the decisions that are compared were worth in all.
  public let value: Double
  /// What the arm says that it costs, over the time from the first question that is compared to the last.
  public let cost: Double
  /// The first arm against this one, costs left out; nil for the first itself.
  public let gain: PairedComparison?
  /// Whether the outcome was guessed right: any decision but the last rule's is a guess that it is true.
  public let mcNemar: McNemarTest?

  /// How much larger the first arm's AUC is; nil where either has none, and for the first itself.
  public let aucGain: PairedAUC?
  /// By logged decisions; nil where outcomes do not depend on the decision, and every arm is valued by all of them.
  public let logged: LoggedValue?

  /// Where the difference comes from; empty where nobody asks, and for the first.
  public let segments: [ArmSegment]

  public var flipCount: Int { flips.reduce(0) { $0 + $1.count } }
}

extension HistoryReplay {
  /// Every arm, the first included.
  ///
  /// - Parameters:
  ///   - worth: by arm and question; a question of which any is nil is not compared.
  ///   - weights: by arm and question, of logged decisions (`weights`); the worth of a question counts by them, and
  ///     quality is not told, since outcomes are those of other decisions. Nil: outcomes do not depend on the decision.
  ///   - segmented: the arm whose difference is told by segment, too.
  /// - Complexity: O(questions · log questions + bootstrap) an arm.
  public func comparisons(
    worth: [[Double?]], weights: [[Double?]]? = nil, bootstrap: ClusterBootstrap,
    segmented: Int = 1
  ) -> [ArmComparison] {
    let known = times.indices.filter { question in worth.allSatisfy { $0[question] != nil } }
    let logged = weights.map { loggedValues(worth, $0, known, bootstrap) }
    let worth = weights.map { HistoryReplay.weighted(worth, by: $0) } ?? worth
    let compared = known.filter { question in worth.allSatisfy { $0[question] != nil } }
    let span = TimeSpan(
      microseconds: compared.isEmpty
        ? 0 : times[compared.last!].microseconds - times[compared[0]].microseconds)
    let outcomes = times.indices.map { question -> Bool? in
      guard logged == nil else { return nil }
      if case .bool(let value) = outcome(question) { return value }
      return nil
    }
    let tooLate = traces.indices.map { arm in times.indices.count { isTooLate(arm, $0) } }
    return traces.indices.map { arm in
      let first = compared.map { worth[0][$0]! }
      let own = compared.map { worth[arm][$0]! }
      let ages = times.map { traces[arm].age(at: $0) }.sorted()
      let delays = times.map { traces[arm].delay(at: $0) }.sorted()
      return ArmComparison(
        arm: traces[arm].arm, flips: flips(arm), refusedCount: traces[arm].refusedCount,
        onlyFirstCount: traces[arm].onlyFirstCount, onlyOwnCount: traces[arm].onlyOwnCount,
        ageMedian: ages.isEmpty ? .zero : ages[ages.count / 2], ageMax: ages.last ?? .zero,
        delayMedian: delays.isEmpty ? .zero : delays[delays.count / 2],
        delayMax: delays.last ?? .zero, took: traces[arm].took, tooLateCount: tooLate[arm],
        scoreDifference: scoreDifference(arm), staleInputs: staleInputs(arm),
        quality: quality(arm, outcomes, knowsScores: tooLate[arm] == 0), value: own.reduce(0, +),
        cost: traces[arm].arm.cost.total(decisions: compared.count, over: span),
        gain: arm == 0
          ? nil
          : PairedComparison(
            first, own, clusters: compared.map { clusters[$0] }, bootstrap: bootstrap),
        mcNemar: arm == 0 ? nil : mcNemar(arm, outcomes),
        aucGain: arm > 0 && tooLate[0] + tooLate[arm] == 0 ? aucGain(arm, outcomes) : nil,
        logged: logged?[arm],
        segments: arm == segmented ? segments(arm, worth, weights, bootstrap) : [])
    }
  }

  private func flips(_ arm: Int) -> [(first: String, other: String, count: Int)] {
    var flips: [(first: String, other: String, count: Int)] = []
    for question in times.indices where differs(arm, question) {
      let (first, other) = (decision(0, question) ?? "none", decision(arm, question) ?? "none")
      if let known = flips.firstIndex(where: { $0.first == first && $0.other == other }) {
        flips[known].count += 1
      } else {
        flips.append((first, other, 1))
      }
    }
    return flips.sorted { ($1.count, $0.first, $0.other) < ($0.count, $1.first, $1.other) }
  }

  /// Whether an arm decided a question otherwise than the first.
  func differs(_ arm: Int, _ question: Int) -> Bool {
    action(0, question) != action(arm, question)
  }

  private func staleInputs(_ arm: Int) -> [ArmComparison.StaleInput] {
    let (first, own) = (decider(0), decider(arm))
    return own.inputNames.indices.compactMap { input in
      let name = own.inputNames[input]
      guard first.inputNames.contains(name) else { return nil }
      let found = traces[arm].inputs[input]
      return ArmComparison.StaleInput(
        name: name,
        share: times.isEmpty ? 0 : Double(found.differingCount) / Double(times.count),
        meanDifference: own.isNumber(input: input) ? found.mean(of: times.count) : nil)
    }
  }

  private func scoreDifference(_ arm: Int) -> (mean: Double, p99: Double, max: Double) {
    let sizes = zip(traces[0].scores, traces[arm].scores).map { abs($0 - $1) }.sorted()
    guard let largest = sizes.last else { return (0, 0, 0) }
    return (
      sizes.reduce(0, +) / Double(sizes.count), sizes[(sizes.count - 1) * 99 / 100], largest
    )
  }

  private func quality(
    _ arm: Int, _ outcomes: [Bool?], knowsScores: Bool
  ) -> ArmQuality? {
    let known = outcomes.indices.filter { outcomes[$0] != nil }
    guard !known.isEmpty else { return nil }
    let scores = known.map { traces[arm].scores[$0] }
    let truths = known.map { outcomes[$0]! }
    let metrics = ClassificationMetrics(scores: scores, outcomes: truths)
    let areProbabilities = scores.allSatisfy { (0...1).contains($0) }
    let trueCount = truths.count { $0 }
    var names: [String] = []
    for name in decider(arm).decisions where !names.contains(name) { names.append(name) }
    let actions = names.map { name in
      let chosen = known.filter { decision(arm, $0) == name }
      return ArmQuality.Action(
        decision: name, count: chosen.count, trueCount: chosen.count { outcomes[$0]! },
        allTrueCount: trueCount)
    }
    return ArmQuality(
      auc: knowsScores ? metrics.auc : nil,
      logLoss: knowsScores && areProbabilities ? metrics.logLoss : nil,
      brier: knowsScores && areProbabilities ? metrics.brier : nil, actions: actions)
  }

  private func aucGain(_ arm: Int, _ outcomes: [Bool?]) -> PairedAUC? {
    let known = outcomes.indices.filter { outcomes[$0] != nil }
    return PairedAUC(
      known.map { traces[0].scores[$0] }, known.map { traces[arm].scores[$0] },
      outcomes: known.map { outcomes[$0]! })
  }

  private func mcNemar(_ arm: Int, _ outcomes: [Bool?]) -> McNemarTest? {
    var (onlyFirst, onlySecond, known) = (0, 0, 0)
    for (question, outcome) in outcomes.enumerated() {
      guard let outcome else { continue }
      known += 1
      let first = isRight(0, question, outcome)
      let second = isRight(arm, question, outcome)
      if first && !second { onlyFirst += 1 }
      if second && !first { onlySecond += 1 }
    }
    return known > 0 ? McNemarTest(onlyFirst: onlyFirst, onlySecond: onlySecond) : nil
  }
}
