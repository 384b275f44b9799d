// What answers a request for features, wherever they are kept: an online store or the process's own state.

public import Core

public protocol FeatureReader: AnyObject {
  /// Plans how requests of one event type ask.
  ///
  /// - Returns: the plan, and by slot the members that it may read, in the order of the scalars.
  func plan(requestsOf type: Int) -> (plan: RequestPlan, paths: [[String]])

  /// Fills `values` with the plan's features as of just before `time`. Text among them is valid until the next look-up.
  ///
  /// - Parameter given: by place, what the request brings itself; nulls where it brings nothing.
  func lookUp(
    _ plan: RequestPlan, _ scalars: UnsafePointer<Scalar>, at time: Timestamp, given: [Scalar],
    into values: inout [Scalar])

  /// The values that break their guards, after a look-up.
  var broken: [(place: Int, consequence: BrokenGuard)] { get }

  /// Another reader of the same in the same thread.
  func beside() -> Self

  /// How the last look-up went.
  var outcome: OnlineOutcome { get }
}

extension OnlineReader: FeatureReader {}
