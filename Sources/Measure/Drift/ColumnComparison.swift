// One column of two profiles, compared: the distances, the chance that they are none, and what is wrong with the
// data whatever its distribution.

public import Core

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// Something about a column's data that no distance tells.
public struct DriftFinding: Sendable, Equatable {
  public enum Code: String, Sendable {
    case columnMissing = "column_missing"
    case columnNew = "column_new"
    case typeChanged = "type_changed"
    case missingValues = "missing_values"
    case outOfRange = "out_of_range"
    case newCategories = "new_categories"
    case notFinite = "not_finite"
    case meanMoved = "mean_moved"
  }
  public let code: Code
  public let verdict: DriftVerdict
  public let why: String
}

public struct ColumnComparison: Sendable {
  public let name: String
  public let type: String
  public let weight: Double
  /// Values that are there.
  public let referenceCount: Int64
  public let currentCount: Int64
  public let referenceMissing: Double
  public let currentMissing: Double
  /// Nil where the column is no number.
  public let referenceMoments: Moments2?
  public let currentMoments: Moments2?
  public internal(set) var bins: [DriftBin] = []
  public internal(set) var measures: [DriftMeasure: Double] = [:]
  public internal(set) var chiSquared: TestResult?
  public internal(set) var kolmogorovSmirnov: TestResult?
  public internal(set) var cramerVonMises: TestResult?
  /// The verdict's p-value, and what remains of it among all columns.
  public internal(set) var p: Double?
  public internal(set) var adjustedP: Double?
  /// Of a different share of missing values.
  var missingP: Double?
  /// The measure that decides, less what it would be on average if nothing had moved.
  public internal(set) var effect: Double?
  public internal(set) var findings: [DriftFinding] = []
  /// Both distributions over bins of equal width, for a picture; nil where the column is no number.
  public internal(set) var shape: DriftShape?
  /// Means by window, in order of time.
  public internal(set) var referenceWindows: [(start: Int64, mean: Double)] = []
  public internal(set) var currentWindows: [(start: Int64, mean: Double)] = []
  public internal(set) var verdict = DriftVerdict.ok
  public internal(set) var why = ""

  /// The bin that adds most to the PSI.
  public var worst: DriftBin? {
    let parts = Divergence.stabilityParts(bins.map(\.reference), bins.map(\.current))
    guard bins.count > 1, let most = parts.max(), let index = parts.firstIndex(of: most) else {
      return nil
    }
    return bins[index]
  }

  public var referenceBinned: Double { bins.reduce(0) { $0 + $1.reference } }
  public var currentBinned: Double { bins.reduce(0) { $0 + $1.current } }

  init(
    _ name: String, _ reference: Profile, _ current: Profile, _ rules: DriftRules
  ) {
    let old = reference[name]
    let new = current[name]
    let column = old ?? new
    self.name = name
    weight = rules.weight(name)
    type = (old.flatMap { $0.type == .empty ? nil : $0 } ?? new ?? column!).type.rawValue
    referenceCount = old?.kinds.values ?? 0
    currentCount = new?.kinds.values ?? 0
    referenceMissing = old.map(reference.missingShare) ?? 1
    currentMissing = new.map(current.missingShare) ?? 1
    let isNumber = type == ColumnProfile.ColumnType.number.rawValue
    referenceMoments = isNumber ? old?.moments : nil
    currentMoments = isNumber ? new?.moments : nil
    if let old, let new, new.type != .empty || old.type == .empty {
      compare(old, new, records: (reference.records, current.records), rules)
    } else if old == nil {
      find(.columnNew, .watch, "the reference has no such column")
    } else if current.records < rules.least {
      // What a few records do not have may well be in the next.
      verdict = .insufficient
      why = "there are \(current.records) records, \(rules.least) are needed"
    } else {
      find(.columnMissing, .drift, "no record has a value")
    }
  }

  private mutating func find(_ code: DriftFinding.Code, _ verdict: DriftVerdict, _ why: String) {
    findings.append(DriftFinding(code: code, verdict: verdict, why: why))
  }

