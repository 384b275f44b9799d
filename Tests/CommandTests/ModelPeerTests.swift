// bench model --peers where Python says little, or something else: a script in python3's place shows what is made of it.

import Core
import Foundation
import TestSupport
import Testing

@Suite struct ModelPeerTests {
  private struct Figures: Decodable {
    let what: String
    let batch: Int
    let peer: String?
    let medianUsPerRow: Double
    let timesLonger: Double?
    let largestDifference: Double?
  }

  private struct Answer {
    let outcome: Child.Outcome
    let own: [Figures]
    let peers: [Figures]
    /// Of stderr, without what comes before it.
    let notes: [String]

    init(_ outcome: Child.Outcome) throws {
      let decoder = JSONDecoder()
      decoder.keyDecodingStrategy = .convertFromSnakeCase
      let figures = try outcome.output.split(separator: "\n").map {
        try decoder.decode(Figures.self, from: Data($0.utf8))
      }
      self.outcome = outcome
      own = figures.filter { $0.what == "model" }
      peers = figures.filter { $0.what == "peer" }
      let sign = "rtinfer bench model: --peers: "
      notes = outcome.errors.split(separator: "\n").filter { $0.hasPrefix(sign) }.map {
        String($0.dropFirst(sign.count))
      }
    }
  }

  private let folder: TemporaryFolder

  init() throws {
    folder = try TemporaryFolder()
    try FileManager.default.createDirectory(
      at: folder.url.appending(path: "tmp"), withIntermediateDirectories: true)
  }

  private static func model(_ name: String) -> String {
    Fixtures.root.appending(path: "models/xgboost-json/\(name)").path()
  }

  /// - Parameter script: of python3's arguments `batches`, `rows`, `first` and `end` have names; `tell BATCH MEMBERS` writes a
  ///   figure, a microsecond a row for each row of a call.
  private func standIn(_ script: String) throws {
    try folder.write(
      """
      #!/bin/sh
      figures=$6 rows=$7 first=${10} end=${11} batches=${12}
      tell() {
        all=$((rows / $1 * $1))
        echo "{\\"peer\\":\\"${peer:-stand-in 1}\\",\\"batch\\":$1,\\"rows\\":$all,\\"best\\":$1,\\"median\\":$1,\\
      \\"p50\\":1000,\\"p99\\":2000,\\"difference\\":$2}" | tr -d '\\n' >> "$figures"
        echo >> "$figures"
      }
      \(script)
      """ + "\n", "python3")
    try FileManager.default.setAttributes(
      [.posixPermissions: 0o755], ofItemAtPath: folder.path("python3"))
  }

  private func line(_ model: String = "binary-logistic", before: String = "", file: String? = nil)
    -> String
  {
    let path = Self.model(model)
    return """
      PATH="$PWD:$PATH" TMPDIR=$PWD/tmp \(before) rtinfer bench model --peers --batch 1,7 --repeats 1 \
      \(file ?? "'\(path)/model.json'") '\(path)/rows.csv'
      """
  }

  private func answer(_ line: String) throws -> Answer {
    try Answer(try Child.bash(line, in: folder.url, home: folder.url))
  }

  private var isCleanedUp: Bool {
    get throws {
      try FileManager.default.contentsOfDirectory(atPath: folder.path("tmp")).isEmpty
    }
  }

  @Test func figuresAreThoseOfTheSameCallsWhateverIsPrinted() throws {
    try standIn(
      """
      echo '{"level":"info","peer":7}'; echo '{"batch":1,"rows":"many"}'; echo loud
      tell 7 null; tell 1 0.5
      """)
    let found = try answer(line())
    #expect(found.outcome.status == 0 && found.notes.isEmpty, "\(found.outcome.errors)")
    #expect(found.own.map(\.batch) == [1, 7] && found.peers.map(\.batch) == [1, 7])
    #expect(found.peers.map(\.largestDifference) == [0.5, nil])
    for (own, peer) in zip(found.own, found.peers) {
      let times = try #require(peer.timesLonger)
      #expect(peer.medianUsPerRow == Double(peer.batch))
      #expect(abs(times - peer.medianUsPerRow / own.medianUsPerRow) < 1e-6 * times)
    }
    #expect(found.outcome.errors.contains("loud"), "what libraries print is seen")
    #expect(try isCleanedUp)
  }

