// How the commands behave in pipes: nothing waits that need not, what was read is written whatever
// ends the run, and a reader that has seen enough is no error.

import Foundation
import TestSupport
import Testing

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// A folder with a small project: taps tell, questions ask, a model decides.
private struct SmallProject {
  let folder: TemporaryFolder

  init() throws {
    folder = try TemporaryFolder()
    let model = Fixtures.root.appending(path: "models/xgboost-json/binary-logistic/model.json")
    try folder.write(
      """
      {
        events: {
          tap: { id: "id", time: "time", lateness: "5m", fields: { user: "string" } },
          asked: { id: "id", time: "time", fields: { user: "string", f0: "number" } },
        },
        features: {
          taps: { entity: ["user"], from: "tap", features: { n: { count: "*" } } },
        },
        models: {
          m: {
            uri: "\(model.path())", decides: "asked",
            inputs: ["f0", "taps:n", "f0 + 1.0", "f0 + 2.0"],
          },
        },
      }
      """, "rtinfer.json")
  }

  static func tap(_ number: Int) -> String {
    #"{"type":"tap","id":\#(number),"time":"2024-05-01T10:00:\#(10 + number)Z","user":"ann"}"#
      + "\n"
  }

  static func question(_ number: Int) -> String {
    #"{"type":"asked","id":\#(number),"time":"2024-05-01T10:00:\#(10 + number)Z","#
      + #""user":"ann","f0":0.5}"# + "\n"
  }

  func start(_ words: String...) throws -> Child {
    try Child(
      words, in: folder.url, environment: Binary.environment(home: folder.url), seconds: 40)
  }

  func bash(_ line: String) throws -> Child.Outcome {
    try Child.bash(line, in: folder.url, home: folder.url)
  }
}

@Suite struct PipeTests {
  private let project: SmallProject

  init() throws { project = try SmallProject() }

  // MARK: Nothing waits that need not

  @Test func aRecordCrossesEachStageBeforeTheNextIsWritten() throws {
    for stage in ["ingest", "materialize"] {
      let child = try project.start(Binary.rtinfer, stage)
      for number in 1...3 {
        try child.write(SmallProject.question(number))
        #expect(child.waitForLines(number), "\(stage): record \(number) did not come")
        usleep(50_000)
      }
      #expect(child.isRunning, "\(stage) ended before its input did")
      try child.closeInput()
      #expect(child.wait().status == 0)
    }
  }

