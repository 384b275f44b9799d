// registry promote, rollback, tag: what aliases stand for, and words on versions.

import Core
import Models

enum RegistryAliases {
  static let require = Flag(
    "require", .text("CLAUSES"),
    "Only if the version's metrics hold this, as in 'auc >= 0.9 && p99_us < 500'")

  static let promote = Command(
    name: "registry promote",
    summary: "Let an alias stand for a version",
    story: """
      From now on models:/NAME@ALIAS is this version. With --require it must have shown what it can: clauses over \
      its metrics, joined by &&, in the language of expressions. Each clause is answered by a verdict record; if \
      one does not hold, nothing changes and the status is 1. A clause over a metric that was never measured is \
      inconclusive and an error (2), never a pass. What was refused is in the log too, as a line of kind refusal: \
      who asked, which clauses failed or were inconclusive, and the values. Metrics come from add --metric, \
      registry evaluate, and --record of bench model and drift check.
      """,
    operands: .files,
    flags: [require] + RegistryFlags.changes,
    examples: [
      .init("rtinfer registry promote late_arrival 3 production", "Without a question."),
      .init(
        "rtinfer registry promote late_arrival latest production --require 'auc_low >= 0.7'",
        "The newest, if its AUC is surely above 0.7."),
    ],
    run: runPromote)

  static let rollback = Command(
    name: "registry rollback",
    summary: "Let an alias stand for what it stood for before",
    story: """
      Goes back to the version that the alias stood for before the last promotion; again to go further. The whole \
      decision comes back: the model file, the inputs, the labels and the rules.
      """,
    operands: .files,
    flags: RegistryFlags.changes,
    examples: [
      .init(
        "rtinfer registry rollback late_arrival production --reason 'rebooks too many'",
        "With the reason, for the log.")
    ],
    run: runRollback)

  static let set = Flag("set", .text("NAME=TEXT,…"), "Tags to set")
  static let remove = Flag("remove", .text("NAME,…"), "Tags to take away")

  static let tag = Command(
    name: "registry tag",
    summary: "Set and remove a version's tags",
    story: "Tags are words on a version, for people and scripts; they decide nothing.",
    operands: .files,
    flags: [set, remove] + RegistryFlags.changes,
    examples: [
      .init("rtinfer registry tag late_arrival 3 --set team=ops,ticket=RT-12", "Two tags."),
      .init("rtinfer registry tag late_arrival 3 --remove ticket", "One less."),
    ],
    run: runTag)

  // MARK: promote

  private static func runPromote(_ invocation: Invocation) throws(Failure) -> ExitStatus {
    let operands = try RegistryFlags.operands(invocation, ["NAME", "VERSION", "ALIAS"])
    let (name, alias) = (operands[0], operands[2])
    let options = invocation.options
    try RegistryFolder.check(alias: alias)
    var gate: MetricGate?
    if let text = try options.value(require) {
      gate = try MetricGate(text, origin: options.origin(require))
    }
    let writer = try RegistryFlags.writer(invocation)
    let version = try RegistryFlags.version(operands[1], of: name, writer.state)
    let author = try RegistryFlags.author(invocation)
    var asked: [String: Double] = [:]
    if let gate {
      let (verdicts, problem) = gate.verdicts(
        version.metrics, of: "version \(version.number)", origin: options.origin(require))
      for verdict in verdicts {
        append(verdict, to: invocation.output)
        try invocation.output.endRecord()
        for (name, value) in verdict.values { asked[name] = value }
      }
      let failed = verdicts.filter { $0.holds == false }
      let inconclusive = verdicts.filter { $0.holds == nil }.map(\.clause)
      guard failed.isEmpty, inconclusive.isEmpty else {
        let line = try writer.refuse(
          model: name, version: version.number, alias: alias, gate: gate.text, metrics: asked,
          failed: failed.map(\.clause), inconclusive: inconclusive, author: author)
        try invocation.write(line)
        if let problem { throw problem }
        for verdict in failed {
          invocation.messages.error("refused: \(verdict.clause): \(shown(verdict.values))")
        }
        return .verdictNo
      }
    }
    let line = try writer.promote(
      model: name, version: version.number, alias: alias, gate: gate?.text, metrics: asked,
      author: author)
    try invocation.write(line)
    return .success
  }

  private static func shown(_ values: [(name: String, value: Double)]) -> String {
    values.isEmpty
      ? "does not hold" : values.map { "\($0.name) is \($0.value)" }.joined(separator: ", ")
  }

  private static func append(_ verdict: MetricGate.Verdict, to output: OutputBuffer) {
    output.append("{\"kind\":\"verdict\",\"clause\":")
    output.appendQuoted(verdict.clause)
    output.append(",\"verdict\":")
    output.appendQuoted(verdict.holds.map { $0 ? "pass" : "fail" } ?? "inconclusive")
    output.append(",\"value\":{")
    for (index, (name, value)) in verdict.values.enumerated() {
      if index > 0 { output.append(",") }
      output.appendQuoted(name)
      output.append(":")
      output.append(value)
    }
    output.append("}}")
  }

  // MARK: rollback, tag

  private static func runRollback(_ invocation: Invocation) throws(Failure) -> ExitStatus {
    let operands = try RegistryFlags.operands(invocation, ["NAME", "ALIAS"])
    try RegistryFolder.check(alias: operands[1])
    let writer = try RegistryFlags.writer(invocation)
    try invocation.write(
      try writer.rollback(
        model: operands[0], alias: operands[1], author: try RegistryFlags.author(invocation)))
    return .success
  }

  private static func runTag(_ invocation: Invocation) throws(Failure) -> ExitStatus {
    let operands = try RegistryFlags.operands(invocation, ["NAME", "VERSION"])
    let options = invocation.options
    var tags = try RegistryFlags.tags(set, options).mapValues { Optional($0) }
    for name in (try options.value(remove) ?? "").split(separator: ",").map(String.init) {
      guard tags.updateValue(nil, forKey: name) == nil else {
        throw .usage("'\(name)' is to be both set and removed")
      }
    }
    guard !tags.isEmpty else {
      throw .usage("no tag is given", hint: "rtinfer registry tag NAME VERSION --set team=ops")
    }
    let writer = try RegistryFlags.writer(invocation)
    let version = try RegistryFlags.version(operands[1], of: operands[0], writer.state)
    for (name, text) in tags where text == nil && version.tags[name] == nil {
      throw .usage("version \(version.number) of '\(operands[0])' has no tag '\(name)'")
    }
    try invocation.write(
      try writer.tag(
        model: operands[0], version: version.number, tags: tags,
        author: try RegistryFlags.author(invocation)))
    return .success
  }
}
