// What a feature's value may be, so that one broken sensor or one silent stream does not go unseen into a model:
//
//     late_share: { mean: "late", window: "3h", min: 0, max: 1, nulls: 0.2, default: 0, broken: "default" }
//
// A value breaks the guard if it lies outside min and max, or if it is null where `nulls` is 0. `broken` says what then
// becomes of it: "default" puts the default in its place (null, if there is none), "flag" lets it pass and names it in
// `_rt.flagged`, "reject" sends the whole row to the rejects. All are counted.
//
// A share of nulls above 0 speaks of the stream, not of a value: what a row gets must not depend on the rows before it,
// or nobody could compute it again. Nulls beyond the share (of all answers so far, once there are a hundred) are
// flagged and counted, and stay null.

import Core

/// What becomes of a value that breaks its guard.
public enum BrokenGuard: String, Sendable, CaseIterable {
  case replace = "default"
  case flag, reject
}

final class FeatureGuard: Sendable {
  let least: Double?
  let greatest: Double?
  /// The largest share of nulls.
  let nullShare: Double?
  let substitute: Scalar
  let action: BrokenGuard

  static let keys = ["min", "max", "nulls", "default", "broken"]

  /// `min` and `max` are bounds where they are numbers; where they are expressions they are aggregations.
  static func isBound(_ member: ConfigNode.Member) -> Bool {
    guard case .number = member.node.value else { return false }
    return member.key == "min" || member.key == "max"
  }

  /// Nil where the declaration has no guard.
  convenience init?(_ node: ConfigNode) throws(Failure) {
    func bound(_ key: String) throws(Failure) -> Double? {
      guard let bound = node[key], case .number = bound.value else { return nil }
      return try bound.double()
    }
    let (least, greatest) = (try bound("min"), try bound("max"))
    let nullShare = try node["nulls"]?.double()
    if let least, let greatest, least > greatest {
      throw node.failure("min \(least) is above max \(greatest)")
    }
    if let nullShare, !(0...1).contains(nullShare) {
      throw node.failure("nulls: \(nullShare) is no share between 0 and 1")
    }
    guard least != nil || greatest != nil || nullShare != nil else {
      for key in ["default", "broken"] where node[key] != nil {
        throw node.failure("'\(key)' needs min, max or nulls")
      }
      return nil
    }
    let action = try node["broken"]?.choice(BrokenGuard.self) ?? .replace
    var substitute = Scalar.null
    if let value = node["default"] {
      guard action == .replace else {
        throw value.failure("a default is for broken: \"default\"")
      }
      let number = try value.double()
      substitute = Int64(exactly: number).map(Scalar.int) ?? .double(number)
    }
    self.init(
      least: least, greatest: greatest, nullShare: nullShare, substitute: substitute,
      action: action)
  }

  private init(
    least: Double?, greatest: Double?, nullShare: Double?, substitute: Scalar, action: BrokenGuard
  ) {
    self.least = least
    self.greatest = greatest
    self.nullShare = nullShare
    self.substitute = substitute
    self.action = action
  }
}

/// How often a feature's guard was asked and broken.
public final class GuardTally {
  /// As in `view:feature`.
  public let name: String
  public let action: BrokenGuard
  private let bounds: FeatureGuard
  private var asked = 0
  private var nulls = 0
  /// Values outside min and max.
  public private(set) var outside = 0
  /// Nulls beyond their share.
  public private(set) var nullsTooMany = 0

  /// A share of fewer answers says nothing.
  private static let answersMin = 100

  init(_ name: String, _ bounds: FeatureGuard) {
    self.name = name
    self.action = bounds.action
    self.bounds = bounds
  }

  /// What is to become of the value; nil if it breaks nothing. If a default is to replace it, it does.
  func consequence(_ value: inout Scalar) -> BrokenGuard? {
    asked += 1
    if let number = value.number {
      guard number < bounds.least ?? number || number > bounds.greatest ?? number else {
        return nil
      }
      outside += 1
    } else {
      guard value.isNull else { return nil }
      nulls += 1
      guard let share = bounds.nullShare else { return nil }
      if share > 0 {
        guard asked >= GuardTally.answersMin, Double(nulls) > share * Double(asked) else {
          return nil
        }
        nullsTooMany += 1
        return .flag
      }
      nullsTooMany += 1
    }
    if action == .replace { value = bounds.substitute }
    return action
  }

  /// For people: what was broken and how often; nil if nothing was.
  public var summary: String? {
    guard outside + nullsTooMany > 0 else { return nil }
    var parts: [String] = []
    if outside > 0 {
      let least = bounds.least.map { "\($0)" } ?? "-∞"
      let greatest = bounds.greatest.map { "\($0)" } ?? "∞"
      parts.append("\(outside.grouped) values outside [\(least), \(greatest)]")
    }
    let isShare = bounds.nullShare ?? 0 > 0
    if nullsTooMany > 0, !isShare { parts.append("\(nullsTooMany.grouped) nulls") }
    let done = ["default": "replaced", "flag": "flagged", "reject": "rejected"][action.rawValue]!
    var sentences = parts.isEmpty ? [] : ["\(parts.joined(separator: ", ")) \(done)"]
    if nullsTooMany > 0, isShare {
      sentences.append(
        "\(nullsTooMany.grouped) nulls beyond a share of \(bounds.nullShare ?? 0) flagged")
    }
    return "\(name): \(sentences.joined(separator: "; "))"
  }
}
