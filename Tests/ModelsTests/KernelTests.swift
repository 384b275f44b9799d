// Every kernel against the obvious walk, bit for bit, on forests and rows by chance.

import Core
import TestSupport
import Testing

@testable import Models

@Suite struct KernelTests {
  private static let comparisons: [Forest.Comparison] = [
    .floatBelow, .floatAtMost, .doubleAtMost, .exactAtMost,
  ]

  private static let allWays =
    Set(["walk", "levels", "planes"]).union(
      Processor.isWide ? ["planes, AVX2", "words, AVX2"] : [])

  /// The bits of the margins, by each way that can evaluate the forest.
  private func evaluate(
    _ forest: Forest, _ rows: [[Double]]
  ) -> [(name: String, bits: [UInt64])] {
    func run(
      _ name: String,
      _ body: (UnsafeBufferPointer<Double>, UnsafeMutableBufferPointer<Double>) -> Void
    ) -> (String, [UInt64]) {
      var margins = [Double](repeating: .nan, count: rows.count * forest.outputCount)
      rows.flatMap { $0 }.withUnsafeBufferPointer { rows in
        margins.withUnsafeMutableBufferPointer { body(rows, $0) }
      }
      return (name, margins.map(\.bitPattern))
    }
    let count = rows.count
    var results = [
      run("reference") { forest.referenceMargins($0, rowCount: count, into: $1) },
      run("plan") { ForestPlan(forest).margins($0, rowCount: count, into: $1) },
    ]
    if let walk = WalkPlan(forest) {
      results.append(run("walk") { walk.margins($0, rowCount: count, into: $1) })
    }
    if let levels = LevelPlan(forest) {
      results.append(run("levels") { levels.margins($0, rowCount: count, into: $1) })
    }
    if Processor.isWide, let words = WordPlan(forest) {
      results.append(run("words, AVX2") { words.margins($0, rowCount: count, into: $1) })
    }
    if let planes = PlanePlan(forest) {
      results.append(
        run("planes") { planes.margins($0, rowCount: count, into: $1, wide: false) })
      if Processor.isWide {
        results.append(
          run("planes, AVX2") { planes.margins($0, rowCount: count, into: $1, wide: true) })
      }
    }
    return results
  }

  private func expectAgreement(
    _ generator: RandomForest, rows count: Int, ways: Set<String>, using random: inout SplitMix64
  ) {
    let rows = (0..<count).map { _ in generator.row(using: &random) }
    let results = evaluate(generator.forest, rows)
    #expect(ways.isSubset(of: results.map(\.name)))
    for result in results.dropFirst() {
      #expect(result.bits == results[0].bits, "\(result.name) of \(count) rows")
    }
  }

  @Test(arguments: comparisons, RandomForest.Shape.allCases)
  func allKernelsGiveTheReferencesBits(
    _ comparison: Forest.Comparison, _ shape: RandomForest.Shape
  ) {
    var random = SplitMix64(seed: 21)
    for round in 0..<6 {
      let generator = RandomForest(
        comparison, shape, trees: Int.random(in: 1...30, using: &random),
        inputs: Int.random(in: 1...9, using: &random), outputs: 1 + round % 3,
        depth: 1 + round % 8, categories: round % 2 == 1, using: &random)
      for rows in [1, 7, 300] {
        expectAgreement(
          generator, rows: rows,
          ways: shape == .perfect && round % 2 == 0 ? Self.allWays : ["walk", "planes"],
          using: &random)
      }
    }
  }

  /// More thresholds than a column's bytes can tell apart.
  @Test(arguments: comparisons)
  func manyThresholdsTakeSeveralColumns(_ comparison: Forest.Comparison) {
    var random = SplitMix64(seed: 22)
    let generator = RandomForest(
      comparison, .perfect, trees: 60, inputs: 2, depth: 6, cuts: 3_000, using: &random)
    expectAgreement(generator, rows: 200, ways: Self.allWays, using: &random)
  }

