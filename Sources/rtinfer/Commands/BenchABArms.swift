// The arms of bench ab: real-time and batches from a few flags, or any at all as small objects (`--arms`).
//
//     [ { name: "now", trained: "fresh" },
//       { name: "hourly", every: "1h", publish: "5m", model: "late_arrival_stale", trained: "stale",
//         latency: "40ms", cost: { per_decision: 0.001, per_month: 300 } } ]

import Core
import Replay

enum BenchABArms {
  /// How late events come in: all alike, or each after a delay of its own.
  struct Lateness {
    var constant = TimeSpan.zero
    var drawn: DelayDistribution?

    /// Whether a text is, or tries to be, that of a distribution.
    static func isDrawn(_ text: String) -> Bool { text.contains("=") }
  }

  /// An arm before the models that arms name are numbered.
  struct Arm {
    let name: String
    let runs: RunSchedule?
    let publish: TimeSpan
    let lateness: Lateness
    let decidesAtRun: Bool
    /// Nil: the one whose outcomes and values count.
    let model: String?
    let trained: ReplayArm.Freshness?
    var latency = TimeSpan.zero
    var cost = ReplayArm.Cost.none
    /// Where it is written, for messages.
    let node: ConfigNode?

    func replayed(model: Int) -> ReplayArm {
      ReplayArm(
        name: name, runs: runs, publishDelay: publish, ingestDelay: lateness.constant,
        drawnDelay: lateness.drawn, decidesAtRun: decidesAtRun, model: model, trained: trained,
        latency: latency, cost: cost)
    }
  }

  /// What `read` finds.
  struct Arms {
    let list: [Arm]
    /// Those that the flags take from a log.
    var delays: LogDelays?
  }

  /// The arms with their models by number.
  ///
  /// - Parameters:
  ///   - models: the names of all that any arm decides by.
  ///   - subject: the model of an arm that names none.
  static func replayed(
    _ arms: [Arm], _ models: [String], subject: String
  ) throws(Failure) -> [ReplayArm] {
    var trained: [ReplayArm.Freshness?] = models.map { _ in nil }
    var replayed: [ReplayArm] = []
    for arm in arms {
      guard let model = models.firstIndex(of: arm.model ?? subject) else {
        preconditionFailure("every model that an arm names is there")
      }
      if let known = trained[model], let own = arm.trained, known != own, let node = arm.node {
        throw node.failure(
          "model '\(models[model])' is trained \(known.rawValue) in an arm before and"
            + " \(own.rawValue) here",
          hint: "a model trained on stale features is one more model of the project")
      }
      trained[model] = trained[model] ?? arm.trained
      replayed.append(arm.replayed(model: model))
    }
    return replayed
  }

  static let countMax = 100
  private static let intervalMin = TimeSpan.seconds(1)

  static func read(_ invocation: Invocation) throws(Failure) -> Arms {
    let options = invocation.options
    guard let text = try options.value(BenchAB.arms) else {
      guard try options.value(BenchAB.ingestDelay) == "log" else {
        return Arms(list: try batches(options, try lateness(options)))
      }
      guard options.isTyped(BenchAB.log) else {
        throw .usage(
          "\(options.origin(BenchAB.ingestDelay)) is log, and no log is read",
          hint: "--\(BenchAB.log.name)=DIR, or a duration")
      }
      let delays = try LogDelays.measure(invocation)
      return Arms(list: try batches(options, Lateness(constant: delays.p99)), delays: delays)
    }
    for flag in [
      BenchAB.batchEvery, BenchAB.batchDecides, BenchAB.publishDelay, BenchAB.ingestDelay,
    ] where options.isTyped(flag) {
      throw .usage(
        "--\(flag.name): an arm of \(options.origin(BenchAB.arms)) says that itself",
        hint: "members of an arm: \(members.joined(separator: ", "))")
    }
    let isList = text.first { !$0.isWhitespace } == "["
    let root = try JSON5Parser.parse(
      isList
        ? Array(text.utf8)
        : invocation.files.contents(of: text, bytesMax: Limits.projectBytesMax),
      file: isList ? options.origin(BenchAB.arms) : text)
    return Arms(list: try arms(root, seed: try BenchAB.drawsBegin(options)))
  }

  // MARK: From a list

  private static let members = [
    "name", "every", "publish", "lateness", "batch_decides", "model", "trained",
    "latency", "cost",
  ]

  private static func arms(_ root: ConfigNode, seed: UInt64) throws(Failure) -> [Arm] {
    var arms: [Arm] = []
    let nodes = try root.list()
    guard (2...countMax).contains(nodes.count) else {
      throw root.failure(
        "lists \(nodes.count) arms; there must be 2 to \(countMax)",
        hint: "the first is the one that the others are compared with")
    }
    for node in nodes {
      let arm = try arm(node, seed: seed)
      guard !arms.contains(where: { $0.name == arm.name }) else {
        throw node.failure(
          "there are two arms '\(arm.name)'", hint: "give each a name: { name: \"…\", … }")
      }
      arms.append(arm)
    }
    return arms
  }

