// How several models become one:
//
//     mean    Σ weight × member / Σ weight, of the members' scores or of their margins
//     stack   a model of its own on top, whose inputs are the members' scores

/// A model with the name that its file has in the project.
public struct EnsembleMember: Sendable {
  public let name: String
  public let model: Model

  public init(name: String, model: Model) {
    self.name = name
    self.model = model
  }

  /// What a stacking model calls the member's score: `models/a.json` is `a`, and so is `models:/a/3`.
  var inputName: String {
    if let uri = try? ModelURI(name) { return uri.model }
    let file = name.split(separator: "/").last ?? ""
    guard let dot = file.lastIndex(of: "."), dot != file.startIndex else { return String(file) }
    return String(file[..<dot])
  }

  /// What a stacking model calls each of the member's scores: of several `a_0`, `a_1`, ….
  var inputNames: [String] {
    model.scoreCount == 1 ? [inputName] : (0..<model.scoreCount).map { "\(inputName)_\($0)" }
  }
}

public enum Combination: Sendable {
  /// What is combined: what each library's own `predict` gives, or what it is before the
  /// objective's transform.
  public enum Space: String, Sendable, CaseIterable { case score, margin }

  /// - weights: one for each member, finite, none negative, not all zero.
  case mean(weights: [Double], on: Space)
  case stack(EnsembleMember)
}

/// Why models cannot be combined, and which of them is to blame.
public struct EnsembleMismatch: Error, Sendable, Equatable {
  public enum Place: Sendable, Equatable {
    case member(Int)
    case stack
  }

  public let place: Place
  public let message: String
  public let hint: String?

  init(_ place: Place, _ message: String, hint: String? = nil) {
    self.place = place
    self.message = message
    self.hint = hint
  }
}
