// registry diff: what became different from one version to another.

import Core
import Decisions
import Models

enum RegistryDiff {
  static let command = Command(
    name: "registry diff",
    summary: "Say what is different between two versions",
    story: """
      Compares the versions A and B of NAME, each a number, an alias as @production, or latest, and prints a line \
      for everything that differs, as from and to, with the change of numbers: metrics; speed, the figures that \
      bench model recorded on a machine; size (bytes, trees, nodes, depth, inputs); inputs that came, went or \
      changed their type; importance, each input's share of what its library ranks by; the file's digest, format, \
      objective and library; and the first place in which the decision (inputs, labels, rules, views) differs. \
      Nothing is printed of what is the same. A table on a terminal, records on a pipe.
      """,
    operands: .files,
    flags: RegistryFlags.places,
    examples: [
      .init(
        "rtinfer registry diff late_arrival @production latest", "What a promotion would change."),
      .init(
        "rtinfer registry diff late_arrival 2 3 | jq 'select(.what == \"metrics\")'",
        "Only what was measured."),
    ],
    run: run)

  /// One thing that differs. A number is printed with its change; nil: not there.
  struct Difference {
    enum Value {
      case number(Double)
      case text(String)
    }

    let what: StaticString
    let name: String
    let from: Value?
    let to: Value?
    var machine: String?
  }

  private static func run(_ invocation: Invocation) throws(Failure) -> ExitStatus {
    let operands = try operands(invocation)
    let view = try RegistryFlags.view(invocation)
    let state = try view.state()
    let name = operands[0]
    for text in operands.dropFirst() {
      let known = try state.model(name)
      let alias = text.hasPrefix("@") ? String(text.dropFirst()) : text
      guard known.aliases[alias] == nil, state.models[text] != nil else { continue }
      throw otherModel(name, text)
    }
    let sides = (
      try Side(try RegistryFlags.version(operands[1], of: name, state), view, invocation),
      try Side(try RegistryFlags.version(operands[2], of: name, state), view, invocation)
    )
    let differences = differences(sides.0, sides.1)
    let numbers = (sides.0.version.number, sides.1.version.number)
    if invocation.terminal.outputIsTerminal {
      invocation.output.append(
        RegistryDiffText.table(differences, "\(name): from \(numbers.0) to \(numbers.1)"))
    } else {
      for difference in differences {
        RegistryDiffText.append(difference, name, numbers, to: invocation.output)
        try invocation.output.endRecord()
      }
    }
    try invocation.output.flush()
    return .success
  }

  /// NAME A B; a `models:/…` stands for one of A and B, or for NAME as well.
  private static func operands(_ invocation: Invocation) throws(Failure) -> [String] {
    var given = invocation.options.operands
    var name = given.first.flatMap { ModelURI.isURI($0) ? nil : $0 }
    for (index, text) in given.enumerated() where ModelURI.isURI(text) {
      let uri = try ModelURI(text)
      if let name, uri.model != name { throw otherModel(name, uri.model) }
      name = uri.model
      given[index] = RegistryFlags.words(uri)[1]
    }
    if let name, let first = invocation.options.operands.first, ModelURI.isURI(first) {
      given.insert(name, at: 0)
    }
    let names = ["NAME", "A", "B"]
    guard given.count == names.count else {
      throw .usage(
        given.count < names.count
          ? "\(names[given.count]) is missing" : "unexpected '\(given[names.count])'",
        hint: "rtinfer registry diff \(names.joined(separator: " "))")
    }
    return given
  }

  private static func otherModel(_ name: String, _ other: String) -> Failure {
    .usage(
      "'\(name)' and '\(other)' are two models, and diff compares two versions of one",
      hint: "rtinfer registry add \(name) models:/\(other)/N makes that version one of '\(name)'")
  }

  /// A version with its model loaded.
  private struct Side {
    let version: RegistryVersion
    let manifest: VersionManifest
    let model: Model
    /// By input, its share of the measure that orders them; nil where the model has no such measure.
    let importance: [String: Double]?