  private static func arm(_ node: ConfigNode, seed: UInt64) throws(Failure) -> Arm {
    try node.allow(members)
    let runs = try node["every"].map { (node) throws(Failure) in try self.runs(node) }
    for name in ["publish", "batch_decides"] where runs == nil {
      guard let member = node[name] else { continue }
      throw member.failure(
        "without runs there is nothing to publish or to wait for", hint: "every: \"1h\"")
    }
    return Arm(
      name: try node["name"]?.string() ?? ReplayArm.name(runs), runs: runs,
      publish: try node["publish"]?.span() ?? .zero,
      lateness: try node["lateness"].map { (node) throws(Failure) in
        try lateness(node, seed: seed)
      } ?? Lateness(),
      decidesAtRun: try node["batch_decides"]?.bool() ?? false,
      model: try node["model"]?.string(),
      trained: try node["trained"]?.choice(ReplayArm.Freshness.self),
      latency: try node["latency"]?.span() ?? .zero,
      cost: try node["cost"].map { (node) throws(Failure) in try cost(node) } ?? .none, node: node)
  }

  private static func runs(_ node: ConfigNode) throws(Failure) -> RunSchedule {
    guard let text = try? node.string(), CronLine.isMeant(by: text) else {
      return .every(try node.span(atLeast: intervalMin))
    }
    do throws(CronLine.Mistake) {
      return .at(try CronLine(text))
    } catch {
      throw node.failure(error.message, hint: error.hint)
    }
  }

  private static func lateness(_ node: ConfigNode, seed: UInt64) throws(Failure) -> Lateness {
    guard let text = try? node.string(), Lateness.isDrawn(text) else {
      return Lateness(constant: try node.span())
    }
    do throws(DelayDistribution.Mistake) {
      return Lateness(drawn: try DelayDistribution(text, seed: seed))
    } catch {
      throw node.failure(error.message, hint: error.hint)
    }
  }

  private static func cost(_ node: ConfigNode) throws(Failure) -> ReplayArm.Cost {
    try node.allow(["per_decision", "per_month"])
    func amount(_ name: String) throws(Failure) -> Double {
      guard let member = node[name] else { return 0 }
      let amount = try member.double()
      guard amount >= 0, amount <= 1e12 else {
        throw member.failure("a cost is between 0 and 1e12, not \(amount)")
      }
      return amount
    }
    return ReplayArm.Cost(
      perDecision: try amount("per_decision"), perMonth: try amount("per_month"))
  }

  // MARK: From flags

  private static func lateness(_ options: Options) throws(Failure) -> Lateness {
    guard let text = try options.value(BenchAB.ingestDelay), Lateness.isDrawn(text) else {
      return Lateness(constant: try options.span(BenchAB.ingestDelay) ?? .zero)
    }
    let seed = try BenchAB.drawsBegin(options)
    do throws(DelayDistribution.Mistake) {
      return Lateness(drawn: try DelayDistribution(text, seed: seed))
    } catch {
      throw .usage("\(options.origin(BenchAB.ingestDelay)): \(error.message)", hint: error.hint)
    }
  }

  /// Real-time and a batch for each schedule.
  private static func batches(
    _ options: Options, _ lateness: Lateness
  ) throws(Failure) -> [Arm] {
    let publish = try options.span(BenchAB.publishDelay) ?? .zero
    let decidesAtRun = options.isOn(BenchAB.batchDecides)
    func arm(_ runs: RunSchedule?) -> Arm {
      Arm(
        name: ReplayArm.name(runs), runs: runs,
        publish: runs == nil ? .zero : publish, lateness: lateness,
        decidesAtRun: runs != nil && decidesAtRun, model: nil, trained: nil, node: nil)
    }
    var arms = [arm(nil)]
    let origin = options.origin(BenchAB.batchEvery)
    for part in schedules(try options.value(BenchAB.batchEvery) ?? "1h") {
      let runs = try runs(part, origin)
      guard !arms.contains(where: { $0.runs == runs }) else {
        throw .usage("\(origin): '\(part)' is there twice")
      }
      arms.append(arm(runs))
    }
    return arms
  }

  /// The parts of a list: semicolons part whatever there is, and commas where no line of cron is, which has its own and
  /// blanks besides.
  static func schedules(_ text: String) -> [String] {
    text.split(separator: ";", omittingEmptySubsequences: false).flatMap { part in
      let words = part.split(whereSeparator: \.isWhitespace)
      guard words.count < 2 else { return [words.joined(separator: " ")] }
      return (words.first ?? "").split(separator: ",", omittingEmptySubsequences: false)
        .map(String.init)
    }
  }

  private static func runs(_ text: String, _ origin: String) throws(Failure) -> RunSchedule {
    guard CronLine.isMeant(by: text) else {
      guard let interval = TimeSpan(text), interval >= intervalMin else {
        throw .usage(
          "\(origin): '\(text)' is not a duration of 1s or more (\(TimeSpan.expectation))",
          hint: "--batch-every 1h, or --batch-every 1d,1h,5m, or --batch-every '0 2 * * *'")
      }
      return .every(interval)
    }
    do throws(CronLine.Mistake) {
      return .at(try CronLine(text))
    } catch {
      // Two of a list that should have been parted otherwise, or a span beside a line.
      let isList = text.split(whereSeparator: { $0 == " " || $0 == "," }).contains { word in
        TimeSpan(String(word)) != nil
      }
      let isLong = text.split(separator: " ").count > 5
      throw .usage(
        "\(origin): \(error.message)",
        hint: isList || isLong
          ? "spans have commas between and no blanks; around a line of cron stand semicolons:"
            + " '1d,1h;0 2 * * *;30 * * * *'" : error.hint)
    }
  }
}
