// What a version must have shown before an alias may stand for it: clauses over its metrics, in the language of
// expressions. A metric that was never measured is an error by its name, never a pass.

public import Core

public struct MetricGate: Sendable {
  /// How one clause came out.
  public struct Verdict: Sendable, Equatable {
    public let clause: String
    /// Nil where it names what was not measured, or says nothing that holds or not.
    public let holds: Bool?
    /// The metrics that the clause names, in its order, with their values.
    public let values: [(name: String, value: Double)]

    public static func == (left: Verdict, right: Verdict) -> Bool {
      left.clause == right.clause && left.holds == right.holds
        && left.values.elementsEqual(right.values) { $0 == $1 }
    }
  }

  public let text: String
  private let clauses: [String]

  /// - Parameter origin: where the text comes from, for messages.
  public init(_ text: String, origin: String) throws(Failure) {
    self.text = text
    do throws(ExpressionError) {
      clauses = try Expression.clauses(of: text)
    } catch {
      throw .usage("\(origin): \(error.description)")
    }
  }

  /// - Parameters:
  ///   - metrics: what was measured.
  ///   - subject: whose metrics these are, for messages.
  /// - Returns: a verdict on each clause, and why the first of those without an answer has none.
  public func verdicts(
    _ metrics: [String: Double], of subject: String, origin: String
  ) -> (verdicts: [Verdict], problem: Failure?) {
    let names = metrics.keys.sorted()
    let scope = Scope(names: names) { path in
      guard path.count == 1, let slot = names.firstIndex(of: path[0]) else { return nil }
      return Binding(slot: slot, type: .double)
    }
    let values = names.map { Scalar.double(metrics[$0]!) } + [.null]
    var verdicts: [Verdict] = []
    var problem: Failure?
    for clause in clauses {
      let expression: Expression
      do throws(ExpressionError) {
        expression = try Expression(clause, scope: scope, expecting: .bool)
      } catch {
        problem =
          problem
          ?? .usage(
            "\(origin): \(error.description)",
            hint: names.isEmpty
              ? "\(subject) has no metrics: rtinfer registry evaluate measures some"
              : "metrics of \(subject): \(names.joined(separator: ", "))")
        verdicts.append(Verdict(clause: clause, holds: nil, values: []))
        continue
      }
      let stack = ExpressionStack()
      let result = values.withUnsafeBufferPointer {
        expression.evaluate($0.baseAddress!, stack)
      }
      var holds = false
      if case .bool(true) = result { holds = true }
      verdicts.append(
        Verdict(
          clause: clause, holds: holds,
          values: expression.slots.map { (names[$0], metrics[names[$0]]!) }))
    }
    return (verdicts, problem)
  }
}
