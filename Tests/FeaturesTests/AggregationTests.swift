// Every aggregation against what one would compute by hand from all values at once, whole and
// merged from any split into stretches.

import TestSupport
import Testing

@testable import Core
@testable import Features

@Suite struct AggregationTests {
  private func result(_ name: String, _ cells: [Cell]) -> Cell {
    Folding.byName[name]!.merged(cells, [])
  }

  private func merged(_ name: String, _ cells: [Cell], at cuts: [Int]) -> Cell {
    Folding.byName[name]!.merged(cells, cuts)
  }

  /// The twin. The sum is that of pieces that a double holds exactly.
  private func byHand(_ name: String, _ cells: [Cell]) -> Cell {
    let present = cells.filter { $0 != .null }
    let numbers = present.map(number)
    switch name {
    case "count": return .int(Int64(present.count))
    case "count_distinct": return .int(Int64(Set(numbers).count))
    case "first": return present.first ?? .null
    case "last": return present.last ?? .null
    case "min": return present.first { number($0) == numbers.min() } ?? .null
    case "max": return present.first { number($0) == numbers.max() } ?? .null
    case "sum" where present.isEmpty: return .null
    case "sum":
      let total = numbers.reduce(0, +)
      let isWhole = present.allSatisfy { if case .int = $0 { true } else { false } }
      return isWhole ? .int(Int64(total)) : .double(total)
    case "mean":
      return present.isEmpty ? .null : .double(numbers.reduce(0, +) / Double(numbers.count))
    default:
      guard numbers.count > 1 else { return .null }
      let mean = numbers.reduce(0, +) / Double(numbers.count)
      let squares = numbers.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
      if name == "skew" || name == "kurtosis" { return shape(name, numbers, mean, squares) }
      let variance = squares / Double(numbers.count - 1)
      return .double(name == "variance" ? variance : variance.squareRoot())
    }
  }

  private func shape(
    _ name: String, _ numbers: [Double], _ mean: Double, _ squares: Double
  ) -> Cell {
    guard squares > 0 else { return .null }
    let count = Double(numbers.count)
    if name == "skew" {
      let cubes = numbers.reduce(0) { $0 + ($1 - mean) * ($1 - mean) * ($1 - mean) }
      return .double(count.squareRoot() * cubes / (squares * squares.squareRoot()))
    }
    let fourths = numbers.map { ($0 - mean) * ($0 - mean) }.reduce(0) { $0 + $1 * $1 }
    return .double(count * fourths / (squares * squares) - 3)
  }

  private func number(_ cell: Cell) -> Double {
    switch cell {
    case .int(let value): Double(value)
    case .double(let value): value
    default: .nan
    }
  }

  /// Equal, or so near as the order of float additions allows.
  private func agree(_ left: Cell, _ right: Cell, scale: Double) -> Bool {
    if left == right { return true }
    guard case .double(let one) = left, case .double(let other) = right else { return false }
    return abs(one - other) <= 1e-12 * scale
  }

  private func cells(_ random: inout SplitMix64, ints: Bool) -> [Cell] {
    (0..<Int.random(in: 0...30, using: &random)).map { _ in
      let value = Int64.random(in: -40...40, using: &random)
      if Int.random(in: 0..<5, using: &random) == 0 { return .null }
      return ints ? .int(value) : .double(Double(value) * 0.25)
    }
  }

  @Test(arguments: Folding.byName.keys.sorted(), [true, false])
  func isWhatOneComputesByHandHoweverItIsSplit(_ name: String, _ ints: Bool) {
    var random = SplitMix64(seed: 31)
    for _ in 0..<300 {
      let cells = cells(&random, ints: ints)
      let scale = cells.reduce(1) { $0 + ($1 == .null ? 0 : abs(number($1))) }
      let expected = byHand(name, cells)
      #expect(agree(result(name, cells), expected, scale: scale), "\(name) of \(cells)")
      let cuts = (0..<3).map { _ in Int.random(in: 0...cells.count, using: &random) }.sorted()
      #expect(agree(merged(name, cells, at: cuts), expected, scale: scale), "\(name) of \(cells)")
    }
  }

