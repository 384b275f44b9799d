// Detectors against river's on the same streams (`Fixtures/drift-detectors/make.py`), and their run lengths.

import Core
import Foundation
import TestSupport
import Testing

@testable import Measure

@Suite struct DetectorTests {
  private struct Stream: Decodable {
    let detector: String
    let values: [Double]
    let changes: [Int]
    let warnings: [Int]
  }

  private func run(
    _ detector: any ChangeDetector, _ values: [Double]
  ) -> (changes: [Int], warnings: [Int]) {
    var detector = detector
    var (changes, warnings, isWarned) = ([Int](), [Int](), false)
    for (index, value) in values.enumerated() {
      let change = detector.add(value)
      if change == .change { changes.append(index) }
      if change == .warning, !isWarned { warnings.append(index) }
      isWarned = change == .warning
    }
    return (changes, warnings)
  }

  @Test func theSameChangesAsRiver() throws {
    var compared: [String: Int] = [:]
    for line in try Fixtures.text("drift-detectors/streams.ndjson").split(separator: "\n") {
      let stream = try JSONDecoder().decode(Stream.self, from: Data(line.utf8))
      let kind = try #require(DetectorKind(rawValue: stream.detector))
      let found = run(try #require(kind.detector()), stream.values)
      if kind == .adwin {
        #expect(found.changes.first == stream.changes.first)
      } else {
        #expect(found.changes == stream.changes, "\(stream.detector)")
        #expect(found.warnings == stream.warnings, "\(stream.detector)")
      }
      compared[stream.detector, default: 0] += stream.changes.count
    }
    #expect(compared.count == 4 && compared.values.allSatisfy { $0 > 0 })
  }

  @Test(arguments: DetectorKind.allCases.filter { !$0.isBinary })
  func aShiftIsSeenSoonAndDatedWell(_ kind: DetectorKind) throws {
    var random = SplitMix64(seed: 2)
    let values = Profiling.normal(600, 5, &random) + Profiling.normal(400, 8, &random)
    var detector = try #require(kind.detector(runLength: 20_000))
    let seen = values.firstIndex { detector.add($0) == .change }
    let index = try #require(seen)
    #expect(index >= 600 && index < 680, "\(index)")
    let start = index + 1 - (detector.delay ?? 0)
    #expect(abs(start - 600) < 40, "\(start)")
  }

  /// Values that do not change, of known mean and deviation, until the first alarm.
  private func meanRunLength(_ kind: DetectorKind, _ asked: Double, runs: Int) -> Double {
    var random = SplitMix64(seed: 11)
    var total = 0
    for _ in 0..<runs {
      var detector = kind.detector(runLength: asked, known: (0, 1))!
      var count = 1
      while detector.add(Profiling.normal(1, 0, &random)[0]) != .change, count < Int(asked) * 20 {
        count += 1
      }
      total += count
    }
    return Double(total) / Double(runs)
  }

  @Test func falseAlarmsComeAsRarelyAsAsked() {
    let isLong = ProcessInfo.processInfo.environment["RTINFER_LONG"] == "1"
    let asked = isLong ? 2_000.0 : 200
    let runs = isLong ? 400 : 80
    let cusum = meanRunLength(.cusum, asked, runs: runs)
    #expect(cusum > asked * 0.7 && cusum < asked * 1.4, "\(cusum)")
    // The running mean follows the stream, so its alarms are rarer.
    #expect(meanRunLength(.pageHinkley, asked, runs: runs) > asked * 0.7)
    #expect(meanRunLength(.adwin, asked, runs: runs / 8) > asked)
  }

  @Test func aConstantStreamThatJumpsIsSeen() throws {
    var detector = try #require(DetectorKind.cusum.detector())
    #expect((0..<300).allSatisfy { _ in detector.add(7) == .none })
    #expect(detector.add(8) == .change)
  }

  @Test func whatHasNoRunLengthSaysSo() {
    #expect(DetectorKind.ddm.detector(runLength: 100) == nil)
    #expect(DetectorKind.eddm.detector(runLength: 100) == nil)
  }
}
