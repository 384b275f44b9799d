// Two periods, before a switch and after it, of decisions that were made: what the switch was worth to those that
// switched (`DifferenceInDifferences`), the same where nothing was switched, and segment by segment.
//
//     ──────────── before ───────────┬────── after ──────▶
//        first half  ┊  second half  │
//                    ▲               ▲
//             nothing happened    the switch
//
// Between the halves of the period before nothing was switched, so the same estimate must be zero there, but for chance.
// Where it is not, treated and control were drifting apart already, and what they do after the switch does not tell
// the switch from the drift (Angrist and Pischke, "Mostly Harmless Econometrics", 2009, section 5.2).

public import Core

public struct BeforeAfter: Sendable {
  public struct Decision: Sendable {
    let time: Timestamp
    let value: Double
    let isTreated: Bool

    public init(time: Timestamp, value: Double, isTreated: Bool) {
      self.time = time
      self.value = value
      self.isTreated = isTreated
    }
  }

  public struct Segment: Sendable {
    /// The numbers of the segments in it, ascending: one, or all those that are taken together.
    public let numbers: [Int]
    public let difference: DifferenceInDifferences
    /// Whether control is that of the segment, and not that of all, as it is where the segment's own is too small to say
    /// anything.
    public let hasOwnControl: Bool
  }

  public let whole: DifferenceInDifferences
  /// The same where nothing was switched; nil without a control.
  public let placebo: DifferenceInDifferences?
  /// Where the placebo is cut.
  public let placeboCut: Timestamp
  /// The largest by treated decisions, in the order of what the switch was worth in them, whichever way, the most first,
  /// then those of which that cannot be said; those that are taken together come last. Their intervals hold together
  /// (Bonferroni).
  public let segments: [Segment]

  /// - Parameters:
  ///   - moment: of the switch; a decision at it is after it.
  ///   - clusterings: one or two, over the decisions.
  ///   - numbers: of each decision's segment, dense from 0; empty where nobody asks.
  /// - Complexity: that of `DifferenceInDifferences` twice, and once for each of at most 21 segments with draws in
  ///   proportion to their number.
  public init(
    _ decisions: [Decision], switchedAt moment: Timestamp,
    _ clusterings: [DifferenceInDifferences.Clustering], segments numbers: [Int] = [],
    bootstrap: ClusterBootstrap
  ) {
    precondition(numbers.isEmpty || numbers.count == decisions.count, "one for each decision")
    let sample = Sample(decisions: decisions, clusterings: clusterings)
    let all = Array(decisions.indices)
    whole = sample.difference(all, cut: moment, bootstrap)
    let before = all.filter { decisions[$0].time < moment }
    let first = before.map { decisions[$0].time }.min() ?? moment
    placeboCut = Timestamp(
      microseconds: first.microseconds + (moment.microseconds - first.microseconds) / 2)
    placebo = whole.hasControl ? sample.difference(before, cut: placeboCut, bootstrap) : nil
    segments = numbers.isEmpty ? [] : sample.segments(numbers, cut: moment, bootstrap)
  }

  /// What treated and control did before the switch.
  public enum Trend: Sendable, Equatable { case alike, apart, unknown }

  public var trend: Trend {
    guard let placebo, placebo.hasControl, let interval = placebo.interval else { return .unknown }
    return interval.low > 0 || interval.high < 0 ? .apart : .alike
  }

  // MARK: Parts

  private struct Sample {
    let decisions: [Decision]
    let clusterings: [DifferenceInDifferences.Clustering]

    func difference(
      _ chosen: [Int], cut: Timestamp, _ bootstrap: ClusterBootstrap
    ) -> DifferenceInDifferences {
      DifferenceInDifferences(
        chosen.map {
          .init(
            value: decisions[$0].value, isTreated: decisions[$0].isTreated,
            isAfter: decisions[$0].time >= cut)
        }, clusterings.map { $0.of(chosen) }, bootstrap: bootstrap)
    }

    func segments(
      _ numbers: [Int], cut: Timestamp, _ bootstrap: ClusterBootstrap
    ) -> [Segment] {
      let (single, rest, units) = SegmentedComparison.groups(numbers) { decisions[$0].isTreated }
      let groups = rest.isEmpty ? single : single + [rest]
      let shared = bootstrap.shared(among: max(1, groups.count))
      let control = decisions.indices.filter { !decisions[$0].isTreated }
      let found = groups.map { group in
        let members = group.flatMap { units[$0] }.sorted()
        let own = members.filter { !decisions[$0].isTreated }
        let hasOwn = suffice(own, cut: cut)
        return Segment(
          numbers: group,
          difference: difference(
            hasOwn ? members : members.filter { decisions[$0].isTreated } + control, cut: cut,
            shared
          ), hasOwnControl: hasOwn)
      }
      return found.filter { $0.numbers != rest }.sorted { $0.comesBefore($1) }
        + found.filter { $0.numbers == rest }
    }

    /// Whether something can be said of these in both periods.
    private func suffice(_ chosen: [Int], cut: Timestamp) -> Bool {
      [true, false].allSatisfy { isBefore in
        let own = chosen.filter { (decisions[$0].time < cut) == isBefore }
        return own.count >= DifferenceInDifferences.countMin
          && clusterings.allSatisfy {
            Set($0.of(own).numbers).count >= DifferenceInDifferences.clusterCountMin
          }
      }
    }
  }
}

extension BeforeAfter.Segment {
  /// Of all treated decisions since the switch; nil where it cannot be said.
  public var worth: Double? {
    difference.toldEffect.map { $0 * Double(difference.treated.after.count) }
  }

  fileprivate func comesBefore(_ other: BeforeAfter.Segment) -> Bool {
    let (one, two) = (worth?.magnitude ?? -1, other.worth?.magnitude ?? -1)
    return one == two ? numbers[0] < other.numbers[0] : one > two
  }
}
