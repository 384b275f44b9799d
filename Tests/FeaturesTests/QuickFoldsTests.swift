// Quick answers against the families that they stand for: the same to the last bit, whatever the columns hold.

import TestSupport
import Testing

@testable import Core
@testable import Features

@Suite struct QuickFoldsTests {
  private static let windows = [
    "window: '7s', every: 'exact'", "window: '60s', every: 'exact'",
    "window: '600s', every: 'exact'", "window: '600s', every: '20s'", "window: '1h'",
    "tumbling: '30s'", "cumulative: '600s', every: '60s'",
  ]

  private static let features = windows.enumerated().flatMap { number, window in
    ["count: '*'", "count: 'x'", "sum: 'x'", "mean: 'x'", "min: 'x'", "max: 'x'", "last: 's'"]
      .enumerated().map { "f\(number)_\($0.offset): { \($0.element), \(window) }" }
  }.joined(separator: ", ")

  private enum Values: CaseIterable {
    case amounts, wide, withNulls, none
  }

  private func value(_ kind: Values, _ random: inout SplitMix64) -> Double? {
    switch kind {
    case .amounts: return Double(Int.random(in: -9_999...9_999, using: &random)) / 100
    case .wide:
      let magnitude = Double.random(in: -300...300, using: &random)
      return Double.random(in: -1...1, using: &random) * Double.exp10(magnitude)
    case .withNulls:
      return Bool.random(using: &random) ? Double.random(in: 0...1, using: &random) : nil
    case .none: return nil
    }
  }

  @Test(arguments: Values.allCases)
  private func everyQuickAnswerIsItsFamilys(_ kind: Values) throws {
    var random = SplitMix64(seed: 61)
    let stream = try FeatureStream(QuickFoldsTests.features)
    let state = stream.engine.states[0]
    var quickCounts = [0, 0]
    var second: Int64 = 0
    for round in 0..<600 {
      second += Int64.random(in: 0...9, using: &random)
      let time = Timestamp(microseconds: second * 1_000_000)
      // One key in whose windows there are many rows, and ever new ones with few.
      let key = round % 3 == 0 ? "few \(round / 40)" : "many"
      try stream.apply(
        TestEvent(time: time, key: key, x: value(kind, &random), text: "t"),
        watermark: time - .seconds(20))
      let ahead = TimeSpan.seconds(Int64.random(in: -15...30, using: &random))
      let found = try stream.ask(key, at: time + ahead)
      let history = try #require(
        (0..<state.entities.numberCount).map { state.entities[$0] }.first {
          $0.key.ends(with: Bytes(lasting: key))
        })
      for index in 0..<state.plans.count {
        let plan = state.plans[index]
        let window = UnsafePointer(state.asked + plan.windowIndex)
        let twin = plan.family._withUnsafeGuaranteedRef {
          $0.value(history, slot: plan.slot, window)
        }
        #expect(found[index] == FeatureStream.text(twin.scalar(state.texts)))
        guard let quick = state.quickFolds.answer(plan.quick, history, window) else { continue }
        quickCounts[window.pointee.isExact ? 0 : 1] += 1
        #expect(quick.bits == twin.bits)
      }
    }
    // Of seven features five are quick, and two where all values are null.
    #expect(quickCounts[0] > 600 * 5)
    #expect(quickCounts[1] > 600 * 5)
  }

  /// What is neither a double nor a null; large values that leave the range of a double; and zeros with signs.
  @Test(
    arguments: [
      [.int(3), .int(-4)], [.double(1), .int(2), .double(0.5)], [.uint(.max), .int(1)],
      [.bool(true), .double(0.1), .bool(false)], [.double(1e308), .double(1e308), .double(-1e308)],
      [.double(-0.0), .double(0.0)], [.double(0.0), .double(-0.0)], [.double(-0.0)], [.null],
      [.double(1e16), .double(1), .double(-1e16)], [.text(1), .double(2)], [.double(2), .null],
    ] as [[Cell]])
  func foldsOfMixedCellsAreThoseOfEachInTurn(_ cells: [Cell]) {
    var each = RunningSum()
    for cell in cells { each.add(cell) }
    let atOnce = cells.withUnsafeBufferPointer {
      RunningSum($0.baseAddress!, stride: 1, count: cells.count)
    }
    #expect(Sum.result(of: atOnce).bits == Sum.result(of: each).bits)
    #expect(Mean.result(of: atOnce).bits == Mean.result(of: each).bits)
    #expect(atOnce.count == each.count)
  }
}

extension Cell {
  /// Tells the two zeros apart.
  fileprivate var bits: String {
    if case .double(let value) = self { "double \(value.bitPattern)" } else { "\(self)" }
  }
}

extension Double {
  fileprivate static func exp10(_ exponent: Double) -> Double {
    (0..<Int(exponent.magnitude)).reduce(1) { power, _ in exponent < 0 ? power / 10 : power * 10 }
  }
}
