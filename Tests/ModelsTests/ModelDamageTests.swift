// Every model of the fixtures, damaged in ways that a disk, a network or an enemy would: each file
// ends in a failure that says so, or in a model that can be walked, within a second or so and without
// much memory. The mutations are few for each file, since there are many files; longer runs are made
// by raising `rounds`.

import Core
import Models
import Testing

@Suite struct ModelDamageTests {
  private static let rounds = 3

  /// Numbers that stand for what a count, an index, a child or a threshold should not be.
  private static let numbers = [
    "0", "1", "2", "3", "7", "-1", "-2", "2147483647", "2147483648", "-2147483648", "4294967296",
    "9223372036854775807", "-9223372036854775808", "99999999999999999999", "16777216", "1e308",
    "1e999",
    "1e-45", "0.5", "-0", "NaN", "",
  ]

  @Test(arguments: ModelFixtureTests.everyFixture)
  func endsInAFailureOrInAModel(_ place: String) throws {
    let parts = place.split(separator: "/")
    let format = try #require(ModelFixture.Format(rawValue: String(parts[0])))
    let file = try ModelFixture(String(parts[1]), format).file
    var random = SplitMix64(
      seed: UInt64(truncatingIfNeeded: place.utf8.reduce(7) { $0 &* 31 &+ Int($1) }))
    for _ in 0..<Self.rounds {
      tryOut(flipped(file, using: &random), place)
      tryOut(renumbered(file, using: &random), place)
      tryOut(spliced(file, using: &random), place)
      let cut = Int.random(in: 0..<file.count, using: &random)
      tryOut(Array(file[..<cut]), place)
    }
  }

  private func tryOut(_ file: [UInt8], _ place: String) {
    let start = ContinuousClock.now
    do throws(Failure) {
      let model = try load(file)
      if model.inputCount <= 1_000 {
        let rows = [Double.nan, 0, 1e9, -Double.infinity].map {
          Array(repeating: $0, count: model.inputCount)
        }
        for margins in model.margins(rows) { _ = model.scores(margins) }
      }
    } catch {
      #expect(error.status == .badData || error.status == .usage)
      #expect(error.message.hasPrefix("model.json: "), "\(place): \(error.message)")
    }
    #expect(ContinuousClock.now - start < .seconds(20), "\(place)")
  }

  // MARK: Damage

  private func flipped(_ file: [UInt8], using random: inout SplitMix64) -> [UInt8] {
    var file = file
    for _ in 0..<Int.random(in: 1...4, using: &random) {
      let byte = Int.random(in: 0..<file.count, using: &random)
      file[byte] ^= 1 << UInt8.random(in: 0..<8, using: &random)
    }
    return file
  }

  /// One number becomes another, so that the damage gets past the parser.
  private func renumbered(_ file: [UInt8], using random: inout SplitMix64) -> [UInt8] {
    func isDigit(_ byte: UInt8) -> Bool { byte &- UInt8(ascii: "0") <= 9 }
    var start = Int.random(in: 0..<file.count, using: &random)
    while start < file.count, !isDigit(file[start]) { start += 1 }
    var end = start
    while end < file.count, isDigit(file[end]) { end += 1 }
    let number = Array(Self.numbers.randomElement(using: &random)!.utf8)
    return Array(file[..<start]) + number + Array(file[end...])
  }

  /// A run of bytes comes a second time, or is gone.
  private func spliced(_ file: [UInt8], using random: inout SplitMix64) -> [UInt8] {
    let start = Int.random(in: 0..<file.count, using: &random)
    let end = min(file.count, start + Int.random(in: 1...60, using: &random))
    return Bool.random(using: &random)
      ? Array(file[..<end]) + Array(file[start...]) : Array(file[..<start]) + Array(file[end...])
  }

  // MARK: CatBoost

  /// Each byte of a small file is a place to cut it.
  @Test func everyCutOfACatBoostFileIsRefused() {
    let file = Array(TinyCatBoost().text.utf8)
    for length in 0..<file.count {
      let failure = #expect(throws: Failure.self) { try load(Array(file[..<length])) }
      #expect(failure?.status == .badData)
    }
  }

  @Test func renumberedCatBoostFiles() {
    var random = SplitMix64(seed: 21)
    let whole = Array(TinyCatBoost().text.utf8)
    var loaded = 0
    for _ in 0..<4_000 {
      let file = renumbered(whole, using: &random)
      if (try? load(file)) != nil { loaded += 1 }
      tryOut(file, "TinyCatBoost")
    }
    #expect(loaded > 100, "some damage must go unnoticed, else nothing was walked")
  }
}
