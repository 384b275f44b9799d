// Windows from the project file: none, or one of
//
//     window: "1h"                        sliding; every: "5m" is its hop, every: "exact" is none
//     tumbling: "1h"
//     cumulative: "1d", every: "1h"       every is the step; none: up to the question
//     session: "30m"

import Core

extension Window {
  static let keys = ["window", "tumbling", "cumulative", "session", "every"]

  /// Reads the window of a feature's declaration.
  init(_ node: ConfigNode) throws(Failure) {
    var kinds: [String] = []
    for key in ["window", "tumbling", "cumulative", "session"] where node[key] != nil {
      kinds.append(key)
    }
    guard kinds.count <= 1 else {
      throw node.failure("has several windows: \(kinds.joined(separator: ", "))")
    }
    let shortest = TimeSpan(microseconds: 1)
    guard let kind = kinds.first, let span = try node[kind]?.span(atLeast: shortest) else {
      if let every = node["every"] {
        throw every.failure("'every' is the hop of a window, and there is none")
      }
      self = .unbounded
      return
    }
    switch kind {
    case "window": self = .sliding(span, hop: try Window.hop(node, span))
    case "cumulative": self = .cumulative(span, step: try Window.step(node, span))
    default:
      if let every = node["every"] {
        throw every.failure("a \(kind) window has no hop")
      }
      self = kind == "tumbling" ? .tumbling(span) : .session(gap: span)
    }
  }

  private static func hop(_ node: ConfigNode, _ span: TimeSpan) throws(Failure) -> TimeSpan? {
    guard let every = node["every"] else { return Window.defaultHop(span) }
    if try every.string() == "exact" { return nil }
    let hop = try every.span(atLeast: TimeSpan(microseconds: 1))
    guard hop <= span else {
      throw every.failure("\(hop.description) is longer than the window \(span.description)")
    }
    return hop
  }

  private static func step(_ node: ConfigNode, _ span: TimeSpan) throws(Failure) -> TimeSpan? {
    guard let every = node["every"] else { return nil }
    if try every.string() == "exact" { return nil }
    let step = try every.span(atLeast: TimeSpan(microseconds: 1))
    guard span.microseconds % step.microseconds == 0 else {
      throw every.failure(
        "\(span.description) is no multiple of the step \(step.description)")
    }
    return step
  }
}