  @Test(arguments: [
    ("tell 7 0.5", "python3 ended with status 0; not measured: calls of 1 rows"),
    (
      "tell 7 0.5; echo '{\"error\":\"no more memory\"}' >> \"$figures\"",
      "no more memory; not measured: calls of 1 rows"
    ),
    ("tell 7 0.5; printf '{\"peer' >> \"$figures\"; exit 9", "python3 ended with status 9; not"),
    ("tell 7 0.5; kill -SEGV $$", "python3 was ended by signal 11 ("),
    ("tell 7 0.5; tell 1 NaN; echo 17 >> \"$figures\"", "python3 ended with status 0; not"),
    (
      """
      tell 7 0.5
      for numbers in '"rows":1e300' '"rows":1.5' '"rows":null' '"rows":"14"'; do
        echo "{\\"peer\\":\\"odd\\",\\"batch\\":1,$numbers,\\"best\\":1,\\"median\\":1,\\"p50\\":-1,\\"p99\\":1}" >> "$figures"
      done
      """, "python3 ended with status 0; not measured: calls of 1 rows"
    ),
  ])
  func whatIsMissingIsSaid(_ script: String, _ note: String) throws {
    try standIn(script)
    let found = try answer(line())
    #expect(found.outcome.status == 0 && found.own.count == 2)
    #expect(found.peers.map(\.batch) == [7], "\(found.outcome.output)")
    #expect(found.notes.count == 1 && found.notes[0].hasPrefix(note), "\(found.outcome.errors)")
  }

  @Test(arguments: [
    ("kill -SEGV $$", "python3 was ended by signal 11 ("),
    ("exit 3", "python3 ended with status 3, and nothing was measured"),
    ("echo '{\"error\":\"it is not there\"}' >> \"$figures\"", "it is not there"),
    ("rm -f \"$figures\"; mkdir \"$figures\"", "python3 ended with status 0, and nothing"),
  ])
  func whereNothingIsMeasuredOurOwnFiguresStand(_ script: String, _ note: String) throws {
    try standIn(script)
    let found = try answer(line())
    #expect(found.outcome.status == 0 && found.own.count == 2 && found.peers.isEmpty)
    #expect(found.notes.count == 1 && found.notes[0].hasPrefix(note), "\(found.outcome.errors)")
  }

  @Test func theRoundsAreThoseThatWeTake() throws {
    try standIn("peer=\"$first to $end\"; tell 1 0; tell 7 0")
    let found = try answer(line("early-stopped-sklearn"))
    #expect(found.peers.map(\.peer) == ["0 to 5", "0 to 5"], "\(found.outcome.output)")
  }