  /// Thresholds in groups, from one to more than are looked at, and blocks of every kind of size.
  @Test(
    .enabled(if: Processor.isWide), arguments: comparisons, [1, 14, 15, 16, 17, 40, 250, 1_300])
  func binsAmongGroupsAreThoseOfASearch(_ comparison: Forest.Comparison, _ cuts: Int) {
    var random = SplitMix64(seed: 25)
    let generator = RandomForest(
      comparison, .perfect, trees: 2 + cuts / 5, inputs: 3, depth: 6, cuts: cuts,
      categories: cuts == 40, using: &random)
    let binning = BinningBuilder(generator.forest, ranksPerColumn: 254).binning()
    #expect((binning.otherInputs.count > 0) == (cuts == 1_300))
    let rows = (0..<Binning.blockRows).flatMap { _ in generator.row(using: &random) }
    for count in [4, 5, 15, 16, 17, 31, 255, 256] {
      func bins(wide: Bool) -> [[UInt8]] {
        var bins = [UInt8](repeating: 0, count: Binning.blockRows * binning.columnCount)
        bins.withUnsafeMutableBufferPointer {
          binning.bin(rows, count: count, into: .columns($0.baseAddress!), wide: wide)
        }
        return (0..<binning.columnCount).map {
          Array(bins[$0 * Binning.blockRows..<$0 * Binning.blockRows + count])
        }
      }
      #expect(bins(wide: true) == bins(wide: false), "\(count) rows")
    }
  }

  /// Trees whose leaves a byte cannot number are walked.
  @Test(arguments: comparisons)
  func largeTreesAreWalked(_ comparison: Forest.Comparison) {
    var random = SplitMix64(seed: 23)
    let generator = RandomForest(
      comparison, .perfect, trees: 20, inputs: 5, depth: 12, cuts: 500, using: &random)
    #expect(PlanePlan(generator.forest) == nil)
    for rows in [1, 8, 15, 16, 17, 63, 64, 100, 300] {
      let values = (0..<rows).map { _ in generator.row(using: &random) }
      let results = evaluate(generator.forest, values)
      // The reference, the plan, the walk and, where the processor can, words.
      #expect(results.count == (Processor.isWide ? 4 : 3))
      for result in results.dropFirst() {
        #expect(result.bits == results[0].bits, "\(result.name) of \(rows) rows")
      }
    }
  }

  /// More rows than go through a tree together, and trees that lie behind one another in memory.
  @Test func rowsGoThroughLargeTreesBlockByBlock() throws {
    var random = SplitMix64(seed: 26)
    let generator = RandomForest(
      .floatBelow, .perfect, trees: 10, inputs: 60, depth: 13, cuts: 500, using: &random)
    let walk = try #require(WalkPlan(generator.forest))
    let block = (1 << 17) / walk.binning.columnCount
    #expect(block > Binning.blockRows && block < 3_000)
    let count = 2 * block + 17
    let rows = (0..<count).flatMap { _ in generator.row(using: &random) }
    var margins = [Double](repeating: .nan, count: count * generator.forest.outputCount)
    var expected = margins
    rows.withUnsafeBufferPointer { rows in
      margins.withUnsafeMutableBufferPointer { walk.margins(rows, rowCount: count, into: $0) }
      expected.withUnsafeMutableBufferPointer {
        generator.forest.referenceMargins(rows, rowCount: count, into: $0)
      }
    }
    #expect(margins.map(\.bitPattern) == expected.map(\.bitPattern))
  }

  /// Runs of rows on several threads, down to a last one that is not full.
  @Test(arguments: [1, 1_023, 2_048, 5_001])
  func threadsGiveTheSameBits(_ rowCount: Int) throws {
    let bytes = try Fixtures.bytes("models/xgboost-json/binary-logistic/model.json")
    let model = try bytes.withBytes { (bytes) throws(Failure) in
      try ModelLoader.load(bytes, source: "model")
    }
    var random = SplitMix64(seed: 24)
    let rows = (0..<rowCount * model.inputCount).map { _ in
      Double.random(in: -3...3, using: &random)
    }
    func margins(_ threads: Int) throws -> [UInt64] {
      var margins = [Double](repeating: .nan, count: rowCount * model.outputCount)
      try rows.withUnsafeBufferPointer { rows in
        try margins.withUnsafeMutableBufferPointer { margins in
          try model.margins(rows, rowCount: rowCount, into: margins, threads: threads)
        }
      }
      return margins.map(\.bitPattern)
    }
    let alone = try margins(1)
    for threads in [2, 3, 8] { #expect(try margins(threads) == alone, "\(threads) threads") }
    #expect(model.threadsUsed(forRows: rowCount, of: 3) == min(3, max(1, rowCount / 1_024)))
  }
}
