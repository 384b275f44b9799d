// Decisions as they were made at the time, each with what was logged of it: its propensity, the chance with which it, and
// no other, was chosen; its score; when it was there.

public import Core
import Events
import Measure

public final class LoggedDecisions {
  private let ids = ByteTable()
  private let names = ByteTable()
  private struct Logged {
    let name: Int?
    let propensity: Double
    let score: Double?
    let time: Timestamp?
    var isTaken = false
  }

  private var decisions: [Logged] = []
  private let scratch = TextScratch()

  public init() {}

  public var count: Int { decisions.count }
  /// Those that no question has taken.
  public private(set) var untakenCount = 0
  /// Questions whose decision another with the same id had taken.
  public private(set) var repeatedCount = 0

  /// - Parameters:
  ///   - id: of the question; a text or a number.
  ///   - decision: nil: no rule held.
  ///   - propensity: above 0 and up to 1.
  ///   - time: when it was there; nil: at once.
  /// - Returns: false, and nothing is taken, where the id is known already.
  public func add(
    id: JSONRaw, decision: Bytes?, propensity: Double = 1, score: Double? = nil,
    at time: Timestamp? = nil
  ) -> Bool {
    precondition(propensity > 0 && propensity <= 1, "a chance of what has happened")
    guard key(of: id).withBytes({ ids.insert($0).isNew }) else { return false }
    decisions.append(
      Logged(
        name: decision.map { names.insert($0).index }, propensity: propensity, score: score,
        time: time))
    untakenCount += 1
    return true
  }

  struct Found {
    let decision: Bytes?
    let propensity: Double
    let score: Double?
    let time: Timestamp?
  }

  /// What a question finds by its id.
  enum Taken {
    case decision(Found)
    /// One decision was made, and an earlier question has it.
    case alreadyTaken
    case unlogged
  }

  /// Gives the decision to the question, and to no other after it.
  func take(id: JSONRaw) -> Taken {
    guard let index = key(of: id).withBytes({ ids.find($0) }) else { return .unlogged }
    guard !decisions[index].isTaken else {
      repeatedCount += 1
      return .alreadyTaken
    }
    decisions[index].isTaken = true
    untakenCount -= 1
    let logged = decisions[index]
    return .decision(
      Found(
        decision: logged.name.map { names[$0] }, propensity: logged.propensity, score: logged.score,
        time: logged.time))
  }

  /// A text without its escapes, which writers choose as they like, and never the same as a number.
  private func key(of id: JSONRaw) -> [UInt8] {
    guard id.kind == .string else { return id.bytes.copy() }
    defer { scratch.reset() }
    let text = id.escaped ? scratch.unescape(id.bytes) : id.bytes
    return [UInt8(ascii: "\"")] + text.copy()
  }
}

extension HistoryReplay {
  /// What each question stands for when an arm is valued by logged decisions: 1 / propensity where the logged one is the
  /// arm's, 0 where it is another; by arm and question, nil where nothing is logged, or an earlier question took it.
  ///
  /// - Precondition: the subject keeps lines, and nobody has taken any of the decisions.
  public func weights(_ logged: LoggedDecisions) -> [[Double?]] {
    let decoder = eventDecoder
    let names = actionNames.map { Bytes(owning: $0) }
    var result = traces.map { _ in [Double?]() }
    for question in times.indices {
      lines[question].withBytes { line in
        let taken = logged.take(id: decoder.decodeAccepted(line).id)
        for arm in traces.indices {
          guard case .decision(let found) = taken else {
            result[arm].append(nil)
            continue
          }
          let own = action(arm, question).map { names[$0] }
          let isOwn = own.map { own in found.decision.map { $0 == own } ?? false } ?? false
          result[arm].append(isOwn ? 1 / found.propensity : 0)
        }
      }
    }
    return result
  }
}

extension HistoryReplay {
  /// What IPW counts of each question.
  static func weighted(_ worth: [[Double?]], by weights: [[Double?]]) -> [[Double?]] {
    zip(worth, weights).map { worth, weights in
      zip(worth, weights).map { worth, weight in
        guard let worth, let weight else { return nil }
        return weight > 0 ? weight * worth : 0
      }
    }
  }

  /// The worth of questions whose logged decision is the arm's; nil for all others.
  public static func matching(_ worth: [[Double?]], _ weights: [[Double?]]) -> [[Double?]] {
    zip(worth, weights).map { worth, weights in
      zip(worth, weights).map { worth, weight in (weight ?? 0) > 0 ? worth : nil }
    }
  }

  /// By arm.
  ///
  /// - Parameter known: questions whose worth is known in every arm.
  func loggedValues(
    _ worth: [[Double?]], _ weights: [[Double?]], _ known: [Int], _ bootstrap: ClusterBootstrap
  ) -> [LoggedValue] {
    let compared = known.filter { weights[0][$0] != nil }
    let values = traces.indices.map { arm in
      OffPolicyValue(
        weights: compared.map { weights[arm][$0]! }, rewards: compared.map { worth[arm][$0]! },
        clusters: compared.map { clusters[$0] }, bootstrap: bootstrap)
    }
    return values.indices.map { arm in
      LoggedValue(
        own: values[arm],
        gain: arm == 0 ? nil : values[0].gain(over: values[arm], bootstrap: bootstrap))
    }
  }
}
