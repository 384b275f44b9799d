// Decisions as they were made at the time, each with what was logged of it: its propensity, the chance with which it, and
// no other, was chosen; its score; when it was there.

public import Core
import Events
import Measure

public final class LoggedDecisions {
  private let ids = ByteTable()
  private let names = ByteTable()
  private var decisions: [(name: Int?, propensity: Double, score: Double?, time: Timestamp?)] = []
  private let scratch = TextScratch()

  public init() {}

  public var count: Int { decisions.count }

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
    decisions.append((decision.map { names.insert($0).index }, propensity, score, time))
    return true
  }

  struct Found {
    let decision: Bytes?
    let propensity: Double
    let score: Double?
    let time: Timestamp?
  }

  func find(id: JSONRaw) -> Found? {
    key(of: id).withBytes { ids.find($0) }.map { index in
      let logged = decisions[index]
      return Found(
        decision: logged.name.map { names[$0] }, propensity: logged.propensity, score: logged.score,
        time: logged.time)
    }
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
  /// arm's, 0 where it is another; by arm and question, nil where nothing is logged.
  ///
  /// - Precondition: the subject keeps lines.
  public func weights(_ logged: LoggedDecisions) -> [[Double?]] {
    let decoder = eventDecoder
    let names = actionNames.map { Bytes(owning: $0) }
    var result = traces.map { _ in [Double?]() }
    for question in times.indices {
      lines[question].withBytes { line in
        let found = logged.find(id: decoder.decodeAccepted(line).id)
        for arm in traces.indices {
          let own = action(arm, question).map { names[$0] }
          result[arm].append(
            found.map { found in
              guard let own, let made = found.decision, own == made else { return 0 }
              return 1 / found.propensity
            })
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
