// The gathering of many millions of requests against twins that keep them all.

import Core
import Foundation
import Testing

@testable import Measure

@Suite struct EvidenceTwinTests {
  /// Latencies that hang together a little, each with layers that some requests lack.
  private func observations(_ count: Int, seed: UInt64) -> [BudgetEvidence.Observation] {
    var random = SplitMix64(seed: seed)
    var drift = 0.0
    return (0..<count).map { index in
      drift = drift * 0.9 + Double.random(in: -1...1, using: &random)
      var one = BudgetEvidence.Observation()
      let latency = 1e6 * exp(drift / 2)
      one.isError = Int.random(in: 0..<200, using: &random) == 0
      one.due = Timestamp(microseconds: Int64(index) * 900)
      guard !one.isError || Bool.random(using: &random) else { return one }
      one.latency = UInt64(latency)
      if Bool.random(using: &random) { one.service = UInt64(latency * 0.9) }
      for layer in 0..<LayerTiming.count where Int.random(in: 0..<3, using: &random) > 0 {
        one.layers[layer] = UInt64(latency * Double(layer + 1) / 25)
      }
      return one
    }
  }

  @Test(arguments: [1, 15, 16, 17, 1_023, 1_024, 1_025, 2_048, 40_000])
  func batchesAreThoseOfTheWholeListCutInEqualParts(_ count: Int) {
    let values = observations(count, seed: 3).map { $0.latency ?? 1 }
    var batched = BatchedLatencies()
    var whole = LatencyHistogram(bits: 10)
    for value in values {
      batched.record(value)
      whole.record(value)
    }
    // The least length of 16, doubled, at which fewer than 64 are full before the last value.
    var length = 16
    while (count - 1) / length >= 64 { length *= 2 }
    let chunks = (0..<count / length).map { values[$0 * length..<($0 + 1) * length] }
    for percent in [50.0, 90, 99] {
      let bound = whole.percentile(percent)!
      let counts = chunks.map { chunk in
        var histogram = LatencyHistogram(bits: 5)
        for value in chunk { histogram.record(value) }
        return histogram.count(above: bound)
      }
      let expected = BatchVariance.inflation(counts, length: length, confidence: 0.95)
      #expect(batched.inflation(at: percent, confidence: 0.95) == expected)
      #expect(batched.all.percentile(percent) == bound)
    }
    let mean = batched.mean(confidence: 0.95)
    #expect((mean == nil) == (chunks.count < 8))
  }

  @Test func theTailIsThatOfASortedList() {
    let observations = observations(5_000, seed: 4).filter { $0.latency != nil }
    var tail = TailAttribution()
    #expect(tail.shares(above: 0).count == 0)
    for one in observations { tail.record(one.latency!, one.layers) }
    let layout = LatencyHistogram(bits: 7)
    for bound: UInt64 in [0, 900_000, 2_000_000, 3_000_000, .max] {
      let slow = observations.filter { layout.bucket(of: $0.latency!) >= layout.bucket(of: bound) }
      let answer = tail.shares(above: bound)
      #expect(answer.count == slow.count)
      let total = slow.reduce(0) { $0 + Double($1.latency!) }
      for (index, name) in LayerTiming.names.enumerated() where !slow.isEmpty {
        let own = slow.reduce(0) { $0 + Double($1.layers[index] ?? 0) }
        let share = answer.shares.first { $0.name == name }!.share
        #expect(abs(share - own / total) < 1e-12, "\(name) above \(bound)")
      }
    }
  }

  private static let clauses = [
    "p99 < 5ms", "p50 < 1ms", "mean < 1ms", "max < 9ms", "service.p99 < 5ms",
    "service.mean < 1ms",
    "features.p99 < 1ms", "queue.max < 1ms", "errors < 1%", "availability > 99%", "burn < 9",
    "rate > 100", "count > 10", "p90 < 3ms over 1s", "errors < 5% over 1s",
  ]

  private func evidence(_ clauses: String) throws -> BudgetEvidence {
    BudgetEvidence(
      try Clause.parse(clauses, origin: "test"), confidence: 0.95, allowedErrors: 0.001)
  }

  private func expectSame(_ one: Verdict, _ other: Verdict, _ text: String) {
    #expect(one.answer == other.answer && one.value == other.value, "\(text)")
    #expect(one.interval?.low == other.interval?.low, "\(text)")
    #expect(one.interval?.high == other.interval?.high, "\(text)")
    #expect(one.count == other.count && one.why == other.why, "\(text)")
    #expect(one.tail?.count == other.tail?.count, "\(text)")
    #expect(one.tail?.shares == other.tail?.shares, "\(text)")
  }

  /// Only what a clause reads is counted: each clause by itself says what it says among all others.
  @Test func aClauseAloneSaysWhatItSaysAmongOthers() throws {
    let observations = observations(20_000, seed: 5)
    func verdicts(_ text: String) throws -> [Verdict] {
      var evidence = try evidence(text)
      for one in observations { evidence.record(one) }
      return evidence.verdicts()
    }
    let texts = EvidenceTwinTests.clauses
    let together = try verdicts(texts.joined(separator: " && "))
    for (text, among) in zip(texts, together) {
      let alone = try verdicts(text)[0]
      expectSame(alone, among, text)
      let isOfTotal = ["p99 < 5ms", "p50 < 1ms"].contains(text)
      #expect((alone.tail != nil) == isOfTotal, "\(text)")
    }
  }

  /// Requests and decisions recorded many at once, wherever the stream is cut, beside one after another.
  @Test(arguments: [1, 7, 16, 33, 1_000, 1_024, 30_000])
  func manyAtOnceSayWhatOneAfterAnotherSay(_ length: Int) throws {
    var observations = observations(20_000, seed: 6)
    for index in stride(from: 5, to: observations.count, by: 9) {
      observations[index] = BudgetEvidence.Observation(decision: observations[index].layers)
    }
    let text = EvidenceTwinTests.clauses.joined(separator: " && ")
    var (single, many) = (try evidence(text), try evidence(text))
    for one in observations { single.record(one) }
    for start in stride(from: 0, to: observations.count, by: length) {
      many.record(contentsOf: observations[start..<min(start + length, observations.count)])
    }
    #expect(many.count == single.count && single.count == 20_000)
    for (one, other) in zip(single.verdicts(), many.verdicts()) {
      #expect(one.answer != .inconclusive || !one.why.isEmpty)
      expectSame(one, other, one.clause)
    }
  }
}
