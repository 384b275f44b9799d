// Programs that are started for a while: how they have ended is known, and nothing that they have started outlives them.

import Core
import Foundation
import TestSupport
import Testing

@testable import rtinfer

@Suite struct ChildProcessTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private func start(_ script: String) throws -> ChildProcess {
    try ChildProcess(
      ["/bin/sh", "-c", script],
      environment: Binary.environment(home: folder.url).merging(["F": folder.url.path()]) { $1 })
  }

  private func wait(until condition: () -> Bool) -> Bool {
    for _ in 0..<3_000 {
      if condition() { return true }
      usleep(10_000)
    }
    return false
  }

  /// The number that a script has written down.
  private func number(_ file: String) throws -> pid_t {
    #expect(wait { (try? folder.text(file).hasSuffix("\n")) ?? false }, "\(file) is not written")
    return try #require(
      pid_t(try folder.text(file).trimmingCharacters(in: .whitespacesAndNewlines)))
  }

  /// Whoever has ended and is not yet waited for by the system's first process is gone as well.
  private func isGone(_ process: pid_t) -> Bool {
    guard kill(process, 0) == 0 else { return true }
    let state = try? String(contentsOfFile: "/proc/\(process)/stat", encoding: .utf8)
    return state?.contains(") Z ") ?? false
  }

  @Test(arguments: [
    ("exit 3", ChildProcess.Ending.status(3), "ended with status 3"),
    ("kill -KILL $$", .signal(9), "was ended by signal 9 ("),
  ])
  func howItEndedIsKnown(_ script: String, _ ending: ChildProcess.Ending, _ words: String) throws {
    let process = try start(script)
    #expect(wait { process.hasEnded })
    process.stop()
    #expect(process.ending == ending && ending.description.hasPrefix(words))
  }

  @Test func whatTheLeaderLeavesBehindIsEnded() throws {
    let process = try start("sleep 60 & echo $! > $F/left; exit 0")
    let left = try number("left")
    #expect(wait { process.hasEnded } && !isGone(left))
    let begun = ContinuousClock.now
    process.stop()
    #expect(isGone(left) && process.ending == .status(0))
    // Who has ended is not waited for, whenever the system's first process takes note of it.
    #expect(ContinuousClock.now - begun < .seconds(5))
  }

  @Test func whoeverWillNotEndIsKilled() throws {
    let process = try start(
      "sh -c 'trap \"\" TERM; echo $$ > $F/deaf; while :; do sleep 0.05; done'; true")
    let deaf = try number("deaf")
    let begun = ContinuousClock.now
    process.stop(grace: TimeSpan(microseconds: 200_000))
    #expect(isGone(deaf) && process.ending == .signal(SIGTERM))
    #expect(ContinuousClock.now - begun < .seconds(5))
  }

  @Test func stoppingTwiceIsStoppingOnce() throws {
    let process = try start("sleep 60")
    process.stop()
    process.stop()
    #expect(process.hasEnded && process.ending == .signal(SIGTERM))
  }
}
