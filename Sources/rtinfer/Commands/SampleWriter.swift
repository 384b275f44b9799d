// Samples on their way to stdout. The thread that sends requests must not wait for the reader of a pipe, so it only
// puts samples into a list; a thread of its own makes them into lines and writes those. A reader that does not keep up
// at all is waited for in the end, and the send lag then says that the run was not valid.

import Core
import Measure
import Synchronization

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

final class SampleWriter: Sendable {
  private struct State: Sendable {
    var samples: [LoadSample] = []
    var isClosed = false
    var failure: Failure?
  }

  private let state = Mutex(State())
  /// About 150 MB.
  private static let waitingMax = 1 << 20

  func add(_ sample: LoadSample) {
    while true {
      let isTaken = state.withLock { state in
        guard state.samples.count < SampleWriter.waitingMax || state.failure != nil else {
          return false
        }
        if state.failure == nil { state.samples.append(sample) }
        return true
      }
      if isTaken { return }
      usleep(1_000)
    }
  }

  func close() { state.withLock { $0.isClosed = true } }

  /// What the writing came to; nil while all is well.
  var failure: Failure? { state.withLock { $0.failure } }

  /// Writes what comes until it is closed.
  func run(into output: OutputBuffer, epoch: Timestamp, paths: [String]?) {
    var taken: [LoadSample] = []
    while true {
      let isClosed = state.withLock { state in
        swap(&taken, &state.samples)
        return state.isClosed
      }
      do throws(Failure) {
        for sample in taken {
          sample.append(to: output, epoch: epoch, path: paths?[sample.path])
          if output.pending.count >= Limits.writeBytes { try output.flush() }
        }
        try output.flush()
      } catch {
        state.withLock { $0.failure = error }
        return
      }
      if isClosed, taken.isEmpty { return }
      if taken.isEmpty { usleep(2_000) }
      taken.removeAll(keepingCapacity: true)
    }
  }
}
