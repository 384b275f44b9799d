// Several models become one `Model`, once they are seen to fit together.

import Core

extension Model {
  /// The format of what several files are together.
  public static let ensembleFormat = "ensemble"

  /// Several models that decide as one.
  ///
  /// - Parameters:
  ///   - members: two or more, or one below a stacking model; each with a name of its own.
  ///   - declaredInputs: names that a stacking model may ask for besides its members' scores and
  ///     inputs.
  /// - Throws: what does not fit, and where.
  /// - Complexity: O(inputs × members).
  public init(
    combining members: [EnsembleMember], by combination: Combination, declaredInputs: [String] = []
  ) throws(EnsembleMismatch) {
    precondition(!members.isEmpty, "an ensemble has members")
    var inputs = try EnsembleInputs(members)
    let task: Objective
    let rule: Ensemble.Rule
    let shape: Model
    let outputs: Int
    switch combination {
    case .mean(let weights, let space):
      precondition(weights.count == members.count, "each member has a weight")
      precondition(
        weights.allSatisfy { $0.isFinite && $0 >= 0 } && weights.contains { $0 > 0 },
        "weights are finite, none negative, not all zero")
      shape = members[0].model
      task = try EnsembleTask.ofMean(members, on: space)
      rule = .mean(weights: weights, on: space)
      outputs = space == .score ? shape.scoreCount : shape.outputCount
    case .stack(let top):
      let sources = try EnsembleTask.sources(of: top, members, &inputs, declared: declaredInputs)
      shape = top.model
      task = shape.task
      rule = .stack(top, sources)
      outputs = shape.outputCount
    }
    let recipe = Ensemble.recipe(members, combination)
    let parts = zip(members, inputs.columns).map { member, columns in
      Ensemble.Member(
        name: member.name, model: member.model,
        // What only the stacking model takes stands behind, so that no member's row is the whole one.
        columns: columns.isEmpty && inputs.count > member.model.inputCount
          ? Array(0..<member.model.inputCount) : columns)
    }
    self.init(
      format: Model.ensembleFormat, libraryVersion: "",
      fingerprint: recipe.withBytes { SHA256.hex(of: $0) }, objective: task.name,
      inputNames: inputs.names, inputTypes: inputs.types, inputCount: inputs.count,
      outputCount: outputs, scoreCount: task.transform.scoreCount(outputs),
      isClassifier: shape.isClassifier, classCount: shape.classCount,
      roundCount: members.reduce(0) { $0 + $1.model.roundCount }, usedRounds: 0..<0,
      bestIteration: nil, categories: inputs.categories, task: task,
      predictor: .ensemble(
        Ensemble(
          members: parts, rule: rule, inputCount: inputs.count, outputCount: outputs,
          recipe: recipe)))
  }

  /// The models of an ensemble, a stacking model last; none in a model of one file.
  public var members: [EnsembleMember] {
    guard case .ensemble(let ensemble) = predictor else { return [] }
    let members = ensemble.members.map { EnsembleMember(name: $0.name, model: $0.model) }
    if case .stack(let top, _) = ensemble.rule { return members + [top] }
    return members
  }

  /// What an ensemble is made of, as JSON with each file's digest; the fingerprint is its SHA-256.
  /// Nil for a model of one file.
  public var recipe: [UInt8]? {
    if case .ensemble(let ensemble) = predictor { ensemble.recipe } else { nil }
  }
}

extension Ensemble {
  /// One line: the files with their digests, and how they are combined.
  static func recipe(_ members: [EnsembleMember], _ combination: Combination) -> [UInt8] {
    let text = OutputBuffer(MemorySink(), capacity: 1 << 10)
    var weights: [Double] = []
    text.append("{\"ensemble\":1,")
    switch combination {
    case .mean(let given, let space):
      weights = given
      text.append("\"combine\":\"mean\",\"on\":")
      text.appendQuoted(space.rawValue)
    case .stack(let top):
      text.append("\"combine\":\"stack\",\"stack\":")
      append(top, weight: nil, to: text)
    }
    text.append(",\"of\":[")
    for (index, member) in members.enumerated() {
      if index > 0 { text.append(",") }
      append(member, weight: weights.isEmpty ? nil : weights[index], to: text)
    }
    text.append("]}\n")
    return text.pending.copy()
  }

  private static func append(
    _ member: EnsembleMember, weight: Double?, to text: OutputBuffer
  ) {
    text.append("{\"file\":")
    text.appendQuoted(member.name)
    text.append(",\"sha256\":")
    text.appendQuoted(member.model.fingerprint)
    if let weight {
      text.append(",\"weight\":")
      text.append(weight)
    }
    text.append("}")
  }
}
