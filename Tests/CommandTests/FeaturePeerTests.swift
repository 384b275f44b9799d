// bench features --peers: Python's own stores, of which every Python has the two, and what is made of it where there is none.

import Foundation
import TestSupport
import Testing

@Suite struct FeaturePeerTests {
  private struct Figures: Decodable {
    let what: String
    let rows: String
    let batch: Int
    let lookups: Int
    let repeats: Int
    let medianUsPerRow: Double
    let peer: String?
    let timesLonger: Double?
  }

  private let folder: TemporaryFolder

  init() throws {
    folder = try GeneratedStream.folder()
    try folder.write(GeneratedStream.text(400, GeneratedStream.event), "raw.ndjson")
    // u61 is nobody, and one row names nobody at all.
    let rows = ((0..<8).map { "\"u\($0)\"" } + ["\"u61\"", "null"]).map {
      "{\"user\":\($0),\"time\":\"2024-05-01T10:02:00Z\"}\n"
    }
    try folder.write(rows.joined(), "requests.ndjson")
    let written = try bash("rtinfer materialize --online online raw.ndjson > rows.ndjson")
    #expect(written.status == 0, "\(written.errors)")
  }

  private func bash(_ line: String) throws -> Child.Outcome {
    try Child.bash(line, in: folder.url, home: folder.url)
  }

  private static let line =
    "rtinfer bench features --online online --batch 1,4 --repeats 2 --hot 3 --peers requests.ndjson"

  private func figures(_ outcome: Child.Outcome) throws -> [Figures] {
    let decoder = JSONDecoder()
    decoder.keyDecodingStrategy = .convertFromSnakeCase
    return try outcome.output.split(separator: "\n").map {
      try decoder.decode(Figures.self, from: Data($0.utf8))
    }
  }

  private static let hasSQLite: Bool = {
    guard let python = Binary.find("python3") else { return false }
    let child = try? Child(
      [python, "-c", "import sqlite3"], stdin: "/dev/null",
      environment: ProcessInfo.processInfo.environment)
    return child?.wait().status == 0
  }()

  @Test(.enabled(if: hasSQLite, "Python has no sqlite3"))
  func bothStoresLookUpTheSameRowsInTheSameCalls() throws {
    let outcome = try bash(Self.line)
    #expect(outcome.status == 0 && !outcome.errors.contains("--peers"), "\(outcome.errors)")
    let figures = try figures(outcome)
    let own = figures.filter { $0.what == "features" }
    let peers = figures.filter { $0.what == "peer" }
    #expect(own.count == 4 && peers.count == 8)
    for (place, peer) in peers.enumerated() {
      let ours = own[place % 4]
      #expect(peer.peer?.hasPrefix(place < 4 ? "dict of Python" : "sqlite3 ") == true)
      #expect(peer.rows == ours.rows && peer.batch == ours.batch)
      #expect(peer.lookups == ours.lookups && peer.repeats == ours.repeats)
      let times = try #require(peer.timesLonger)
      #expect(abs(times - peer.medianUsPerRow / ours.medianUsPerRow) < 1e-6 * times)
    }
  }

  /// What is handed over, as a script in python3's place sees it.
  @Test func theTablesHoldEachEntityOnce() throws {
    try folder.write(
      "#!/bin/sh\ncp \"$3\" \"$HOME/seen-$7\"; echo \"$5 $6\" > $HOME/words\n", "python3")
    try FileManager.default.setAttributes(
      [.posixPermissions: 0o755], ofItemAtPath: folder.path("python3"))
    let outcome = try bash("PATH=\"$PWD:$PATH\" \(Self.line)")
    #expect(outcome.status == 0, "\(outcome.errors)")
    #expect(try figures(outcome).allSatisfy { $0.what == "features" })
    let notes = outcome.errors.components(
      separatedBy: "--peers: python3 ended with status 0, and nothing was measured")
    #expect(notes.count == 5, "a note for each run: \(outcome.errors)")
    #expect(try folder.text("words") == "1,4 2\n")
    // Of the cold ones, which come last.
    for kind in ["dict", "sqlite3"] {
      let parts = try folder.text("seen-\(kind)").split(separator: "\n").map {
        try JSONSerialization.jsonObject(with: Data($0.utf8))
      }
      let tables = try #require(parts.first as? [[String: Any]])
      let lookUps = try #require(parts.last as? [[Int]])
      #expect(tables.count == 1 && lookUps.count == 10)
      let keys = try #require(tables[0]["keys"] as? [String])
      #expect(keys == (0..<8).map { "\"u\($0)\"" } + ["\"u61\""])
      let rows = try #require(tables[0]["rows"] as? [[Any]])
      #expect(rows.count == 9 && rows.allSatisfy { $0.count == 3 })
      // Even users have tapped, and what has no taps counts none.
      #expect(rows[2][0] as? Int ?? 0 > 0 && rows[2][1] is Double && rows[8][1] is NSNull)
      #expect(lookUps.map { $0[0] }.sorted() == [-1, 0, 1, 2, 3, 4, 5, 6, 7, 8])
    }
  }

  @Test func aServerHasNone() throws {
    let outcome = try bash(
      "rtinfer bench features --online redis://127.0.0.1:1 --peers requests.ndjson")
    #expect(outcome.status == 2 && outcome.errors.contains("--peers: is for the folder of a store"))
  }
}
