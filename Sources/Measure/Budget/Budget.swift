// What a decision may cost in time, layer by layer. The promise is checked when the project is loaded: the
// layers' shares and the buffer must fit into the total, or no run could ever keep it.

public import Core

/// The stretches of work a decision's time is spent in; the same names everywhere.
public enum Layer: String, Sendable, CaseIterable {
  /// Reading and checking what asks for the decision.
  case request
  /// Looking up and computing what the model is told.
  case features
  /// The model.
  case inference
  /// Labels and rules.
  case postprocess
  /// Writing the answer.
  case response
}

public struct Budget: Sendable {
  public let name: String
  /// The percentile that every bound is meant at, as in 99.
  public let percentile: Double
  public let total: TimeSpan
  public let layers: [Layer: TimeSpan]
  public let buffer: TimeSpan
  /// Share of requests that may fail.
  public let errors: Double?
  /// Share of requests that must not.
  public let availability: Double?

  /// One member of the project file's `budgets`.
  public init(_ member: ConfigNode.Member) throws(Failure) {
    let node = member.node
    try node.allow(["total", "layers", "buffer", "errors", "availability"])
    let totalNode = try node.required("total")
    let bounds = try totalNode.members()
    guard bounds.count == 1, bounds[0].key.first == "p",
      let percentile = Double(bounds[0].key.dropFirst()), percentile > 0, percentile < 100
    else { throw totalNode.failure("names one percentile, as in { p99: \"50ms\" }") }
    let total = try bounds[0].node.span(atLeast: TimeSpan(microseconds: 1))
    var layers: [Layer: TimeSpan] = [:]
    if let layersNode = node["layers"] {
      try layersNode.allow(Layer.allCases.map(\.rawValue))
      for layer in try layersNode.members() {
        layers[Layer(rawValue: layer.key)!] = try layer.node.span()
      }
    }
    let buffer = try node["buffer"]?.span() ?? .zero
    let spent = layers.values.reduce(buffer.microseconds) { $0 + $1.microseconds }
    guard spent <= total.microseconds else {
      let text = TimeSpan(microseconds: spent).description
      throw node.failure(
        "the layers and the buffer add up to \(text), more than the total \(total.description)")
    }
    self.name = member.key
    self.percentile = percentile
    self.total = total
    self.layers = layers
    self.buffer = buffer
    self.errors = try Budget.share(node["errors"])
    self.availability = try Budget.share(node["availability"])
  }

  private static func share(_ node: ConfigNode?) throws(Failure) -> Double? {
    guard let node else { return nil }
    guard let share = Clause.share(try node.string()) else {
      throw node.failure("is a share, as in \"0.1%\"")
    }
    return share
  }
}
