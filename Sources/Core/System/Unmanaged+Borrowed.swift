// A call on an object that somebody else keeps alive, without counting a reference for the time of the call. Where a call
// takes some ten nanoseconds and is made for every record, counting takes as long.

extension Unmanaged {
  /// The standard library's `_withUnsafeGuaranteedRef`, whose closures may say what they throw.
  ///
  /// - Precondition: another reference keeps the object alive until `body` returns.
  @inlinable
  @inline(__always)
  public func borrowed<Answer, Problem: Error>(
    _ body: (Instance) throws(Problem) -> Answer
  ) throws(Problem) -> Answer {
    let answer = _withUnsafeGuaranteedRef { instance -> Result<Answer, Problem> in
      do throws(Problem) {
        return .success(try body(instance))
      } catch {
        return .failure(error)
      }
    }
    return try answer.get()
  }
}
