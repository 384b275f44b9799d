// What one arm did, question by question, in the order of the questions' times.

public import Core

/// How far what an arm's model was told of one input was from what the first arm's was.
public struct InputStaleness: Sendable {
  /// Questions in which it was something else, and those among them in which only one of the two knew anything.
  public private(set) var differingCount = 0
  public private(set) var unknownCount = 0
  /// Of the absolute differences, where both knew.
  public private(set) var sum = 0.0

  /// - Parameter difference: NaN where only one knew.
  mutating func add(_ difference: Double) {
    differingCount += 1
    if difference.isNaN { unknownCount += 1 } else { sum += difference }
  }

  /// The mean absolute difference of the questions in which both knew, or neither did; nil for none.
  public func mean(of questions: Int) -> Double? {
    questions > unknownCount ? sum / Double(questions - unknownCount) : nil
  }
}

public struct ArmTrace: Sendable {
  public let arm: ReplayArm
  /// What the model gave: the largest, where it gives several.
  public internal(set) var scores: [Double] = []
  /// Index of the rule that held; -1: none.
  public internal(set) var rules: [Int32] = []
  /// By input, beside what the first arm's model was told.
  public internal(set) var inputs: [InputStaleness]
  /// Questions that could not be decided with this arm's features.
  public internal(set) var refusedCount = 0
  /// Questions that only the first arm could decide, and those that it could not and this one could: where there are many,
  /// what is compared are other questions than either arm would decide.
  public internal(set) var onlyFirstCount = 0
  public internal(set) var onlyOwnCount = 0
  /// From its features to its rules, nanoseconds, of the decisions that were timed.
  public internal(set) var took = LatencyHistogram()

  init(_ arm: ReplayArm, inputCount: Int) {
    self.arm = arm
    inputs = Array(repeating: InputStaleness(), count: inputCount)
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
