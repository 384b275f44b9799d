// How a registered model is named, as MLflow names it: `models:/name@alias` is whatever the alias stands for
// now, `models:/name/3` is that version for good, `models:/name@latest` the newest.

public import Core

public struct ModelURI: Sendable, Equatable, CustomStringConvertible {
  public enum Reference: Sendable, Equatable {
    case version(Int)
    case alias(String)
  }

  public let model: String
  public let reference: Reference

  public init(model: String, _ reference: Reference) {
    self.model = model
    self.reference = reference
  }

  private static let prefix = "models:/"

  /// Whether a text means a registered model and not a file.
  public static func isURI(_ text: String) -> Bool { text.hasPrefix("models:") }

  /// - Throws: a usage failure that says how such a name is written.
  public init(_ text: String) throws(Failure) {
    guard text.hasPrefix(ModelURI.prefix) else { throw ModelURI.malformed(text) }
    let rest = text.dropFirst(ModelURI.prefix.count)
    let parts = rest.split(separator: "@", omittingEmptySubsequences: false)
    if parts.count == 2 {
      let alias = String(parts[1])
      guard alias == RegistryFolder.newest || RegistryFolder.isName(alias) else {
        throw ModelURI.malformed(text)
      }
      self.init(model: String(parts[0]), .alias(alias))
    } else {
      let parts = rest.split(separator: "/", omittingEmptySubsequences: false)
      guard parts.count == 2 else { throw ModelURI.malformed(text) }
      guard let number = Int(parts[1]), number > 0 else {
        throw ModelURI.malformed(
          text, hint: "stages are aliases here: models:/\(parts[0])@\(parts[1].lowercased())")
      }
      self.init(model: String(parts[0]), .version(number))
    }
    guard RegistryFolder.isName(model) else { throw ModelURI.malformed(text) }
  }

  private static func malformed(_ text: String, hint: String? = nil) -> Failure {
    .usage(
      "'\(text)' is not the name of a registered model",
      hint: hint ?? "as in models:/late_arrival@production or models:/late_arrival/3")
  }

  public var description: String {
    switch reference {
    case .version(let number): "\(ModelURI.prefix)\(model)/\(number)"
    case .alias(let alias): "\(ModelURI.prefix)\(model)@\(alias)"
    }
  }
}
