// What turned out, and what each arm's decisions were worth by it.

public import Core
import Events
import Features

extension HistoryReplay {
  /// Whether the events reach beyond the moment at which a question's outcome is known for good.
  public func hasMatured(_ question: Int) -> Bool {
    collector?.hasMatured(collected[question]) ?? false
  }

  /// Null where there is none. Text is valid as long as this object.
  public func outcome(_ question: Int) -> Scalar { collector?.value(collected[question]) ?? .null }

  /// Whether an arm that waits for its run, or takes its time to answer, had its decision no earlier than the outcome, which is then none.
  public func isTooLate(_ arm: Int, _ question: Int) -> Bool {
    guard traces[arm].arm.waits, let known = collector?.time(collected[question]) else {
      return false
    }
    return known <= traces[arm].arm.decided(times[question])
  }

  /// What an arm did, as a number among `actionNames`; nil: no rule held, or it came too late.
  func action(_ arm: Int, _ question: Int) -> Int? {
    let rule = Int(traces[arm].rules[question])
    return rule < 0 || isTooLate(arm, question) ? nil : actions[traces[arm].arm.model][rule]
  }

  /// What an arm did; nil: no rule held, or it came too late.
  public func decision(_ arm: Int, _ question: Int) -> String? {
    action(arm, question).map { actionNames[$0] }
  }

  /// What the last rule decides is done where nothing is to be done.
  func guessesTrue(_ arm: Int, _ question: Int) -> Bool {
    action(arm, question).map { $0 != actions[traces[arm].arm.model].last } ?? false
  }

  /// Whether an arm guessed the outcome, in time.
  func isRight(_ arm: Int, _ question: Int, _ outcome: Bool) -> Bool {
    guessesTrue(arm, question) == outcome && !isTooLate(arm, question)
  }

  /// What each decision was worth where nobody has said it: 1 for a right guess of the outcome, 0 for a wrong one, or
  /// one that comes too late.
  public func rightGuesses() -> [[Double?]] {
    traces.indices.map { arm in
      times.indices.map { question in
        guard case .bool(let outcome) = outcome(question) else { return nil }
        return isRight(arm, question, outcome) ? 1 : 0
      }
    }
  }

  /// What each question's decision was worth, by arm; nil where that is not known.
  ///
  /// - Precondition: the subject keeps lines, if the values read members.
  public func values(_ declared: DecisionValues) -> [[Double?]] {
    let decoder = eventDecoder
    let names = actionNames.map { Bytes(owning: $0) }
    var result = traces.map { _ in [Double?]() }
    for question in times.indices {
      let outcome = outcome(question)
      if declared.readsMembers {
        lines[question].withBytes { _ = decoder.decodeAccepted($0) }
      }
      for (arm, trace) in traces.enumerated() {
        result[arm].append(
          outcome.isNull
            ? nil
            : declared.value(
              decision: action(arm, question).map { names[$0] }, outcome: outcome,
              score: trace.scores[question], delay: trace.delay(at: times[question]),
              members: decoder.scalars))
      }
    }
    return result
  }
}