  @Test func whereNothingCanBeWrittenOurOwnFiguresStand() throws {
    try standIn("peer=${figures%/*/*}; tell 1 0; tell 7 0")
    let lost = try answer(line(before: "TMPDIR=/nonexistent"))
    #expect(lost.outcome.status == 0 && lost.own.count == 2 && lost.peers.isEmpty)
    #expect(
      lost.notes.count == 1 && lost.notes[0].hasPrefix("/nonexistent/rtinfer-peers-"),
      "\(lost.outcome.errors)")
    let empty = try answer(line(before: "TMPDIR="))
    #expect(empty.peers.map(\.peer) == ["/tmp", "/tmp"], "\(empty.outcome.errors)")
  }

  @Test func aModelFromAPipeIsNotReadOnceMore() throws {
    try standIn("tell 1 0; tell 7 0")
    let path = Self.model("binary-logistic")
    let found = try answer(line(file: "<(cat '\(path)/model.json')"))
    #expect(found.outcome.status == 0 && found.own.count == 2 && found.peers.isEmpty)
    #expect(
      found.notes.count == 1 && found.notes[0].contains("is no plain file"),
      "\(found.outcome.errors)")
  }

  @Test(arguments: [SIGHUP, SIGTERM])
  func whoeverIsToldToEndTakesPythonAlong(_ signal: Int32) throws {
    try standIn("echo $$ > number; sleep 60")
    var environment = Binary.environment(home: folder.url)
    environment["PATH"] = "\(folder.url.path()):\(environment["PATH"] ?? "")"
    environment["TMPDIR"] = folder.path("tmp")
    let path = Self.model("binary-logistic")
    let child = try Child(
      [
        Binary.rtinfer, "bench", "model", "--peers", "--batch", "1,7", "--repeats", "1",
        "\(path)/model.json", "\(path)/rows.csv",
      ], in: folder.url, stdin: "/dev/null", environment: environment)
    while child.isRunning, (try? folder.text("number").hasSuffix("\n")) != true { usleep(5_000) }
    let number = try #require(
      pid_t(try folder.text("number").trimmingCharacters(in: .whitespacesAndNewlines)))
    child.send(signal)
    let found = try Answer(child.wait())
    #expect(found.outcome.status == 128 + signal && found.own.count == 2, "\(found.outcome)")
    #expect(found.notes == ["told to end"] && kill(number, 0) != 0)
    #expect(try isCleanedUp)
  }

  @Test func underNohupAHangUpIsNone() throws {
    try standIn("tell 1 0; kill -HUP $PPID; sleep 0.2; tell 7 0")
    let found = try answer("trap '' HUP; \(line())")
    #expect(found.outcome.status == 0 && found.peers.count == 2, "\(found.outcome)")
  }

  // MARK: In Python

  private static let hasNumPy: Bool = {
    guard let python = Binary.find("python3") else { return false }
    let child = try? Child(
      [python, "-c", "import numpy"], stdin: "/dev/null",
      environment: ProcessInfo.processInfo.environment)
    return child?.wait().status == 0
  }()

  /// A library that is none, for what the real one does not do at will.
  @Test(
    .enabled(if: hasNumPy, "Python has no numpy"),
    arguments: [
      ("numpy.zeros(len(x))", 2, nil), ("numpy.full(len(x), numpy.nan)", 2, nil),
      ("numpy.zeros(len(x)) if len(x) != 7 else 1 / 0", 1, "division by zero; not measured: calls"),
      ("1 / 0", 0, "division by zero"), ("sys.exit(4)", 0, "python3 ended with status 4, and"),
      ("os.kill(os.getpid(), 11)", 0, "python3 was ended by signal 11 ("),
    ] as [(String, Int, String?)])
  func theLibraryMayFailAsItLikes(_ margins: String, _ count: Int, _ note: String?) throws {
    try folder.write(
      """
      import numpy, os, sys
      __version__ = "0"
      print('{"loud": true}')
      class Booster:
          def __init__(self, _): pass
          def load_model(self, _): pass
          def save_config(self): return '{"learner": {"gradient_booster": {"name": "gbtree"}}}'
          def inplace_predict(self, x, **_): return \(margins)
      """ + "\n", "xgboost.py")
    let found = try answer(line(before: "PYTHONPATH=$PWD"))
    #expect(found.outcome.status == 0 && found.own.count == 2 && found.peers.count == count)
    #expect(found.notes.count == (note == nil ? 0 : 1), "\(found.outcome.errors)")
    if let note { #expect(found.notes[0].hasPrefix(note), "\(found.outcome.errors)") }
    #expect(found.peers.allSatisfy { ($0.largestDifference == nil) == margins.contains("nan") })
    #expect(try isCleanedUp)
  }
}
