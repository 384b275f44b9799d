// Many rows at once on several threads. Rows know nothing of each other, so each thread takes a run of them; threads are
// made for the call and end with it, which costs some 30 µs each and is why few rows stay on one.

public import Core

extension Model {
  /// Rows that are worth a thread of their own. Measured: half of what it takes to make one and wait for it.
  static let rowsPerThread = 1_024

  /// Threads that so many rows are given, of those that are allowed.
  public func threadsUsed(forRows rowCount: Int, of threads: Int) -> Int {
    max(1, min(threads, rowCount / Model.rowsPerThread))
  }

  /// The margins of `rowCount` rows, as `margins(_:rowCount:into:)` gives them, by up to `threads` threads.
  ///
  /// - Throws: where the system gives no thread.
  /// - Complexity: O(rows × trees × depth / threads).
  public func margins(
    _ rows: UnsafeBufferPointer<Double>, rowCount: Int,
    into margins: UnsafeMutableBufferPointer<Double>, threads: Int
  ) throws(Failure) {
    let threads = threadsUsed(forRows: rowCount, of: threads)
    guard threads > 1 else { return self.margins(rows, rowCount: rowCount, into: margins) }
    // Whole blocks, since the rest of a block costs as much as all of it.
    let blocks = (rowCount + Binning.blockRows - 1) / Binning.blockRows
    func judge(_ thread: Int) {
      let first = blocks * thread / threads * Binning.blockRows
      let end = min(rowCount, blocks * (thread + 1) / threads * Binning.blockRows)
      self.margins(
        UnsafeBufferPointer(rebasing: rows[first * inputCount..<end * inputCount]),
        rowCount: end - first,
        into: UnsafeMutableBufferPointer(
          rebasing: margins[first * outputCount..<end * outputCount]))
    }
    try withoutActuallyEscaping(judge) { (judge) throws(Failure) in
      var workers: [WorkerThread] = []
      // All of them borrow the rows, so none may outlive the call, a failure included.
      defer { for worker in workers { worker.join() } }
      for thread in 1..<threads { workers.append(try WorkerThread { judge(thread) }) }
      judge(0)
    }
  }
}
