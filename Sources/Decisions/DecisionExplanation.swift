// Why a decision's margin is what it is: what each input gave to it, and which of them gave most. Inputs
// that the project puts together under a reason speak with one voice: what they gave is added up, so that
// a reason is not split among columns that say the same.

public import Core
import Models

/// A model's explanations, and that of the last row.
public struct DecisionExplanation {
  /// What a record says.
  public enum Extent: Sendable, Equatable {
    /// What every input gave.
    case all
    /// Those that moved the decision most, by their number.
    case most(Int)
  }

  /// A reason of the project, or an input that is in none.
  struct Reason {
    let name: String
    let isGroup: Bool
    let inputs: [Int]
  }

  let extent: Extent
  let reasons: [Reason]
  private let explainer: Explainer
  /// By output one for each input, and last the bias.
  private(set) var contributions: [Double]

  /// - Parameter source: the model file's name, for messages.
  init(
    _ definition: ModelDefinition, _ model: Model, inputNames: [String], _ extent: Extent,
    source: String
  ) throws(Failure) {
    explainer = try Explainer(model, source: source)
    if case .most = extent, model.outputCount > 1, !model.isClassifier {
      throw .usage(
        "\(source): the \(model.outputCount) outputs of \(model.objective) are no classes of which one is"
          + " decided for",
        hint: "--contributions explains all of them")
    }
    self.extent = extent
    reasons = try Self.reasons(definition, inputNames)
    contributions = Array(repeating: 0, count: explainer.width)
  }

  /// The project's reasons, and the inputs that are in none.
  static func reasons(
    _ definition: ModelDefinition, _ inputNames: [String]
  ) throws(Failure) -> [Reason] {
    var result: [Reason] = []
    var taken: Set<Int> = []
    for member in definition.reasons {
      var inputs: [Int] = []
      for node in try member.node.list() {
        let name = try node.string()
        guard let input = inputNames.firstIndex(of: name) else {
          throw node.failure(
            "'\(name)' is no input of the model",
            hint: Spelling.nearest(name, among: inputNames).map { "did you mean '\($0)'?" })
        }
        guard taken.insert(input).inserted else {
          throw node.failure("'\(name)' is in two reasons, or twice in one")
        }
        inputs.append(input)
      }
      result.append(Reason(name: member.key, isGroup: true, inputs: inputs))
    }
    for input in inputNames.indices where !taken.contains(input) {
      result.append(Reason(name: inputNames[input], isGroup: false, inputs: [input]))
    }
    return result
  }

  /// Explains a row's margins.
  mutating func explain(_ row: UnsafeBufferPointer<Double>) {
    contributions.withUnsafeMutableBufferPointer {
      explainer.contributions(row, rowCount: 1, into: $0)
    }
  }

  func contribution(ofInput input: Int, toOutput output: Int) -> Double {
    contributions[output * (explainer.inputCount + 1) + input]
  }

  func bias(ofOutput output: Int) -> Double {
    contribution(ofInput: explainer.inputCount, toOutput: output)
  }

  /// The reasons that moved an output's margin most, the strongest first, with what each gave and its part
  /// of all that was given either way. Those that gave nothing are left out.
  func strongest(
    _ count: Int, ofOutput output: Int
  ) -> [(reason: Reason, contribution: Double, share: Double)] {
    let given = reasons.map { reason in
      reason.inputs.reduce(0) { $0 + contribution(ofInput: $1, toOutput: output) }
    }
    let total = given.reduce(0) { $0 + abs($1) }
    let order = given.indices.filter { given[$0] != 0 }.sorted {
      (abs(given[$1]), $0) < (abs(given[$0]), $1)
    }
    return order.prefix(count).map { (reasons[$0], given[$0], abs(given[$0]) / total) }
  }
}

extension Decider {
  /// From now on decisions are explained.
  ///
  /// - Parameter source: the model file's name, for messages.
  /// - Throws: a failure when the model cannot be explained.
  public func explainDecisions(
    _ extent: DecisionExplanation.Extent, _ definition: ModelDefinition, source: String
  ) throws(Failure) {
    explanation = try DecisionExplanation(
      definition, model, inputNames: inputNames, extent, source: source)
  }

  func appendExplanation(_ output: OutputBuffer) {
    guard let explanation else { return }
    switch explanation.extent {
    case .all: appendContributions(explanation, output)
    case .most(let count): appendStrongest(explanation, count, output)
    }
  }

  private func appendContributions(_ explanation: DecisionExplanation, _ output: OutputBuffer) {
    let outputs = 0..<model.outputCount
    output.append(",\"contributions\":{")
    for index in inputNames.indices {
      output.append(inputKeys[index])
      append(outputs.map { explanation.contribution(ofInput: index, toOutput: $0) }, to: output)
    }
    output.append("},\"bias\":")
    append(outputs.map { explanation.bias(ofOutput: $0) }, to: output)
  }

  /// Of several classes the one that is decided for is explained.
  private func appendStrongest(
    _ explanation: DecisionExplanation, _ count: Int, _ output: OutputBuffer
  ) {
    let explained = model.outputCount > 1 ? decision.label ?? 0 : 0
    output.append(",\"explanation\":{")
    if model.outputCount > 1 {
      output.append("\"class\":")
      output.append(Int64(explained))
      output.append(",")
    }
    output.append("\"bias\":")
    append([explanation.bias(ofOutput: explained)], to: output)
    output.append(",\"moved_by\":[")
    for (index, strong) in explanation.strongest(count, ofOutput: explained).enumerated() {
      output.append(index > 0 ? ",{" : "{")
      output.append(strong.reason.isGroup ? "\"reason\":" : "\"input\":")
      output.appendQuoted(strong.reason.name)
      output.append(",\"contribution\":")
      append([strong.contribution], to: output)
      output.append(",\"share\":")
      output.append(Float(strong.share))
      output.append("}")
    }
    output.append("]}")
  }
}