  @Test(arguments: Folding.byName.keys.sorted()) func nothingAndNullsAreTheSame(_ name: String) {
    let expected: Cell = name.hasPrefix("count") ? .int(0) : .null
    for cells in [[], [Cell.null], [.null, .null]] { #expect(result(name, cells) == expected) }
  }

  @Test func integersAreSummedExactly() {
    let large: [Cell] = [.int(.max), .int(.max), .int(.min), .int(.min), .int(5)]
    #expect(result("sum", large) == .int(3))
    #expect(merged("sum", large, at: [2, 3]) == .int(3))
    #expect(result("sum", [.int(.max), .int(1)]) == .uint(1 << 63))
    #expect(result("sum", [.int(.min), .int(-1)]) == .double(-0x1p63))
    #expect(result("mean", [.int(.max), .int(.max)]) == .double(9_223_372_036_854_775_808))
    #expect(result("sum", [.bool(true), .bool(false), .bool(true)]) == .int(2))
    #expect(result("sum", [.int(1), .double(0.5)]) == .double(1.5))
  }

  @Test func smallDigitsAreNotLostBesideLargeOnes() {
    let cells: [Cell] = [.double(1e16), .double(1), .double(1), .double(-1e16), .double(0.5)]
    #expect(result("sum", cells) == .double(2.5))
    for cut in 0...cells.count { #expect(merged("sum", cells, at: [cut]) == .double(2.5)) }
  }

  @Test func floatSumsAgreeHoweverTheyAreGrouped() {
    var random = SplitMix64(seed: 32)
    for _ in 0..<200 {
      let values = (0..<100).map { _ in
        Double.random(in: -1...1, using: &random) * [1e-9, 1, 1e9].randomElement(using: &random)!
      }
      let cells = values.map(Cell.double)
      let scale = values.reduce(0) { $0 + abs($1) }
      let cuts = (0..<5).map { _ in Int.random(in: 0...100, using: &random) }.sorted()
      #expect(agree(merged("sum", cells, at: cuts), result("sum", cells), scale: scale))
      #expect(agree(merged("mean", cells, at: cuts), result("mean", cells), scale: scale / 100))
    }
  }

  /// The textbook formula (mean of squares less square of the mean) would give 0 or NaN here.
  @Test(arguments: [0.0, 1e6, 1e9, -1e12]) func deviationsSurviveHugeOffsets(_ offset: Double) {
    var random = SplitMix64(seed: 33)
    let values = (0..<200).map { _ in offset + Double(Int.random(in: 0...8, using: &random)) }
    let cells = values.map(Cell.double)
    guard case .double(let expected) = byHand("stddev", cells) else { return }
    for cuts in [[], [0], [1, 100], [50, 50, 199]] {
      guard case .double(let found) = merged("stddev", cells, at: cuts) else {
        Issue.record("expected a number")
        return
      }
      #expect(abs(found - expected) <= max(1e-9, abs(offset) * 1e-15) * expected)
    }
    #expect(result("stddev", [.double(offset)]) == .null)
    #expect(result("stddev", [.double(offset), .int(Int64(offset))]) == .double(0))
  }

  @Test func numbersAreDistinctByValueAcrossTypes() {
    let cells: [Cell] = [
      .int(1), .double(1), .double(1.5), .null, .int(0), .double(-0.0), .bool(true), .text(1),
      .time(Timestamp(microseconds: 1)), .double(1.5), .double(1e300), .double(1e300),
    ]
    // 1, 1.5, 0, true, the text, the time, 1e300
    #expect(result("count_distinct", cells) == .int(7))
    #expect(merged("count_distinct", cells, at: [1, 5]) == .int(7))
  }

  @Test func extremesCompareNumbersAndTimes() {
    #expect(result("min", [.int(2), .double(1.5), .int(3)]) == .double(1.5))
    #expect(result("max", [.int(2), .double(2), .int(1)]) == .int(2), "the first of equals")
    let (early, late) = (Timestamp(microseconds: 1), Timestamp(microseconds: 2))
    #expect(result("max", [.time(late), .time(early)]) == .time(late))
    #expect(result("min", [.bool(true), .bool(false)]) == .bool(false))
  }

  @Test func theHelpNamesEveryAggregation() {
    for name in AggregationTable.names { #expect(AggregationHelp.text.contains("  \(name) ")) }
  }
}
