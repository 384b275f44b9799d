// The registry as processes use it: many at once, some of them killed.

import Foundation
import TestSupport
import Testing

@Suite struct RegistryTests {
  private static let model = Fixtures.root.appending(
    path: "models/xgboost-json/gblinear/model.json"
  ).path()

  private static func start(_ words: [String], in folder: TemporaryFolder) throws -> Child {
    try Child(
      [Binary.rtinfer, "registry"] + words, in: folder.url, stdin: "/dev/null",
      environment: Binary.environment(home: folder.url), seconds: 120)
  }

  private static func run(_ words: [String], in folder: TemporaryFolder) throws -> Child.Outcome {
    try start(words, in: folder).wait()
  }

  /// The members of each line of the log that say who was promoted and what was before.
  private static func promotions(in folder: TemporaryFolder) throws -> [(version: Int, from: Int?)]
  {
    try folder.text(".rtinfer/registry/log.ndjson").split(separator: "\n").compactMap { line in
      let entry = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any]
      guard entry?["action"] as? String == "promote" else { return nil }
      return (entry?["version"] as! Int, entry?["from"] as? Int)
    }
  }

  @Test func fortyProcessesPromotingAtOnceTellOneTrueOrder() throws {
    let folder = try TemporaryFolder()
    for _ in 0..<40 {
      #expect(try Self.run(["add", "m", Self.model], in: folder).status == 0)
    }
    let children = try (1...40).map { number in
      try Self.start(["promote", "m", "\(number)", "production", "--wait", "100s"], in: folder)
    }
    for child in children {
      let outcome = child.wait()
      #expect(outcome.status == 0, "\(outcome.errors)")
    }
    let promotions = try Self.promotions(in: folder)
    #expect(promotions.map(\.version).sorted() == Array(1...40), "none is lost, none comes twice")
    #expect(promotions.map(\.from) == [nil] + promotions.dropLast().map(\.version))
    let alias = try folder.text(".rtinfer/registry/models/m/aliases/production")
    #expect(alias == "\(promotions.last!.version)\n")
    #expect(try Self.run(["verify"], in: folder).status == 0)
  }

  /// Killed at any moment: what is there is whole, and what was said to be done is done.
  @Test func killedProcessesLeaveAWholeRegistry() throws {
    let folder = try TemporaryFolder()
    for _ in 0..<2 { #expect(try Self.run(["add", "m", Self.model], in: folder).status == 0) }
    var acknowledged = 0
    for round in 0..<40 {
      let child = try Self.start(["promote", "m", "\(round % 2 + 1)", "alias\(round)"], in: folder)
      usleep(UInt32(round) * 1_000)
      child.send(SIGKILL)
      let outcome = child.wait()
      if outcome.output.hasSuffix("}\n") { acknowledged += 1 }
      let verified = try Self.run(["verify"], in: folder)
      #expect(verified.status == 0, "\(round): \(verified.errors)")
    }
    #expect(try Self.promotions(in: folder).count >= acknowledged)
    #expect(try Self.run(["add", "m", Self.model], in: folder).status == 0)
    #expect(try Self.run(["verify"], in: folder).status == 0)
  }

  /// The way of a server: what an alias stands for is what decides, once the server is told to look.
  @Test(.enabled(if: hasCurl)) func aServerFollowsAnAlias() throws {
    let folder = try TemporaryFolder()
    for fixture in ["binary-logistic", "softprob"] {
      let path = ServedProcess.model(fixture)
      #expect(try Self.run(["add", "m", path], in: folder).status == 0)
    }
    #expect(try Self.run(["promote", "m", "1", "production"], in: folder).status == 0)
    let watch = try Self.start(["watch"], in: folder)
    #expect(watch.waitForErrors("watching"))
    let server = try ServedProcess(["--model", "fraud=models:/m@production"], folder: folder)
    #expect(server.child.errorsSoFar.contains("fraud (1)"))
    func score() throws -> String { try server.curl("@/decide/fraud -d '{\"f0\":1.5}'") }
    #expect(try score() == "{\"score\":0.89674926}")
    #expect(try Self.run(["promote", "m", "2", "production"], in: folder).status == 0)
    #expect(watch.waitForLines(1))
    server.child.send(SIGHUP)
    #expect(server.child.waitForErrors("read again: fraud (2)"))
    #expect(try score().hasPrefix("{\"score\":["))
    #expect(try Self.run(["rollback", "m", "production"], in: folder).status == 0)
    #expect(watch.waitForLines(2))
    server.child.send(SIGHUP)
    #expect(server.child.waitForErrors("read again: fraud (1)"))
    #expect(try score() == "{\"score\":0.89674926}")
    #expect(server.stop().status == 0)
    watch.send(SIGTERM)
    let seen = watch.wait().output
    let log = try folder.text(".rtinfer/registry/log.ndjson")
    #expect(log.hasSuffix(seen) && seen.contains("\"action\":\"rollback\""))
  }

  /// Nobody has to tell it.
  @Test(.enabled(if: hasCurl)) func aServerFollowsByItself() throws {
    let folder = try TemporaryFolder()
    for fixture in ["binary-logistic", "softprob"] {
      #expect(try Self.run(["add", "m", ServedProcess.model(fixture)], in: folder).status == 0)
    }
    #expect(try Self.run(["promote", "m", "1", "production"], in: folder).status == 0)
    let server = try ServedProcess(
      ["--follow", "--model", "fraud=models:/m@production"], folder: folder)
    // An alias may come before its file does: it is tried again.
    let blob = folder.path(
      try Self.run(["resolve", "models:/m/2"], in: folder).output
        .trimmingCharacters(in: .whitespacesAndNewlines))
    try FileManager.default.moveItem(atPath: blob, toPath: folder.path("blob"))
    #expect(try Self.run(["promote", "m", "2", "production"], in: folder).status == 0)
    #expect(server.child.waitForErrors("not read again: "))
    #expect(try server.curl("@/decide/fraud -d '{\"f0\":1.5}'") == "{\"score\":0.89674926}")
    try FileManager.default.moveItem(atPath: folder.path("blob"), toPath: blob)
    #expect(server.child.waitForErrors("read again: fraud (2)"))
    #expect(try server.curl("@/decide/fraud -d '{\"f0\":1.5}'").hasPrefix("{\"score\":["))
    let told = server.child.errorsSoFar.components(separatedBy: "not read again: ").count
    // A registry that is out of reach for a while is no reason to stop, nor to read anything again.
    try FileManager.default.moveItem(
      atPath: folder.path(".rtinfer/registry"), toPath: folder.path("away"))
    usleep(1_200_000)
    #expect(server.child.errorsSoFar.components(separatedBy: "not read again: ").count == told)
    try FileManager.default.moveItem(
      atPath: folder.path("away"), toPath: folder.path(".rtinfer/registry"))
    #expect(try Self.run(["rollback", "m", "production"], in: folder).status == 0)
    #expect(server.child.waitForErrors("read again: fraud (1)"))
    #expect(server.stop().status == 0)
  }

  /// It tells each change once, whole, from whatever log is there; away is not gone.
  @Test func aWatchOutlivesARegistryThatIsPutBack() throws {
    let folder = try TemporaryFolder()
    for _ in 0..<2 { #expect(try Self.run(["add", "m", Self.model], in: folder).status == 0) }
    let (here, away) = (folder.path(".rtinfer/registry"), folder.path("away"))
    try FileManager.default.copyItem(atPath: here, toPath: folder.path("older"))
    #expect(try Self.run(["promote", "m", "1", "a"], in: folder).status == 0)
    let watch = try Self.start(["watch"], in: folder)
    #expect(watch.waitForErrors("watching"))
    try FileManager.default.moveItem(atPath: here, toPath: away)
    usleep(300_000)
    try FileManager.default.moveItem(atPath: away, toPath: here)
    #expect(try Self.run(["promote", "m", "2", "a"], in: folder).status == 0)
    #expect(watch.waitForLines(1))
    // An older copy, whose next line is another than the one that was seen.
    try FileManager.default.moveItem(atPath: here, toPath: away)
    try FileManager.default.moveItem(atPath: folder.path("older"), toPath: here)
    #expect(watch.waitForErrors("another log is here now"))
    #expect(try Self.run(["promote", "m", "1", "b"], in: folder).status == 0)
    #expect(watch.waitForLines(2))
    // What is no registry that can be read ends it.
    try Data("rtinfer-registry 9\n".utf8).write(to: URL(filePath: "\(here)/format"))
    let told = try Self.run(["tag", "m", "1", "--set", "a=b"], in: folder)
    #expect(told.status == 4)
    let outcome = watch.wait()
    #expect(outcome.status == 4 && outcome.errors.contains("not the mark of a registry"))
    let aliases = outcome.output.split(separator: "\n").map {
      $0.firstMatch(of: #/"version":([0-9]+),"alias":"([a-z]+)"/#).map {
        "\($0.output.2)\($0.output.1)"
      }
    }
    #expect(aliases == ["a2", "b1"], "\(outcome.output)")
  }

  /// An ensemble of the project that names an alias follows it, too; a version of it stays as it was. A version needs no
  /// other name to be served by.
  @Test(.enabled(if: hasCurl)) func aServerFollowsAliasesInsideOfEnsembles() throws {
    let folder = try TemporaryFolder()
    for fixture in ["binary-logistic", "binary-logistic-deep"] {
      let path = ServedProcess.model(fixture)
      #expect(try Self.run(["add", "base", path], in: folder).status == 0)
    }
    #expect(try Self.run(["promote", "base", "1", "production"], in: folder).status == 0)
    try folder.write(
      """
      { models: { both: { combine: { mean: [
        "models:/base@production", "\(ServedProcess.model("binary-strong"))"] } } } }
      """, "rtinfer.json")
    #expect(try Self.run(["add", "both"], in: folder).status == 0)
    let server = try ServedProcess(
      ["--follow", "--model", "both,models:/base@production,frozen=models:/both/1"],
      folder: folder)
    func scores() throws -> [String] {
      try ["both", "frozen", "base"].map {
        try server.curl("@/decide/\($0) -d '{\"f0\":1.5}'")
      }
    }
    let first = try scores()
    #expect(first[0] == first[1] && first[0] != first[2] && first[0].hasPrefix("{\"score\":0."))
    #expect(try Self.run(["promote", "base", "2", "production"], in: folder).status == 0)
    #expect(server.child.waitForErrors("read again: both"))
    #expect(server.child.waitForErrors("read again: base (2)"))
    let second = try scores()
    #expect(second[0] != first[0] && second[1] == first[1] && second[2] != first[2])
    #expect(server.stop().status == 0)
  }

  /// A night: the model that was trained is added, evaluated and promoted by a gate, and the server decides by it. One
  /// that is worse is refused with status 1 and never decides; a rollback brings back what was before.
  @Test(.enabled(if: hasCurl)) func aServerNeverDecidesByWhatAGateRefused() throws {
    let folder = try TemporaryFolder()
    let rows = Fixtures.root.appending(path: "registry/evaluate-then-gate/rows.csv").path()
    /// What cron runs after a training.
    func night(_ trained: String) throws -> Int32 {
      for words in [
        ["add", "late", ServedProcess.model(trained)],
        ["evaluate", "late", "latest", "--rows", rows, "--label", "late"],
        [
          "promote", "late", "latest", "production", "--require",
          "auc_low > 0.75 && log_loss < 0.5",
        ],
      ] {
        let status = try Self.run(words, in: folder).status
        guard status == 0 else { return status }
      }
      return 0
    }
    #expect(try night("binary-logistic") == 0)
    let server = try ServedProcess(["--model", "late=models:/late@production"], folder: folder)
    func score() throws -> String { try server.curl("@/decide/late -d '{\"f0\":1.5}'") }
    let first = try score()
    // Its scores are classes: the worst log loss there is.
    #expect(try night("binary-hinge") == 1)
    server.child.send(SIGHUP)
    #expect(server.child.waitForErrors("read again: late (1)"))
    #expect(try score() == first)
    #expect(try night("binary-logistic-deep") == 0)
    server.child.send(SIGHUP)
    #expect(server.child.waitForErrors("read again: late (3)"))
    #expect(try score() != first)
    #expect(try Self.run(["rollback", "late", "production"], in: folder).status == 0)
    server.child.send(SIGHUP)
    for _ in 0..<1_000 where try score() != first { usleep(5_000) }
    #expect(try score() == first)
    #expect(server.stop().status == 0)
    #expect(try Self.run(["verify"], in: folder).status == 0)
  }

  /// An MLflow folder as that library writes it, but for what is not read.
  @Test func anMLflowFolderIsAdded() throws {
    let folder = try TemporaryFolder()
    let files = FileManager.default
    try files.createDirectory(
      at: folder.url.appending(path: "run"), withIntermediateDirectories: true)
    try files.copyItem(atPath: Self.model, toPath: folder.path("run/model.json"))
    try folder.write("xgboost==3.1\n", "run/requirements.txt")
    try folder.write(
      """
      artifact_path: model
      flavors:
        python_function:
          data: other.pkl
          loader_module: mlflow.xgboost
        xgboost:
          code: null
          data: model.json
          model_class: xgboost.core.Booster
      """, "run/MLmodel")
    #expect(try Self.run(["add", "m", "run"], in: folder).status == 0)
    let path = try Self.run(["resolve", "models:/m/1"], in: folder).output
    let registered = try folder.text(String(path.dropLast()))
    #expect(try registered == String(contentsOfFile: Self.model, encoding: .utf8))
    let shown = try Self.run(["show", "m", "1"], in: folder).output
    #expect(
      shown.contains("\"name\":\"requirements.txt\"") && shown.contains("\"name\":\"MLmodel\""))
    try folder.write("flavors:\n  sklearn:\n    pickled_model: model.pkl\n", "run/MLmodel")
    let refused = try Self.run(["add", "m", "run"], in: folder)
    #expect(refused.status == 3 && refused.errors.contains("it has sklearn"))
  }

  @Test func aRegistryThatIsHeldIsNamed() throws {
    let folder = try TemporaryFolder()
    #expect(try Self.run(["add", "m", Self.model], in: folder).status == 0)
    let lock = folder.path(".rtinfer/registry/lock")
    let holder = try Child(
      ["/usr/bin/env", "flock", lock, "sleep", "30"], stdin: "/dev/null",
      environment: Binary.environment(home: folder.url))
    defer { holder.send(SIGKILL) }
    var outcome = try Self.run(["tag", "m", "1", "--set", "a=b", "--wait", "0s"], in: folder)
    for _ in 0..<200 where outcome.status == 0 {
      usleep(10_000)
      outcome = try Self.run(["tag", "m", "1", "--set", "a=b", "--wait", "0s"], in: folder)
    }
    #expect(outcome.status == 75)
    #expect(outcome.errors.contains("another process"))
    // Readers never wait.
    #expect(try Self.run(["list"], in: folder).status == 0)
    #expect(try Self.run(["resolve", "models:/m/1"], in: folder).status == 0)
  }
}
