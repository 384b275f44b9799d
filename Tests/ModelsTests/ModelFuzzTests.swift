import Core
import Models
import Testing

/// Damaged files end in a failure or in a model that can be walked; never in a crash.
@Suite struct ModelFuzzTests {
  private func tryAll(_ file: [UInt8]) -> Bool {
    guard let model = try? load(file) else { return false }
    guard model.inputCount <= 1_000 else { return true }
    let rows = [Double.nan, 0, 1e9, -Double.infinity].map {
      Array(repeating: $0, count: model.inputCount)
    }
    for margins in model.margins(rows) { _ = model.scores(margins) }
    return true
  }

  @Test func everyCutIsRefused() throws {
    let file = try ModelFixture("layout-3.0-categories").file
    let cuts = 300
    for cut in 0..<cuts {
      let length = file.count * cut / cuts
      let failure = #expect(throws: Failure.self) { try load(Array(file[..<length])) }
      #expect(failure?.status == .badData)
    }
    for length in file.count - 40..<file.count {
      #expect(throws: Failure.self) { try load(Array(file[..<length])) }
    }
  }

  @Test func flippedBits() throws {
    var random = SplitMix64(seed: 11)
    let files = [Array(TinyModel().text.utf8), Array(TinyModel().reversedText.utf8)]
    var loaded = 0
    for iteration in 0..<2_000 {
      var file = files[iteration % files.count]
      for _ in 0..<Int.random(in: 1...4, using: &random) {
        let byte = Int.random(in: 0..<file.count, using: &random)
        file[byte] ^= 1 << UInt8.random(in: 0..<8, using: &random)
      }
      if tryAll(file) { loaded += 1 }
    }
    #expect(loaded > 100, "some damage must go unnoticed, else nothing was walked")
  }

  /// Numbers replaced by others that stay JSON, so that the damage gets past the parser.
  @Test func replacedNumbers() throws {
    var random = SplitMix64(seed: 12)
    let replacements = [
      "0", "1", "2", "3", "4", "5", "6", "-1", "-2", "2147483647", "2147483648", "-2147483648",
      "9223372036854775807", "-9223372036854775808", "16777215", "NaN", "-Infinity", "1e38",
      "1e-45",
      "0.5",
    ]
    let files = [TinyModel().text, TinyModel().reversedText]
    var loaded = 0
    for iteration in 0..<1_500 {
      var pieces = split(files[iteration % files.count])
      for _ in 0..<Int.random(in: 1...3, using: &random) {
        let index = Int.random(in: 0..<pieces.count, using: &random) | 1
        guard index < pieces.count else { continue }
        pieces[index] = Array(replacements.randomElement(using: &random)!.utf8)
      }
      if tryAll(Array(pieces.joined())) { loaded += 1 }
    }
    #expect(loaded > 100)
  }

  /// Cut at each of its bytes, a file is refused until it has said that its trees are whole.
  @Test func everyCutOfALightGBMFileIsRefused() throws {
    let file = Array(TinyLightGBM().text.utf8)
    let end = try #require(file.firstRange(of: Array("end of trees".utf8)))
    let whole = end.upperBound
    for length in 0..<whole {
      #expect(throws: Failure.self) { try load(Array(file[..<length])) }
    }
    for length in whole..<file.count { _ = tryAll(Array(file[..<length])) }
  }

  @Test(arguments: ["no-rounds", "data-frame"])
  func everyCutOfAUBJSONFileIsRefused(_ name: String) throws {
    let file = try ModelFixture(name, .xgboostUBJSON).file
    // Each byte of the first part, with the head of a tree in it, and of the last.
    let cuts = Array(0..<min(file.count, 2_500)) + Array(max(file.count - 1_000, 0)..<file.count)
    for length in cuts {
      let failure = #expect(throws: Failure.self) { try load(Array(file[..<length])) }
      #expect(failure?.status == .badData)
    }
    #expect(throws: Failure.self) { try load(file + [0]) }
  }

  /// Counts and lengths are nearly all of what a small file of bytes has.
  @Test(arguments: ["names", "vector-leaf", "gblinear-softprob"])
  func flippedBitsOfAUBJSONFile(_ name: String) throws {
    var random = SplitMix64(seed: 15)
    let whole = try ModelFixture(name, .xgboostUBJSON).file
    var loaded = 0
    for _ in 0..<1_000 {
      var file = whole
      for _ in 0..<Int.random(in: 1...3, using: &random) {
        let byte = Int.random(in: 0..<file.count, using: &random)
        file[byte] ^= 1 << UInt8.random(in: 0..<8, using: &random)
      }
      if tryAll(file) { loaded += 1 }
    }
    #expect(loaded > 20)
  }

  @Test func bracketsInBytesHaveABound() {
    let deep =
      Array("{L".utf8) + [0, 0, 0, 0, 0, 0, 0, 1] + Array("x".utf8)
      + [UInt8](repeating: UInt8(ascii: "["), count: 200_000)
    #expect(throws: Failure.self) { try load(deep) }
    let learner =
      Array("{L".utf8) + [0, 0, 0, 0, 0, 0, 0, 7] + Array("learner".utf8)
      + [UInt8](repeating: UInt8(ascii: "["), count: 200_000)
    #expect(throws: Failure.self) { try load(learner) }
  }

  @Test func flippedBitsOfALightGBMFile() {
    var random = SplitMix64(seed: 14)
    let whole = Array(TinyLightGBM().text.utf8)
    var loaded = 0
    for _ in 0..<1_500 {
      var file = whole
      for _ in 0..<Int.random(in: 1...4, using: &random) {
        let byte = Int.random(in: 0..<file.count, using: &random)
        file[byte] ^= 1 << UInt8.random(in: 0..<8, using: &random)
      }
      if tryAll(file) { loaded += 1 }
    }
    #expect(loaded > 100)
  }

  @Test func flippedBitsOfARealFile() throws {
    var random = SplitMix64(seed: 13)
    let fixture = try ModelFixture("layout-3.0-categories").file
    for _ in 0..<300 {
      var file = fixture
      for _ in 0..<3 {
        let byte = Int.random(in: 0..<file.count, using: &random)
        file[byte] ^= 1 << UInt8.random(in: 0..<8, using: &random)
      }
      _ = tryAll(file)
    }
  }

  /// The text in pieces; every second one is a number.
  private func split(_ text: String) -> [[UInt8]] {
    var pieces: [[UInt8]] = [[]]
    for byte in text.utf8 {
      let isDigit = byte &- UInt8(ascii: "0") <= 9 || byte == UInt8(ascii: "-")
      if isDigit != (pieces.count % 2 == 0) { pieces.append([]) }
      pieces[pieces.count - 1].append(byte)
    }
    return pieces
  }
}
