// Writers of an online store that are killed at any moment of their work.

import Core
import Foundation
import TestSupport

enum KilledWriters {
  /// Starts writers of the store `online` over `events.ndjson`, each from the beginning, as after a crash: what is held
  /// already comes again.
  ///
  /// - Parameter body: what is to be seen after each of them.
  static func run(
    _ count: Int, in folder: TemporaryFolder, _ body: () throws -> Void = {}
  ) throws {
    var random = SplitMix64(seed: 5)
    let lines = try folder.text("events.ndjson").split(separator: "\n")
    for _ in 0..<count {
      let child = try Child(
        [Binary.rtinfer, "materialize", "--online", "online"], in: folder.url,
        environment: Binary.environment(home: folder.url))
      let end = lines.count - Int.random(in: 0..<400, using: &random)
      try child.write(lines[..<end].joined(separator: "\n") + "\n")
      usleep(UInt32.random(in: 1_000...120_000, using: &random))
      child.send(SIGKILL)
      _ = child.wait()
      try body()
    }
  }
}
