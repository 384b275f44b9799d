// Features that are at hand as values, for who asks the engine himself and has no record to be read.

public import Core

extension Decider {
  /// What looks features up for another decider of the same thread; nil where nothing does.
  public func onlineBeside() -> OnlineFeatures? { online?.beside() }

  /// Where the features of these names, as in `view:feature`, go; nil for those that nothing here reads.
  public func slots(ofFeatures names: [String]) -> [Int?] {
    names.map { scanner.plan.existingSlot(["features", $0]) }
  }

  /// Puts features into a features record that has been read, in place of its own.
  ///
  /// - Parameter values: texts must stay valid until the decision is made.
  public func take(features values: [Scalar], slots: [Int?]) {
    for (value, slot) in zip(values, slots) {
      if let slot { scalars[slot] = value }
    }
    takeAliases()
  }
}
