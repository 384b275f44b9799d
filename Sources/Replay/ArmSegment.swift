// What an arm's questions of one kind come to beside the first arm's: those of one airport, of one carrier.

public import Measure

public struct ArmSegment: Sendable {
  /// What its questions have in common, as JSON; several where small segments are taken together.
  public let names: [String]
  /// Questions that every arm decided, and those among them with another decision than in the first arm.
  public let decidedCount: Int
  public let flipCount: Int
  /// The first arm against this one, on the questions that are compared; intervals of all segments hold together.
  public let gain: PairedComparison
  /// The same by SNIPW; nil where nothing is logged, or either arm has no weight there.
  public let snipw: (value: Double, interval: (low: Double, high: Double)?)?
}

extension HistoryReplay {
  /// - Parameters:
  ///   - worth: weighted, where there are weights.
  ///   - weights: of logged decisions.
  func segments(
    _ arm: Int, _ worth: [[Double?]], _ weights: [[Double?]]?, _ bootstrap: ClusterBootstrap
  ) -> [ArmSegment] {
    guard !segments.isEmpty else { return [] }
    var flips: [Int: Int] = [:]
    for question in times.indices where differs(arm, question) {
      flips[segments[question], default: 0] += 1
    }
    // As in the whole: a question that any arm's worth is not known of is compared in none.
    let isCompared = times.indices.map { question in worth.allSatisfy { $0[question] != nil } }
    let compared = SegmentedComparison(
      times.indices.map { isCompared[$0] ? worth[0][$0] : nil },
      times.indices.map { isCompared[$0] ? worth[arm][$0] : nil },
      segments: segments, clusters: clusters, bootstrap: bootstrap)
    let shared = bootstrap.shared(among: max(1, compared.segments.count))
    return compared.segments.map { segment in
      let own = Set(segment.numbers)
      let questions = times.indices.filter { isCompared[$0] && own.contains(segments[$0]) }
      return ArmSegment(
        names: segment.numbers.map(segmentName), decidedCount: segment.unitCount,
        flipCount: segment.numbers.reduce(0) { $0 + (flips[$1] ?? 0) }, gain: segment.comparison,
        snipw: weights.flatMap { snipw(arm, questions, worth, $0, shared) })
    }
  }

  private func snipw(
    _ arm: Int, _ questions: [Int], _ worth: [[Double?]], _ weights: [[Double?]],
    _ bootstrap: ClusterBootstrap
  ) -> (value: Double, interval: (low: Double, high: Double)?)? {
    func sample(_ arm: Int) -> [(weight: Double, reward: Double)] {
      questions.map { question in
        let weight = weights[arm][question] ?? 0
        return (weight, weight > 0 ? (worth[arm][question] ?? 0) / weight : 0)
      }
    }
    return OffPolicyValue.gain(
      sample(0), over: sample(arm), clusters: questions.map { clusters[$0] }, bootstrap: bootstrap)
  }
}
