// The scanner that has learned a stream's habits against one that sees each line for the first time: for every
// line, good or damaged, they must say the same. The lines come in three shapes and several styles of
// spacing, mixed, and every second one is damaged somewhere.

import Core
import Testing

@Suite struct RecordTemplatesTests {
  private static let paths = [["id"], ["delay"], ["note"], ["_rt", "offset"], ["deep", "a", "b"]]

  /// Everything that can be observed of a scan, as text.
  private func outcome(_ scanner: RecordScanner, _ line: Bytes, padding: Int) -> String {
    do {
      try scanner.scan(line, padding: padding)
    } catch {
      return "refused: \(error.description)"
    }
    let values = RecordTemplatesTests.paths.indices.map { slot in
      "\(scanner.raw(slot).kind) \(scanner.raw(slot).escaped) \(scanner.raw(slot).bytes.string)"
    }
    let members = scanner.members.map { "\($0.start)..<\($0.end)" }
    return (values + members + scanner.memberNames).joined(separator: "|")
  }

  private func plan() -> FieldPlan {
    var plan = FieldPlan()
    for path in RecordTemplatesTests.paths { _ = plan.slot(path) }
    return plan
  }

  private func value(_ random: inout SplitMix64) -> String {
    let values = [
      "0", "-1", "12.50", "-0.0", "1e5", "123456789012345678901", "01", "-", "1.", "true", "false",
      "null",
      "nul", #""plain""#, #""""#, #""a rather long text, longer than sixteen bytes""#, #""é😀""#,
      #""esc\n\u0041\ud83d\ude00""#, #""bad \x""#, "\"tab\t\"", "[1,[2,{}]]", #"{"a":{"b":[1]}}"#,
      #"{"a":{"b":7,"b":8},"c":0}"#, "{}", "[]", #"{"offset":12,"x":1}"#,
    ]
    // Mostly sound values, as in real streams.
    let index = Int.random(in: 0..<values.count, using: &random)
    return Int.random(in: 0..<8, using: &random) > 0 ? values[index % 6] : values[index]
  }

  private func line(_ random: inout SplitMix64) -> [UInt8] {
    let shapes = [
      ["id", "time", "delay", "note"], ["id", "time", "note", "deep", "_rt"],
      ["delay", "id", "id", "a member whose name is longer than two blocks of sixteen"],
    ]
    let (comma, colon) = [(",", ":"), (", ", ": "), (" ,\t", " : ")].randomElement(using: &random)!
    let names = shapes.randomElement(using: &random)!
    let members = names.map { "\"\($0)\"\(colon)\(value(&random))" }
    var bytes = Array("{\(members.joined(separator: comma))}".utf8)
    if Bool.random(using: &random) {
      let place = Int.random(in: 0..<bytes.count, using: &random)
      switch Int.random(in: 0..<4, using: &random) {
      case 0: bytes.removeSubrange(place...)
      case 1: bytes[place] = UInt8.random(in: 0...255, using: &random)
      case 2: bytes.insert(Array("\",:{}[]\\ ".utf8).randomElement(using: &random)!, at: place)
      default: bytes.remove(at: place)
      }
    }
    return bytes
  }

  @Test(arguments: [0, 32]) func learnedAndFreshScannersAgree(padding: Int) {
    var random = SplitMix64(seed: 11)
    let learned = RecordScanner(plan())
    // What lies behind a line looks like the rest of a record, to tempt a scanner that reads too far.
    let behind = Array(#""x":1,"delay":2}{"id":"next record"}"#.utf8)
    for _ in 0..<6_000 {
      let text = line(&random)
      (text + behind).withBytes { bytes in
        let line = bytes[0..<text.count]
        let fresh = outcome(RecordScanner(plan()), line, padding: 0)
        #expect(outcome(learned, line, padding: padding) == fresh, "\(line.string)")
      }
    }
  }

  /// More names than are learned: memory stays fixed and nothing is missed.
  @Test func readsObjectsWithEndlesslyManyNames() throws {
    var plan = FieldPlan()
    let slot = plan.slot(["id"])
    let scanner = RecordScanner(plan)
    for record in 0..<50 {
      let names = (0..<40).map { "\"member \(record) \($0)\":\($0)" }.joined(separator: ",")
      let text = Array("{\(names),\"id\":\(record)}".utf8)
      try text.withBytes { (bytes) throws(JSONError) in try scanner.scan(bytes) }
      #expect(text.withBytes { _ in scanner.raw(slot).bytes.count } == String(record).count)
      #expect(scanner.members.count == 41)
    }
  }

  @Test func plainTextEndsAtTheSameByteForEveryWidth() {
    var random = SplitMix64(seed: 3)
    for _ in 0..<20_000 {
      let count = Int.random(in: 0...70, using: &random)
      var text = (0..<count).map { _ in UInt8.random(in: 0x20...0x7E, using: &random) }
      if count > 0, Bool.random(using: &random) {
        text[Int.random(in: 0..<count, using: &random)] = UInt8.random(in: 0...255, using: &random)
      }
      let padded = text + Array(repeating: UInt8(ascii: "\""), count: 32)
      padded.withBytes { bytes in
        let slow = PlainTextProbe.slowEnd(bytes.base, to: count)
        #expect(PlainTextProbe.end(bytes.base, to: count, readable: count) == slow)
        #expect(PlainTextProbe.end(bytes.base, to: count, readable: count + 32) == slow)
        if count >= 8 { #expect(PlainTextProbe.firstOfEight(bytes.base) == min(slow, 8)) }
      }
    }
  }

  /// What is accepted as a simple value is what the cursor reads there; both widths say the same.
  @Test func simpleValuesEndWhereTheCursorEndsThem() {
    var random = SplitMix64(seed: 5)
    let alphabet =
      Array(#"0123456789012345678900-..eE+"\\antrufls[{ ,}"#.utf8) + [0x0A, 0xC3, 0xA9]
    var simple = 0
    for _ in 0..<60_000 {
      let count = Int.random(in: 1...24, using: &random)
      var text = (0..<count).map { _ in alphabet.randomElement(using: &random)! }
      if Bool.random(using: &random) { text = Array(value(&random).utf8) + text }
      let padded = text + Array(repeating: UInt8(ascii: "7"), count: 32)
      padded.withBytes { bytes in
        let (wide, portable) = PlainTextProbe.endsOfValue(bytes.base, 0, end: text.count)
        #expect(wide >= text.count ? portable == 0 || portable >= text.count : wide == portable)
        guard wide > 0, wide < text.count else { return }
        simple += 1
        var cursor = JSONCursor(bytes[0..<text.count])
        #expect((try? cursor.rawValue()) != nil && cursor.position == wide, "\(bytes.string)")
      }
    }
    #expect(simple > 10_000)
  }

  @Test func templatesMatchTheSameForEveryWidth() {
    var random = SplitMix64(seed: 6)
    for _ in 0..<20_000 {
      let count = Int.random(in: 1...16, using: &random)
      let template = (0..<count).map { _ in UInt8.random(in: 0...255, using: &random) }
      var text = template + (0..<32).map { _ in UInt8.random(in: 0...255, using: &random) }
      let changed = Int.random(in: 0..<24, using: &random)
      text[changed] ^= 1 << UInt8.random(in: 0..<8, using: &random)
      template.withBytes { template in
        text.withBytes { text in
          let expected = changed >= count
          #expect(PlainTextProbe.matches(template, text) == (expected, expected))
        }
      }
    }
  }
}