  @Test func aRecordCrossesTheWholePipeBeforeTheNextIsWritten() throws {
    let child = try project.start(
      Binary.find("bash")!, "-c", "rtinfer ingest | rtinfer materialize | rtinfer score")
    for number in 1...3 {
      try child.write(SmallProject.tap(2 * number))
      try child.write(SmallProject.question(2 * number + 1))
      let written = Date()
      #expect(child.waitForLines(number), "decision \(number) did not come")
      // Generous, for a machine that is busy with other things; idle, it is a few milliseconds.
      if number > 1 { #expect(Date().timeIntervalSince(written) < 5) }
      usleep(100_000)
    }
    #expect(child.isRunning)
    try child.closeInput()
    let outcome = child.wait()
    #expect(outcome.errors == "")
    let counts = outcome.output.matches(of: #/"taps:n":([0-9]+)/#).map { String($0.output.1) }
    #expect(counts == ["1", "2", "3"])
  }

  @Test func rejectsAreOnFileWhileTheInputIsStillOpen() throws {
    let path = project.folder.path("bad.ndjson")
    let child = try project.start(Binary.rtinfer, "ingest", "--rejects", path)
    try child.write("nonsense\n" + SmallProject.tap(1))
    #expect(child.waitForLines(1))
    try child.write(SmallProject.tap(2))
    #expect(child.waitForLines(2))
    #expect(try project.folder.text("bad.ndjson").contains(#""raw":"nonsense"}"#))
    try child.closeInput()
    #expect(child.wait().status == 3)
  }

  // MARK: Signals

  @Test(arguments: [(SIGINT, 130), (SIGTERM, 143)] as [(Int32, Int32)])
  func aSignalEndsAFilterAfterWhatItReadIsWritten(_ signal: Int32, _ status: Int32) throws {
    let child = try project.start(Binary.rtinfer, "ingest")
    try child.write(SmallProject.tap(1) + SmallProject.tap(2))
    #expect(child.waitForLines(2))
    child.send(signal)
    let outcome = child.wait()
    #expect(outcome.status == status)
    #expect(outcome.output.split(separator: "\n").count == 2)
    #expect(outcome.errors == "")
  }

  @Test func aSignalReleasesWhatWaitsForTheWatermark() throws {
    let child = try project.start(Binary.rtinfer, "materialize", "--emit", "watermark")
    try child.write(SmallProject.question(1) + SmallProject.question(2) + "nonsense\n")
    // Both questions wait for a watermark that never comes; the message says that they have been
    // read.
    #expect(child.waitForErrors("stdin:3: not JSON"))
    #expect(child.outputSoFar == "")
    child.send(SIGTERM)
    let outcome = child.wait()
    #expect(outcome.status == 143)
    #expect(outcome.output.split(separator: "\n").count == 2)
  }

  @Test func aSignalBeforeAnyInputEndsAFilterThatWaits() throws {
    let child = try project.start(Binary.rtinfer, "score", "--summary")
    usleep(300_000)
    child.send(SIGINT)
    #expect(child.wait().status == 130)
  }

  // MARK: Outputs that end

  @Test func aReaderThatHasSeenEnoughIsNoError() throws {
    let week = Fixtures.root.appending(path: "flights")
    let outcome = try Child.bash(
      "set -o pipefail; rtinfer ingest week/scheduled.ndjson | head -1", in: week,
      home: project.folder.url)
    #expect(outcome.status == 0)
    #expect(outcome.errors == "")
    #expect(outcome.output.split(separator: "\n").count == 1)
  }

  private static let hasFullDevice = FileManager.default.fileExists(atPath: "/dev/full")

  @Test(.enabled(if: hasFullDevice, "there is no /dev/full to write to"))
  func aFullDiskIsAnErrorWithAMessage() throws {
    try project.folder.write(SmallProject.tap(1), "taps.ndjson")
    let outcome = try project.bash("rtinfer ingest taps.ndjson > /dev/full")
    #expect(outcome.status == 4)
    #expect(outcome.errors == "rtinfer ingest: stdout: write: No space left on device\n")
  }

  @Test(.enabled(if: hasFullDevice, "there is no /dev/full to write to"))
  func rejectsThatCannotBeKeptEndTheRun() throws {
    let outcome = try project.bash("echo nonsense | rtinfer ingest --rejects /dev/full")
    #expect(outcome.status == 4)
    #expect(outcome.errors.contains("rtinfer ingest: /dev/full: write: No space left on device\n"))
  }

  // MARK: Terminals

  @Test(.enabled(if: TerminalTool.any != nil, "neither python3 nor script is installed"))
  func aTerminalOnStdinShowsTheWayInsteadOfHanging() throws {
    for command in ["ingest", "materialize", "score"] {
      let outcome = try project.bash(TerminalTool.any!("rtinfer \(command)"))
      #expect(outcome.status == 2, "\(outcome)")
      #expect(outcome.output.contains("nothing to read: stdin is a terminal"))
      #expect(outcome.output.contains("rtinfer \(command) --help"))
    }
  }
}

/// A way to run a command with a pseudo-terminal for stdin, stdout and stderr.
private enum TerminalTool {
  static let any: (@Sendable (String) -> String)? =
    if Binary.find("python3") != nil {
      { line in
        let words = line.split(separator: " ").map { "'\($0)'" }.joined(separator: ", ")
        return "python3 -c \"import os, pty, sys; "
          + "sys.exit(os.waitstatus_to_exitcode(pty.spawn([\(words)])))\""
      }
    } else if Binary.find("script") != nil {
      { "script -qec '\($0)' /dev/null" }
    } else {
      nil
    }
}