  private mutating func compare(
    _ old: ColumnProfile, _ new: ColumnProfile, records: (old: Int64, new: Int64),
    _ rules: DriftRules
  ) {
    compareMissing(old, new, records)
    guard old.type == new.type || old.type == .empty else {
      return find(
        .typeChanged, .drift, "was \(old.type.rawValue), is \(new.type.rawValue)")
    }
    switch old.type {
    case .time: why = "times are not compared"
    case .list: why = "lists are not compared"
    case .empty: why = "the reference has no values"
    case .category where old.isIdentifier: why = "identifiers are not compared"
    case .number:
      referenceWindows = ColumnComparison.means(old)
      currentWindows = ColumnComparison.means(new)
      findUnseenNumbers(old, new)
      findMovedMean(old, new, rules)
      compareNumbers(old.edges, new.edges, rules)
    case .category:
      findUnseenCategories(old.categories, new.categories)
      bins = CategoryBins.joiningRare(CategoryBins.bins(old.categories, new.categories))
      compareBins()
      p = chiSquared?.p
    }
    if p != nil || !bins.isEmpty { conclude(rules) }
  }

  private static func means(_ column: ColumnProfile) -> [(start: Int64, mean: Double)] {
    column.windows.sorted { $0.key < $1.key }.map { ($0.key, $0.value.mean) }
  }

  // MARK: Distances

  private mutating func compareNumbers(
    _ old: EdgeCounts, _ new: EdgeCounts, _ rules: DriftRules
  ) {
    guard old.total > 0, new.total > 0 else { return }
    let pair = NumberPair(old, new)
    shape = DriftShape(old, new)
    // Fewer bins for fewer values: at least ten of the smaller side in each.
    let most = min(rules.bins, max(2, Int(min(pair.referenceTotal, pair.currentTotal)) / 10))
    bins = CategoryBins.joiningRare(pair.bins(most))
    compareBins()
    let pairs = pair.pairs
    let ks = KolmogorovSmirnovTest.run(pairs)
    kolmogorovSmirnov = ks
    cramerVonMises = CramerVonMisesTest.run(pairs)
    measures[.ks] = ks.statistic
    measures[.cvm] = cramerVonMises?.statistic
    measureDistance(pair, old)
    // With few values the distance between the functions is not the better question any more.
    p = old.isExact && old.edges.count <= DriftRules.fewValues ? chiSquared?.p : ks.p
  }

  private mutating func measureDistance(_ pair: NumberPair, _ old: EdgeCounts) {
    func distance(within bounds: ClosedRange<Double>? = nil) -> Double {
      WassersteinDistance.run(
        pair.grid, pair.referenceShares, pair.currentShares, isExact: pair.isExact, within: bounds)
    }
    let deviation = (referenceMoments?.variance ?? 0).squareRoot()
    wasserstein = distance()
    if deviation > 0, deviation.isFinite { measures[.wasserstein] = wasserstein! / deviation }
    guard let low = old.quantile(0.01), let high = old.quantile(0.99), low < high,
      let quarter = old.quantile(0.25), let threeQuarters = old.quantile(0.75)
    else { return }
    // A normal distribution's deviation is its middle half's width over 1.349.
    let spread = threeQuarters > quarter ? (threeQuarters - quarter) / 1.349 : deviation
    if spread > 0 { measures[.robustWasserstein] = distance(within: low...high) / spread }
  }

  /// In the column's own unit.
  public internal(set) var wasserstein: Double?

  private mutating func compareBins() {
    let old = bins.map(\.reference)
    let new = bins.map(\.current)
    guard referenceBinned > 0, currentBinned > 0 else { return }
    measures[.psi] = Divergence.stabilityIndex(old, new)
    measures[.kl] = Divergence.kullbackLeibler(old, new)
    measures[.js] = Divergence.jensenShannon(old, new)
    measures[.hellinger] = Divergence.hellinger(old, new)
    measures[.linf] = Divergence.largestDifference(old, new)
    chiSquared = ChiSquaredTest.run(old, new)
    // A single value on both sides: nothing has moved.
    if bins.count == 1 { p = 1 }
  }

  private mutating func conclude(_ rules: DriftRules) {
    if bins.count == 1 { p = 1 }
    guard referenceBinned >= Double(rules.least), currentBinned >= Double(rules.least) else {
      p = nil
      verdict = .insufficient
      let (side, count) =
        referenceBinned < Double(rules.least)
        ? ("the reference has", referenceBinned) : ("there are", currentBinned)
      why = "\(side) \(Int(count)) values, \(rules.least) are needed"
      return
    }
    guard var found = measures[rules.measure] else { return }
    if rules.measure == .psi {
      found -= Divergence.stabilityExpected(
        bins: bins.count, referenceBinned, currentBinned)
    }
    effect = max(0, found)
  }

