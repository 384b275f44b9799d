// The real process, killed as it enters one system call after the other: strace counts the calls of a change once, then the
// same change is run again and again, and each time another call is its last. What is there afterwards is the registry
// before the change or the one after it, and the next change goes on from there.
//
// A stride leaves most calls out; RTINFER_LONG=1 takes them all.

import Foundation
import TestSupport
import Testing

@Suite(.serialized) struct RegistryKillTests {
  /// Nil where there is no strace, or it may not trace.
  private static let strace: String? = {
    guard let path = Binary.find("strace"), let folder = try? TemporaryFolder(),
      let child = try? Child(
        [path, "-o", "/dev/null", "-e", "inject=exit_group:signal=KILL", "/bin/true"],
        stdin: "/dev/null", environment: Binary.environment(home: folder.url)),
      child.wait().errors.isEmpty
    else { return nil }
    return path
  }()

  private static let isLong = ProcessInfo.processInfo.environment["RTINFER_LONG"] == "1"
  /// Calls of each change that are taken where not all are.
  private static let callsMax = 20

  private static let model = Fixtures.root.appending(
    path: "models/xgboost-json/gblinear/model.json"
  ).path()

  /// The registry that each change starts from.
  private static let start = """
    export RTINFER_ACTOR=ann; for n in 1 2 3; do rtinfer registry add m \(model); done > out
    for n in 1 2; do rtinfer registry promote m $n production; done >> out; rtinfer registry add m \(model) >> out
    mkdir -p .rtinfer/registry/blobs/ab; echo stray > .rtinfer/registry/blobs/ab/ab0123
    """

  private static let changes = [
    "add m \(model) --metric auc=0.9", "promote m 1 production",
    "promote m 4 production --require 'auc > 0.9'", "rollback m production",
    "gc --keep 1 --delete",
  ]

  /// One system call of a run: its name, and which of those of that name.
  private struct Call {
    let name: String
    let number: Int
  }

  /// The calls of all threads, as strace wrote them down: `4711  openat(AT_FDCWD, …`.
  private static func calls(_ trace: String) -> [Call] {
    var counts: [Substring: [Substring: Int]] = [:]
    var calls: [Call] = []
    for line in trace.split(separator: "\n") {
      guard let match = line.firstMatch(of: #/^([0-9]+) +([a-z0-9_]+)\(/#),
        match.output.2 != "execve", match.output.2 != "exit_group"
      else { continue }
      counts[match.output.1, default: [:]][match.output.2, default: 0] += 1
      calls.append(
        Call(name: String(match.output.2), number: counts[match.output.1]![match.output.2]!))
    }
    return calls
  }

  /// What holds, without times and hashes: what was done, what aliases stand for, and what there is.
  private static let state =
    "rtinfer registry log && rtinfer registry at --time 2999-01-01 && rtinfer registry list"

  /// - Returns: the status, what was printed without times and hashes, and the errors.
  private static func bash(
    _ line: String, in folder: TemporaryFolder
  ) throws -> (status: Int32, output: String, errors: String) {
    let outcome = try Child.bash(line, in: folder.url, home: folder.url, seconds: 120)
    let output = outcome.output.replacing(
      #/"(at|added|manifest|previous|hash)":"[^"]*"/#, with: { "\"\($0.output.1)\"" })
    return (outcome.status, output, outcome.errors)
  }

  @Test(
    .enabled(if: strace != nil, "strace is not installed, or may not trace here"),
    arguments: changes)
  func killedAtEverySystemCall(_ change: String) throws {
    let original = try TemporaryFolder()
    let before = try Self.bash("\(Self.start); \(Self.state)", in: original)
    let whole = try TemporaryFolder()
    let copy = "cp -r \(original.path(".rtinfer")) ."
    let run = "RTINFER_ACTOR=ann \(Self.strace!) -f -o trace"
    let change = "\(Binary.rtinfer) registry \(change) > out 2>&1"
    let after = try Self.bash("\(copy); \(run) \(change); \(Self.state)", in: whole)
    #expect(before.status == 0 && after.status == 0 && before.output != after.output)
    let calls = Self.calls(try whole.text("trace"))
    #expect(calls.count > 100 && calls.contains { $0.name == "rename" }, "\(calls.count)")
    let stride = Self.isLong ? 1 : max(1, calls.count / Self.callsMax)
    var (stayed, happened) = (0, 0)
    // The last ones are those that change something.
    for place in Swift.stride(from: calls.count - 1, through: 0, by: -stride) {
      let call = calls[place]
      let folder = try TemporaryFolder()
      let killed = try Self.bash(
        """
        \(copy); \(run) -e inject=\(call.name):signal=KILL:when=\(call.number) \(change)
        rtinfer registry verify > verified && \(Self.state) && \
        rtinfer registry tag m latest --set next=one > out && rtinfer registry verify > verified
        """, in: folder)
      let moment = "\(call.name) \(call.number) of \(change)"
      #expect(killed.status == 0, "\(moment): \(killed.errors)")
      let isBefore = killed.output == before.output
      #expect(isBefore || killed.output == after.output, "\(moment): \(killed.output)")
      if isBefore { stayed += 1 } else { happened += 1 }
    }
    #expect(stayed > 0 && happened > 0, "both were seen: \(stayed), \(happened)")
  }
}
