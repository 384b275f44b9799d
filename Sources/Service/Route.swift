// Which path leads where.

import Core
import HTTP

struct Route {
  /// For the metrics: a path with a model's name in it would be a name for each.
  enum Kind: Int, CaseIterable {
    case page, live, ready, metrics, decide, features, events
    case v1Models, v1Model, v1Predict
    case v2Server, v2Live, v2Ready, v2Model, v2ModelReady, v2Infer, v2Stats
    case v2Index, v2Load, v2Unload
    case ping, version, invocations
    case none

    /// As the metrics name it.
    var path: String {
      switch self {
      case .page: "/"
      case .live: "/livez"
      case .ready: "/readyz"
      case .metrics: "/metrics"
      case .decide: "/decide/{model}"
      case .features: "/features/{model}"
      case .events: "/events"
      case .v1Models: "/v1/models"
      case .v1Model: "/v1/models/{model}"
      case .v1Predict: "/v1/models/{model}:predict"
      case .v2Server: "/v2"
      case .v2Live: "/v2/health/live"
      case .v2Ready: "/v2/health/ready"
      case .v2Model: "/v2/models/{model}"
      case .v2ModelReady: "/v2/models/{model}/ready"
      case .v2Infer: "/v2/models/{model}/infer"
      case .v2Stats: "/v2/models/{model}/stats"
      case .v2Index: "/v2/repository/index"
      case .v2Load: "/v2/repository/models/{model}/load"
      case .v2Unload: "/v2/repository/models/{model}/unload"
      case .ping: "/ping"
      case .version: "/version"
      case .invocations: "/invocations"
      case .none: "none"
      }
    }

    var takesPost: Bool {
      switch self {
      case .decide, .features, .events, .v1Predict, .v2Infer, .v2Index, .v2Load, .v2Unload,
        .invocations:
        true
      default: false
      }
    }

    /// Asked by machines, again and again.
    var isUnlogged: Bool { isProbe || self == .metrics }

    /// Open to whoever asks whether the process lives, without a token.
    var isProbe: Bool {
      switch self {
      case .live, .ready, .v2Live, .v2Ready, .ping: true
      default: false
      }
    }
  }

  let kind: Kind
  /// As it stands in the path; empty where none is named.
  var model = Bytes.empty
  var version = Bytes.empty

  /// - Parameter path: as sent, without the query.
  init(_ path: Bytes) {
    if let model = path.behind("/decide/"), !model.isEmpty, !model.hasSlash {
      self.init(kind: .decide, model: model)
    } else if let model = path.behind("/features/"), !model.isEmpty, !model.hasSlash {
      self.init(kind: .features, model: model)
    } else if let rest = path.behind("/v2") {
      self.init(v2: rest)
    } else if let rest = path.behind("/v1/models") {
      self.init(v1: rest)
    } else {
      self.init(kind: Route.fixed(path))
    }
  }

  private init(kind: Kind, model: Bytes = .empty, version: Bytes = .empty) {
    self.kind = kind
    self.model = model
    self.version = version
  }

  private static func fixed(_ path: Bytes) -> Kind {
    if path == "/" { return .page }
    if path == "/livez" { return .live }
    if path == "/readyz" { return .ready }
    if path == "/events" { return .events }
    if path == "/metrics" { return .metrics }
    if path == "/invocations" { return .invocations }
    if path == "/ping" || path == "/health" { return .ping }
    if path == "/version" { return .version }
    return .none
  }

  /// `/v1/models`, `/v1/models/{model}`, `…/versions/{version}`, each with `:predict`.
  private init(v1 rest: Bytes) {
    guard let named = rest.behind("/") else {
      self.init(kind: rest.isEmpty ? .v1Models : .none)
      return
    }
    var place = named
    var kind = Kind.v1Model
    if named.ends(with: Bytes(":predict")) {
      place = named[0..<named.count - 8]
      kind = .v1Predict
    }
    let (model, behind) = place.split(at: UInt8(ascii: "/"))
    let version = behind.isEmpty ? Bytes.empty : behind.behind("versions/") ?? behind
    guard !model.isEmpty, behind.isEmpty || behind.behind("versions/") != nil else {
      self.init(kind: .none)
      return
    }
    self.init(kind: kind, model: model, version: version)
  }

  private init(v2 rest: Bytes) {
    if rest.isEmpty || rest == "/" {
      self.init(kind: .v2Server)
    } else if rest == "/health/live" {
      self.init(kind: .v2Live)
    } else if rest == "/health/ready" {
      self.init(kind: .v2Ready)
    } else if rest == "/repository/index" {
      self.init(kind: .v2Index)
    } else if let named = rest.behind("/repository/models/") {
      self.init(repositoryModel: named)
    } else if rest == "/models/stats" {
      self.init(kind: .v2Stats)
    } else if let named = rest.behind("/models/") {
      self.init(v2Model: named)
    } else {
      self.init(kind: .none)
    }
  }

  /// `{model}/load`, `{model}/unload`.
  private init(repositoryModel named: Bytes) {
    let (model, action) = named.split(at: UInt8(ascii: "/"))
    let kind: Kind = action == "load" ? .v2Load : action == "unload" ? .v2Unload : .none
    self.init(kind: model.isEmpty ? .none : kind, model: model)
  }

  /// `{model}`, `{model}/versions/{version}`, each with `/ready`, `/infer`, `/stats`.
  private init(v2Model named: Bytes) {
    let (model, behind) = named.split(at: UInt8(ascii: "/"))
    var action = behind
    var version = Bytes.empty
    if let versioned = behind.behind("versions/") {
      (version, action) = versioned.split(at: UInt8(ascii: "/"))
    }
    let kind: Kind =
      if action.isEmpty {
        .v2Model
      } else if action == "ready" {
        .v2ModelReady
      } else if action == "infer" {
        .v2Infer
      } else if action == "stats" {
        .v2Stats
      } else {
        .none
      }
    self.init(kind: model.isEmpty ? .none : kind, model: model, version: version)
  }
}

extension Bytes {
  /// What follows the prefix; nil where it does not begin so.
  func behind(_ prefix: StaticString) -> Bytes? {
    let prefix = Bytes(prefix)
    return starts(with: prefix) ? self[prefix.count..<count] : nil
  }

  var hasSlash: Bool { buffer.contains(UInt8(ascii: "/")) }

  /// What stands before the first such byte, and what behind it.
  func split(at byte: UInt8) -> (Bytes, Bytes) {
    guard let index = buffer.firstIndex(of: byte) else { return (self, .empty) }
    return (self[0..<index], self[index + 1..<count])
  }

  /// With percent escapes resolved; nil where one is no escape.
  var percentDecoded: String? {
    guard buffer.contains(UInt8(ascii: "%")) else { return string }
    var decoded: [UInt8] = []
    var index = 0
    while index < count {
      guard self[index] == UInt8(ascii: "%") else {
        decoded.append(self[index])
        index += 1
        continue
      }
      guard index + 2 < count, let value = UInt8(self[index + 1..<index + 3].string, radix: 16)
      else { return nil }
      decoded.append(value)
      index += 3
    }
    return String(validating: decoded, as: UTF8.self)
  }
}
