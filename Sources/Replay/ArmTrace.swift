// What one arm did, question by question, in the order of the questions' times.

public import Core

public struct ArmTrace: Sendable {
  public let arm: ReplayArm
  /// What the model gave: the largest, where it gives several.
  public internal(set) var scores: [Double] = []
  /// Index of the rule that held; -1: none.
  public internal(set) var rules: [Int32] = []
  /// By input: in how many questions the model was told something else than in the first arm.
  public internal(set) var staleInputs: [Int]
  /// Questions that could not be decided with this arm's features.
  public internal(set) var refusedCount = 0
  /// From its features to its rules, nanoseconds, of the decisions that were timed.
  public internal(set) var took = LatencyHistogram()

  init(_ arm: ReplayArm, inputCount: Int) {
    self.arm = arm
    staleInputs = Array(repeating: 0, count: inputCount)
  }

  /// How old the features were when a question had its decision.
  public func age(at time: Timestamp) -> TimeSpan {
    TimeSpan(microseconds: arm.decided(time).microseconds - arm.asOf(time).microseconds)
  }

  /// From a question to its decision.
  public func delay(at time: Timestamp) -> TimeSpan {
    TimeSpan(microseconds: arm.decided(time).microseconds - time.microseconds)
  }
}
