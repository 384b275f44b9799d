// drift trigger: verdicts and a policy in, one word out: act or not. Made for cron.

import Core
import Measure

enum DriftTrigger {
  static let policy = Flag(
    "policy", .text("NAME"), "The policy, of the project file's drift section")

  static let command = Command(
    name: "drift trigger",
    summary: "Decide by a policy whether to act: 0 act, 1 do not",
    story: """
      Reads verdicts (those of drift check and drift outcomes, and any others whose clause is a plain word) and holds \
      a policy of the project file against them: an expression over worst_psi, worst_js, worst_ks, worst_value (the \
      measure that decides), drifted, watched, columns, drift_share, missing_growth, n, reference_n; auc_drop, \
      accuracy_drop, log_loss_rise, brier_rise, rmse_rise, mae_rise, coverage, new_labels; and the other verdicts' \
      values by their clause. If it holds, one alert is printed, with the policy's model, and the time is remembered in the state folder; until the \
      policy's cooldown has passed it is not called for again. Ends with 0 (act), 1 (do not) or 5 (cannot say: fewer records \
      than the policy's least, or a signal that nothing measured).
      """,
    operands: .files,
    flags: [CommonFlags.project, policy, LogFlags.state],
    examples: [
      .init(
        "rtinfer drift check --reference jan.profile feb.ndjson > verdicts.ndjson\n"
          + "rtinfer drift trigger --policy retrain verdicts.ndjson && ./retrain.sh",
        "Retrain when it is called for.")
    ],
    run: run)

  private static let stateBytesMax = 64 << 10

  private static func run(_ invocation: Invocation) throws(Failure) -> ExitStatus {
    let options = invocation.options
    let project = try Project.require(invocation)
    let policies = try project.driftPolicies()
    guard let name = try options.value(policy) else {
      throw .usage(
        "no policy is named",
        hint: policies.isEmpty
          ? "\(project.shownName) declares none in its section drift"
          : "--policy \(policies.map(\.name).joined(separator: "|"))")
    }
    guard let policy = policies.first(where: { $0.name == name }) else {
      throw .usage(
        "--policy: \(project.shownName) declares no drift policy '\(name)'",
        hint: Spelling.nearest(name, among: policies.map(\.name)).map { "did you mean '\($0)'?" })
    }
    let signals = try signals(invocation)
    let messages = invocation.messages
    let records = signals.values["n"] ?? 0
    guard Int64(records) >= policy.least else {
      messages.note("\(Int(records)) records, \(name) asks for \(policy.least)")
      return .inconclusive
    }
    guard let holds = policy.holds(signals.values) else {
      let missing = policy.signals.filter { signals.values[$0] == nil }.joined(separator: ", ")
      messages.note("cannot say: no verdict gives \(missing)")
      return .inconclusive
    }
    guard holds else { return .verdictNo }
    let path = try statePath(invocation, project, name)
    let now = invocation.clock.now()
    if let last = try lastTime(path, invocation),
      now.microseconds - last.microseconds < policy.cooldown.microseconds
    {
      messages.note("called for, and was so within \(policy.cooldown.description): not again")
      return .verdictNo
    }
    try remember(now, path, invocation)
    append(policy, signals, now, to: invocation.output)
    try invocation.output.flush()
    return .success
  }

  private static func signals(_ invocation: Invocation) throws(Failure) -> DriftSignals {
    var signals = DriftSignals()
    for source in try invocation.inputs() {
      let reader = LineReader(source)
      while let line = try reader.next() {
        do throws(BadRecord) {
          try signals.add(line.bytes, padding: LineReader.padding)
        } catch {
          throw .badData("\(source.name):\(line.number): \(error.reason)")
        }
      }
    }
    return signals
  }

  private static func append(
    _ policy: DriftPolicy, _ signals: DriftSignals, _ now: Timestamp, to output: OutputBuffer
  ) {
    output.append("{\"kind\":\"alert\",\"what\":")
    output.appendQuoted(policy.name)
    if let model = policy.model {
      output.append(",\"model\":")
      output.appendQuoted(model)
    }
    output.append(",\"action\":\"trigger\",\"time\":")
    output.appendQuoted(now)
    output.append(",\"if\":")
    output.appendQuoted(policy.condition.text)
    output.append(",\"signals\":{")
    for (index, name) in policy.signals.enumerated() {
      if index > 0 { output.append(",") }
      output.appendQuoted(name)
      output.append(":")
      output.append(signals.values[name] ?? .nan)
    }
    output.append("}}\n")
  }

  // MARK: State

  private static func statePath(
    _ invocation: Invocation, _ project: Project, _ name: String
  ) throws(Failure) -> String {
    let folder = try invocation.options.value(LogFlags.state) ?? project.resolve(".rtinfer")
    guard name.utf8.allSatisfy({ $0 != UInt8(ascii: "/") }) else {
      throw .usage("--policy: '\(name)' cannot name a state file: it has a slash")
    }
    return "\(folder)/drift/\(name).json"
  }

  private static func lastTime(
    _ path: String, _ invocation: Invocation
  ) throws(Failure) -> Timestamp? {
    guard invocation.files.exists(path) else { return nil }
    let node = try JSON5Parser.parse(
      try invocation.files.contents(of: path, bytesMax: stateBytesMax), file: path)
    let text = try node.required("triggered").string()
    guard let time = Array(text.utf8).withBytes({ Timestamp(rfc3339: $0) }) else {
      throw .badData("\(path): '\(text)' is no time", hint: "remove the file to begin anew")
    }
    return time
  }

  private static func remember(
    _ now: Timestamp, _ path: String, _ invocation: Invocation
  ) throws(Failure) {
    let output = OutputBuffer(MemorySink())
    output.append("{\"version\":1,\"triggered\":")
    output.appendQuoted(now)
    output.append("}\n")
    let folder = String(path[..<path.lastIndex(of: "/")!])
    do throws(SystemError) {
      try invocation.files.makeFolder(folder)
    } catch {
      throw .inputOutput("\(folder): \(error.reason)")
    }
    try AtomicFile.write(output.pending, to: path, in: invocation.files)
  }
}
