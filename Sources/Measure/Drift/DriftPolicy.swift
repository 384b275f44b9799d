// When to act, as the project declares it:
//
//     drift: { retrain: { model: "late", if: "worst_psi > 0.25 && drifted >= 2", cooldown: "7d", least: 1000 } }
//
// The signals are taken from verdicts: those of `drift check` and `drift outcomes`, and the value of any other verdict whose clause is a plain
// word, by that word. A signal that nothing measured is null, and what depends on it cannot be said: it is never a no.

public import Core

public struct DriftPolicy: Sendable {
  public let name: String
  /// The project's model that it is about, which the alert names; nil where it does not say.
  public let model: String?
  public let condition: Expression
  public let cooldown: TimeSpan
  /// Records that the verdicts must be of: one at least, as no data calls for nothing.
  public let least: Int64
  /// The signals that the condition names, by slot.
  public let signals: [String]

  /// One member of the project file's `drift`.
  ///
  /// - Parameter models: those that are declared.
  public init(_ member: ConfigNode.Member, models: [String]) throws(Failure) {
    let node = member.node
    try node.allow(["model", "if", "cooldown", "least"])
    name = member.key
    model = try DriftPolicy.model(node["model"], among: models)
    cooldown = try node["cooldown"]?.span() ?? .zero
    least = Int64(max(1, try node["least"]?.integer(in: 0...Int.max) ?? 1))
    let names = SignalNames()
    let clause = try node.required("if")
    let text = try clause.string()
    do throws(ExpressionError) {
      condition = try Expression(
        text, scope: Scope(names: DriftSignals.known, resolve: names.binding),
        expecting: .bool)
    } catch {
      throw clause.failure(error.description)
    }
    signals = names.names
  }

  private static func model(
    _ node: ConfigNode?, among models: [String]
  ) throws(Failure) -> String? {
    guard let node else { return nil }
    let name = try node.string()
    guard models.contains(name) else {
      throw node.failure(
        "no model '\(name)' is declared",
        hint: Spelling.nearest(name, among: models).map { "did you mean '\($0)'?" })
    }
    return name
  }

  /// Nil where a signal is not there that the answer depends on.
  public func holds(_ values: [String: Double]) -> Bool? {
    var scalars = signals.map { values[$0].map(Scalar.double) ?? .null }
    scalars.append(.null)
    guard case .bool(let answer) = condition.evaluate(scalars, ExpressionStack()) else {
      return nil
    }
    return answer
  }

  /// Any plain word is a signal, as any verdict may give it.
  private final class SignalNames {
    var names: [String] = []

    func binding(_ path: [String]) -> Binding? {
      guard path.count == 1 else { return nil }
      let slot = names.firstIndex(of: path[0]) ?? names.count
      if slot == names.count { names.append(path[0]) }
      return Binding(slot: slot, type: .double)
    }
  }
}

/// What verdicts say, as numbers by name.
public struct DriftSignals {
  static let known =
    [
      "worst_psi", "worst_js", "worst_ks", "worst_value", "drifted", "watched", "columns",
      "drift_share", "missing_growth", "n", "reference_n",
    ] + outcomes
  /// What `drift outcomes` says of the newest cohort that it judged.
  private static let outcomes =
    OutcomeMeasure.allCases.map(\.changeName) + ["coverage", "new_labels"]
  public private(set) var values: [String: Double] = [:]
  private let scanner: RecordScanner
  private let slots: [String: Int]
  public private(set) var verdicts = 0

  public init() {
    var plan = FieldPlan()
    var slots: [String: Int] = [:]
    for name in [
      "kind", "clause", "column", "value", "psi", "js", "ks", "missing", "reference_missing",
      "drifted", "watched", "columns", "n", "reference_n",
    ] + DriftSignals.outcomes { slots[name] = plan.slot([name]) }
    self.slots = slots
    scanner = RecordScanner(plan)
  }

  public mutating func add(_ line: Bytes, padding: Int) throws(BadRecord) {
    do throws(JSONError) {
      try scanner.scan(line, padding: padding)
    } catch {
      throw BadRecord(error.description)
    }
    guard text("kind") == "verdict", let clause = text("clause") else {
      throw BadRecord("no verdict; drift check and drift outcomes print them")
    }
    verdicts += 1
    if text("column") != nil {
      for name in ["psi", "js", "ks", "value"] { raise("worst_\(name)", number(name)) }
      if let now = number("missing"), let before = number("reference_missing") {
        raise("missing_growth", now - before)
      }
    } else if clause == "drift" {
      for name in ["drifted", "watched", "columns", "n", "reference_n"] {
        values[name] = number(name)
      }
      if let columns = values["columns"], columns > 0 {
        values["drift_share"] = (values["drifted"] ?? 0) / columns
      }
    } else if clause == "outcomes" {
      for name in DriftSignals.outcomes { values[name] = number(name) }
      // Where columns were compared, too, their records are what a policy's least is about.
      values["n"] = values["n"] ?? number("n")
    } else {
      values[clause] = number("value")
    }
  }

  private mutating func raise(_ name: String, _ value: Double?) {
    guard let value else { return }
    values[name] = max(values[name] ?? value, value)
  }

  private func text(_ name: String) -> String? {
    let slot = slots[name]!
    return scanner.raw(slot).kind == .string ? scanner.text(slot).string : nil
  }

  private func number(_ name: String) -> Double? {
    let scalar = scanner.scalar(slots[name]!)
    if case .bool = scalar { return nil }
    return scalar?.number
  }
}
