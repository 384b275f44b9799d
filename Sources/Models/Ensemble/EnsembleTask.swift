// What an ensemble is for, which its members must agree on: as many outputs, the same classes, and
// for a mean of margins the same way from margins to scores.

import Core

enum EnsembleTask {
  static func ofMean(
    _ members: [EnsembleMember], on space: Combination.Space
  ) throws(EnsembleMismatch) -> Objective {
    let first = members[0].model
    for (index, member) in members.enumerated() {
      try checkShape(member.model, index, members[0], on: space)
    }
    var objectives: [String] = []
    for member in members where !objectives.contains(member.model.objective) {
      objectives.append(member.model.objective)
    }
    let name = objectives.joined(separator: ", ")
    guard space == .margin else {
      return Objective(
        name: name, task: first.task.task, transform: .double(DoubleTransform(shape: .identity)),
        judgesByScore: true)
    }
    let transform = try sharedTransform(members)
    // Without a transform the margin itself is the score, and nothing lies at one half.
    return Objective(
      name: name, task: first.task.task, transform: .double(transform),
      judgesByScore: transform.shape != .identity)
  }

  private static func checkShape(
    _ model: Model, _ index: Int, _ first: EnsembleMember, on space: Combination.Space
  ) throws(EnsembleMismatch) {
    func classes(_ model: Model) -> String {
      model.isClassifier ? "has \(model.classCount) classes" : "has no classes"
    }
    let other = first.model
    guard model.isClassifier == other.isClassifier, model.classCount == other.classCount else {
      throw EnsembleMismatch(
        .member(index),
        "\(classes(model)) (\(model.objective)), '\(first.name)' \(classes(other)) (\(other.objective))"
      )
    }
    if space == .score, model.isClassifier, !model.task.transform.givesProbabilities {
      throw EnsembleMismatch(
        .member(index),
        "its scores (\(model.objective)) are no probabilities, of which a mean is taken",
        hint: "on: \"margin\" takes the mean of what they come from")
    }
    guard model.outputCount == other.outputCount else {
      throw EnsembleMismatch(
        .member(index),
        "has \(model.outputCount) outputs, '\(first.name)' has \(other.outputCount)")
    }
  }

  private static func sharedTransform(
    _ members: [EnsembleMember]
  ) throws(EnsembleMismatch) -> DoubleTransform {
    var shared: DoubleTransform?
    for (index, member) in members.enumerated() {
      let hint = "on: \"score\" takes the mean of the scores themselves"
      guard let own = member.model.task.transform.wide else {
        throw EnsembleMismatch(
          .member(index), "margins of \(member.model.objective) cannot be combined", hint: hint)
      }
      guard shared == nil || shared == own else {
        throw EnsembleMismatch(
          .member(index),
          "its margins become scores in another way (\(member.model.objective)) than those of"
            + " '\(members[0].name)' (\(members[0].model.objective))",
          hint: hint)
      }
      shared = own
    }
    return shared!
  }

  // MARK: Stacks

  /// Where each input of a stacking model comes from: a member's score by its file's name, an input
  /// by its own; by order where the file has no names.
  static func sources(
    of top: EnsembleMember, _ members: [EnsembleMember], _ inputs: inout EnsembleInputs,
    declared: [String]
  ) throws(EnsembleMismatch) -> [Ensemble.Source] {
    var scores: [(name: String, source: Ensemble.Source)] = []
    for (number, member) in members.enumerated() {
      for (index, name) in member.inputNames.enumerated() {
        scores.append((name, .score(member: number, index: index)))
      }
    }
    let names = top.model.givenNames
    guard !names.isEmpty else {
      guard top.model.inputCount == scores.count else {
        throw EnsembleMismatch(
          .stack,
          "takes \(top.model.inputCount) inputs without naming them, its members have"
            + " \(scores.count) scores")
      }
      return scores.map(\.source)
    }
    var sources: [Ensemble.Source] = []
    for (place, name) in names.enumerated() {
      let found = scores.filter { $0.name == name }
      let isInput = inputs.names.contains(name)
      guard found.count + (isInput ? 1 : 0) <= 1 else {
        let who = isInput ? "a member and an input" : "two members"
        throw EnsembleMismatch(
          .stack, "takes an input '\(name)', as \(who) are called",
          hint: "give the files names of their own")
      }
      if let score = found.first {
        sources.append(score.source)
        continue
      }
      let codes = top.model.categories(ofInput: place)
      guard !isInput || inputs.place(name, codes) != nil else {
        throw EnsembleMismatch(
          .stack, "codes the categories of '\(name)' in another way than its members",
          hint: "train them on the same categories in the same order")
      }
      guard isInput || (declared.contains(name) && !inputs.names.isEmpty) else {
        throw EnsembleMismatch(
          .stack, "takes an input '\(name)', which is neither a member's score nor an input",
          hint: Spelling.nearest(name, among: scores.map(\.name) + inputs.names + declared)
            .map { "did you mean '\($0)'?" })
      }
      sources.append(.input(inputs.place(name, codes) ?? inputs.append(name, codes)))
    }
    for (name, source) in scores where !sources.contains(source) {
      throw EnsembleMismatch(
        .stack, "does not take '\(name)', a score of its members",
        hint: "a member that nothing reads only takes time; leave it out of 'of'")
    }
    return sources
  }
}

extension Objective.Transform {
  /// The same in 64 bits; nil where there is none.
  var wide: DoubleTransform? {
    switch self {
    case .double(let transform): transform
    case .float(.identity): DoubleTransform(shape: .identity)
    case .float(.sigmoid): DoubleTransform(shape: .sigmoid(steepness: 1))
    case .float(.exponential): DoubleTransform(shape: .exponential)
    case .float(.softmax): DoubleTransform(shape: .softmax)
    case .float: nil
    case .onnx(let transform): transform.wide
    }
  }

  /// Whether a classifier's scores lie between 0 and 1, votes of hinge losses included.
  var givesProbabilities: Bool {
    if case .float(.step) = self { return true }
    if case .onnx(let transform) = self, transform.shape == .none {
      return transform.sumsAreProbabilities
    }
    switch wide?.shape {
    case .sigmoid?, .softmax?: return true
    default: return false
    }
  }
}
