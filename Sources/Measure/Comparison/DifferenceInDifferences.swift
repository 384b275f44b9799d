// What a switch brought to those that switched, where others did not: how much their mean changed from before to after,
// less how much that of the others changed, which is what time alone would have done (Ashenfelter and Card, "Using the
// longitudinal structure of earnings to estimate the effect of training programs", 1985).
//
//                  before      after       change
//     treated       b_t         a_t        a_t − b_t
//     control       b_c         a_c        a_c − b_c
//                              effect = (a_t − b_t) − (a_c − b_c)
//
// That is the effect if without the switch both would have changed alike, which nothing can show; whether they did
// before the switch can be looked at (`BeforeAfter`).
//
// What hangs together is more than one thing: the decisions of a day, those of a customer. The standard error of both
// together (Cameron, Gelbach and Miller, "Robust inference with multiway clustering", 2011) is
//
//     error² = error²(days) + error²(customers) − error²(customers' days), and that of either at least
//
// and the interval is that of the way with the larger error by itself (`ClusterBootstrap`), stretched to it. Clusters are
// drawn for by their like, days before by days before, treated customers by treated customers.

public struct DifferenceInDifferences: Sendable {
  /// Of one group in one period.
  public struct Cell: Sendable, Equatable {
    public fileprivate(set) var count = 0
    public fileprivate(set) var sum = 0.0

    public var mean: Double? { count > 0 ? sum / Double(count) : nil }
  }

  public struct Group: Sendable, Equatable {
    public fileprivate(set) var before = Cell()
    public fileprivate(set) var after = Cell()

    /// Nil where either period is empty.
    public var change: Double? {
      guard let before = before.mean, let after = after.mean else { return nil }
      return after - before
    }
  }

  public struct Unit: Sendable {
    let value: Double
    let isTreated: Bool
    let isAfter: Bool

    public init(value: Double, isTreated: Bool, isAfter: Bool) {
      self.value = value
      self.isTreated = isTreated
      self.isAfter = isAfter
    }

    /// Dense from 0: treated before and after, control before and after.
    fileprivate var cell: Int { (isTreated ? 0 : 2) + (isAfter ? 1 : 0) }
  }

  /// One way in which units hang together.
  public struct Clustering: Sendable {
    public let name: String
    /// By unit, dense from 0.
    let numbers: [Int]

    public init(name: String, numbers: [Int]) {
      self.name = name
      self.numbers = numbers
    }

    func of(_ units: [Int]) -> Clustering {
      Clustering(name: name, numbers: units.map { numbers[$0] })
    }
  }

  public let treated: Group
  public let control: Group
  /// Of the mean; of treated alone, and so no effect but a change, where there is no control. Nil where treated is
  /// empty in either period.
  public let effect: Double?
  /// Of `effect`, at the bootstrap's confidence; nil where it cannot be said.
  public let interval: (low: Double, high: Double)?
  /// Why there is no interval; nil if there is one.
  public let lack: String?
  /// By clustering.
  public let clusterCounts: [Int]

  /// The effect where it is known how sure it is.
  public var toldEffect: Double? { interval == nil ? nil : effect }

  /// Whether there is anything to tell time's part by.
  public var hasControl: Bool { control.change != nil }

  /// In each cell, below these nothing is said.
  public static let countMin = 30
  public static let clusterCountMin = 6

  /// - Parameter clusterings: one or two.
  /// - Complexity: that of a bootstrap of four ratios for each clustering.
  public init(_ units: [Unit], _ clusterings: [Clustering], bootstrap: ClusterBootstrap) {
    precondition((1...2).contains(clusterings.count), "one way or two")
    precondition(clusterings.allSatisfy { $0.numbers.count == units.count }, "one for each unit")
    var (treated, control) = (Group(), Group())
    for unit in units {
      if unit.isTreated { treated.add(unit) } else { control.add(unit) }
    }
    self.treated = treated
    self.control = control
    let hasControl = control.change != nil
    effect = treated.change.map { $0 - (control.change ?? 0) }
    let terms = clusterings.map { DifferenceInDifferences.terms(units, $0.numbers, hasControl) }
    clusterCounts = terms.map { $0[0].ratios.count }
    if let lack = DifferenceInDifferences.lack(
      hasControl ? [treated, control] : [treated], terms, clusterings.map(\.name))
    {
      self.lack = lack
      interval = nil
      return
    }
    var error = 0.0
    if clusterings.count == 2 {
      let both = DifferenceInDifferences.terms(
        units, DifferenceInDifferences.crossed(clusterings), hasControl)
      error = DifferenceInDifferences.error(of: terms, both)
    }
    interval = DifferenceInDifferences.interval(terms, error: error, bootstrap)
    lack = interval == nil ? "the values are too large to be added up" : nil
  }