    init(
      _ version: RegistryVersion, _ view: RegistryView, _ invocation: Invocation
    ) throws(Failure) {
      self.version = version
      manifest = try view.manifest(version)
      let path = view.path(of: manifest.file)
      let registered = try RegisteredDecision(
        manifest, in: view, ModelDefinition(name: version.model, uri: path), nil)
      // All rounds of a file, as the libraries' own importances have it.
      model = try DeclaredModel.load(
        registered, invocation.files, ModelOptions(iterations: .all))
      importance = Side.shares(try? model.importance(source: path), manifest.inputs)
    }

    private static func shares(
      _ importance: Importance?, _ inputs: [VersionManifest.Input]
    ) -> [String: Double]? {
      guard let measure = importance?.leading else { return nil }
      let total = measure.values.reduce(0) { $0 + abs($1) }
      guard total > 0, measure.values.count == inputs.count else { return nil }
      var shares: [String: Double] = [:]
      for (input, value) in zip(inputs, measure.values) { shares[input.name] = abs(value) / total }
      return shares
    }
  }

  // MARK: Comparing

  private static func differences(_ a: Side, _ b: Side) -> [Difference] {
    var found = numbers("metrics", a.version.metrics, b.version.metrics)
    for machine in Set(a.version.machines.keys).union(b.version.machines.keys).sorted() {
      found += numbers(
        "speed", a.version.machines[machine] ?? [:], b.version.machines[machine] ?? [:],
        machine: machine)
    }
    found += numbers("size", sizes(a), sizes(b))
    found += texts("inputs", inputs(a), inputs(b))
    if let old = a.importance, let new = b.importance { found += numbers("importance", old, new) }
    found += texts("file", facts(a), facts(b))
    found += decision(a.manifest, b.manifest)
    return found
  }

  private static func sizes(_ side: Side) -> [String: Double] {
    let counts = [
      "bytes": side.version.bytes, "trees": side.model.treeCount, "nodes": side.model.nodeCount,
      "depth": side.model.depth, "inputs": side.model.inputCount, "outputs": side.model.outputCount,
    ]
    return counts.mapValues { Double($0) }
  }

  private static func inputs(_ side: Side) -> [String: String] {
    var types: [String: String] = [:]
    for input in side.manifest.inputs { types[input.name] = input.type }
    return types
  }

  private static func facts(_ side: Side) -> [String: String] {
    var facts = [
      "sha256": side.manifest.file.digest, "format": side.manifest.format,
      "objective": side.manifest.objective, "library": side.manifest.library,
    ]
    facts["training"] = side.manifest.training?.digest
    facts["profile"] = side.manifest.profile?.digest
    facts["git_commit"] = side.manifest.gitCommit
    return facts
  }

  private static func decision(_ a: VersionManifest, _ b: VersionManifest) -> [Difference] {
    switch (a.decision, b.decision) {
    case (nil, nil): return []
    case (let old?, let new?):
      guard let first = new.project.difference(from: old.project) else { return [] }
      return [
        Difference(
          what: "decision", name: first.place, from: .text(first.other), to: .text(first.own))
      ]
    case (let old, let new):
      return [
        Difference(
          what: "decision", name: "models", from: old.map { .text($0.project.json()) },
          to: new.map { .text($0.project.json()) })
      ]
    }
  }

  private static func numbers(
    _ what: StaticString, _ old: [String: Double], _ new: [String: Double], machine: String? = nil
  ) -> [Difference] {
    Set(old.keys).union(new.keys).sorted().compactMap { name in
      guard old[name] != new[name] else { return nil }
      return Difference(
        what: what, name: name, from: old[name].map { .number($0) },
        to: new[name].map { .number($0) }, machine: machine)
    }
  }

  private static func texts(
    _ what: StaticString, _ old: [String: String], _ new: [String: String]
  ) -> [Difference] {
    Set(old.keys).union(new.keys).sorted().compactMap { name in
      guard old[name] != new[name] else { return nil }
      return Difference(
        what: what, name: name, from: old[name].map { .text($0) }, to: new[name].map { .text($0) })
    }
  }
}