  // MARK: Data quality

  private mutating func compareMissing(
    _ old: ColumnProfile, _ new: ColumnProfile, _ records: (old: Int64, new: Int64)
  ) {
    let before = [Double(old.kinds.values), Double(records.old - old.kinds.values)]
    let now = [Double(new.kinds.values), Double(records.new - new.kinds.values)]
    missingP = ChiSquaredTest.run(before, now)?.p
    let share = Double(new.kinds.notFinite) / Double(max(1, new.kinds.values))
    let earlier = Double(old.kinds.notFinite) / Double(max(1, old.kinds.values))
    if share > earlier + DriftRules.unseenWatch {
      find(.notFinite, .watch, "\(share.percent) are NaN or infinite, were \(earlier.percent)")
    }
  }

  private mutating func findUnseenNumbers(_ old: ColumnProfile, _ new: ColumnProfile) {
    guard old.kinds.numbers > 0, new.kinds.numbers > 0 else { return }
    let total = Double(new.edges.total)
    let inside = new.edges.cumulative([old.minimum.nextDown, old.maximum])
    let count = inside[0] + total - inside[1]
    let share = count / total
    // Beyond a sample's ends lie two in its number plus one, on average.
    guard isUnseen(count, of: total, chance: 2 / Double(old.kinds.numbers + 1)) else { return }
    find(
      .outOfRange, .watch,
      "\(share.percent) lie outside of \(old.minimum.plain) to \(old.maximum.plain)")
  }

  /// More than a reference of its size leaves unseen by chance, and enough to matter.
  private func isUnseen(_ count: Double, of total: Double, chance: Double) -> Bool {
    count / total > DriftRules.unseenWatch
      && BinomialDistribution.upperTail(
        Int(count.rounded()), of: Int(total), chance: min(1, chance)) <= DriftRules.unseenLevel
  }

  private mutating func findUnseenCategories(_ old: CategoryCounts, _ new: CategoryCounts) {
    guard old.isComplete, old.total >= 100, new.total > 0 else { return }
    let unseen = new.top(.max).filter { old.count(of: $0.name) == nil }
    let count = unseen.reduce(new.other) { $0 + $1.count }
    let share = Double(count) / Double(new.total)
    // What a sample has not seen yet is about as much as what it has seen once (I. J. Good, 1953).
    let once = max(1, Double(old.top(.max).count { $0.count == 1 })) / Double(old.total)
    guard isUnseen(Double(count), of: Double(new.total), chance: once) else { return }
    let names = unseen.prefix(3).map { "'\($0.name)'" }.joined(separator: ", ")
    find(.newCategories, .watch, "\(share.percent) are new: \(names)")
  }

  private mutating func findMovedMean(
    _ old: ColumnProfile, _ new: ColumnProfile, _ rules: DriftRules
  ) {
    guard rules.predictions.contains(name), old.windows.count >= DriftRules.windowsMin,
      new.moments.count > 0
    else { return }
    var means = Moments2()
    for window in old.windows.values where window.count > 0 { means.add(window.mean) }
    guard let deviation = means.variance?.squareRoot(), deviation > 0 else { return }
    let moved = (new.moments.mean - means.mean) / deviation
    guard abs(moved) > DriftRules.meanDeviations else { return }
    find(
      .meanMoved, .drift,
      "the mean is \(new.moments.mean.short), \(abs(moved).short) standard deviations of the"
        + " reference's windows from \(means.mean.short)")
  }
}

extension Double {
  /// As a percentage with one decimal, for people.
  public var percent: String { "\((self * 100).fixed(1)) %" }

  /// With four digits at most, for people.
  public var short: String {
    guard isFinite, self != 0 else { return isFinite ? "0" : description }
    if magnitude >= 1e9 || magnitude < 1e-4 {
      // Below the smallest normal number there is no power of ten to divide by.
      let exponent = Int(log10(max(magnitude, 1e-300)).rounded(.down))
      return "\((self / pow(10, Double(exponent))).fixed(1))e\(exponent)"
    }
    if magnitude >= 1_000 { return fixed(0) }
    let text = fixed(magnitude >= 100 ? 1 : magnitude >= 10 ? 2 : magnitude >= 1 ? 3 : 4)
    var digits = text[...]
    while digits.last == "0" { digits.removeLast() }
    if digits.last == "." { digits.removeLast() }
    return String(digits)
  }
}