  // MARK: What is too little

  private static func lack(
    _ groups: [Group], _ terms: [[ClusterBootstrap.Term]], _ names: [String]
  ) -> String? {
    for (name, group) in zip(["treated", "control"], groups) {
      let least = min(group.before.count, group.after.count)
      guard least < countMin else { continue }
      return "too little data: \(least) decisions of \(name) in one of the periods,"
        + " \(countMin) are needed"
    }
    for (terms, name) in zip(terms, names) {
      let least = terms.map { term in term.ratios.count { $0.count > 0 } }.min() ?? 0
      guard least < clusterCountMin else { continue }
      return "too little data: \(least) clusters (\(name)) of one group in one of the periods,"
        + " \(clusterCountMin) are needed"
    }
    return nil
  }

  // MARK: The interval

  /// Of each cell that counts, by cluster.
  private static func terms(
    _ units: [Unit], _ clusters: [Int], _ hasControl: Bool
  ) -> [ClusterBootstrap.Term] {
    let empty = [ClusterBootstrap.Ratio](repeating: .init(), count: (clusters.max() ?? -1) + 1)
    var sums = [[ClusterBootstrap.Ratio]](repeating: empty, count: 4)
    for (unit, cluster) in zip(units, clusters) {
      sums[unit.cell][cluster].numerator += unit.value
      sums[unit.cell][cluster].denominator += 1
      sums[unit.cell][cluster].count += 1
    }
    let cells = hasControl ? 0..<4 : 0..<2
    // Some have none of these units.
    let seen = empty.indices.filter { cluster in cells.contains { sums[$0][cluster].count > 0 } }
    return cells.map { cell in
      ClusterBootstrap.Term(sign: [-1, 1, 1, -1][cell], ratios: seen.map { sums[cell][$0] })
    }
  }

  /// Of clusters by the cells that they have units in; a few that are like no others go with the most.
  private static func strata(_ terms: [ClusterBootstrap.Term]) -> [Int] {
    let patterns = terms[0].ratios.indices.map { cluster in
      terms.reduce(0) { $0 * 2 + ($1.ratios[cluster].count > 0 ? 1 : 0) }
    }
    let counts = Dictionary(grouping: patterns) { $0 }.mapValues(\.count)
    let large = counts.keys.filter { counts[$0]! >= clusterCountMin }.sorted()
    let most = large.indices.max { counts[large[$0]]! < counts[large[$1]]! } ?? 0
    return patterns.map { large.firstIndex(of: $0) ?? most }
  }

  /// Units that are together in both ways.
  private static func crossed(_ clusterings: [Clustering]) -> [Int] {
    let width = (clusterings[1].numbers.max() ?? 0) + 1
    var numbers: [Int: Int] = [:]
    var crossed: [Int] = []
    for (one, two) in zip(clusterings[0].numbers, clusterings[1].numbers) {
      let number = numbers[one * width + two] ?? numbers.count
      numbers[one * width + two] = number
      crossed.append(number)
    }
    return crossed
  }

  /// Of two ways together; never below that of either.
  private static func error(
    of terms: [[ClusterBootstrap.Term]], _ both: [ClusterBootstrap.Term]
  ) -> Double {
    let squares = (terms + [both]).map { terms in
      ClusterBootstrap.estimate(terms).map { $0.error * $0.error } ?? 0
    }
    return max(squares[0], squares[1], squares[0] + squares[1] - squares[2]).squareRoot()
  }

  /// Of the way that says least, stretched to `error`.
  private static func interval(
    _ terms: [[ClusterBootstrap.Term]], error: Double, _ bootstrap: ClusterBootstrap
  ) -> (low: Double, high: Double)? {
    let estimates = terms.compactMap { ClusterBootstrap.estimate($0) }
    guard estimates.count == terms.count,
      estimates.allSatisfy({ $0.value.isFinite && $0.error.isFinite })
    else { return nil }
    let widest = estimates.indices.max { estimates[$0].error < estimates[$1].error } ?? 0
    let own = estimates[widest]
    guard let ends = bootstrap.interval(of: terms[widest], strata: strata(terms[widest])) else {
      return nil
    }
    let stretch = own.error > 0 ? max(1, error / own.error) : 1
    return (
      own.value - (own.value - ends.low) * stretch, own.value + (ends.high - own.value) * stretch
    )
  }
}

extension DifferenceInDifferences.Group {
  fileprivate mutating func add(_ unit: DifferenceInDifferences.Unit) {
    if unit.isAfter { after.add(unit.value) } else { before.add(unit.value) }
  }
}

extension DifferenceInDifferences.Cell {
  fileprivate mutating func add(_ value: Double) {
    count += 1
    sum += value
  }
}
