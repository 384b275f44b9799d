// A queue played through request by request: Poisson arrivals, first come first served, the first worker that is free. No
// formula stands behind it, so that it can check one.

import Core

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

public enum QueueSimulation {
  /// Waiting and work of each request, in nanoseconds and in their order; the first tenth, in which the line builds up,
  /// is left out.
  ///
  /// - Parameter rate: requests a second.
  /// - Complexity: O(requests × log workers).
  public static func responses(
    of queue: QueueModel, rate: Double, requests: Int, seed: UInt64
  ) -> BatchedLatencies {
    precondition(rate > 0, "somebody asks")
    var random = SplitMix64(seed: seed)
    var responses = BatchedLatencies()
    var free = EarliestFirst(count: queue.workers)
    var now = 0.0
    let slices = queue.service.slices
    for index in 0..<requests {
      now += -log(1 - Double.random(in: 0..<1, using: &random)) / rate
      let work = slices[Int.random(in: 0..<slices.count, using: &random)]
      let end = max(now, free.earliest) + work
      free.replaceEarliest(with: end)
      if index >= requests / 10 { responses.record(UInt64(min((end - now) * 1e9, 1e18))) }
    }
    return responses
  }
}

/// When each worker is free again, as a heap: the earliest on top.
private struct EarliestFirst {
  private var times: [Double]

  init(count: Int) { times = .init(repeating: 0, count: count) }

  var earliest: Double { times[0] }

  mutating func replaceEarliest(with time: Double) {
    var place = 0
    while true {
      var child = 2 * place + 1
      guard child < times.count else { break }
      if child + 1 < times.count, times[child + 1] < times[child] { child += 1 }
      guard times[child] < time else { break }
      times[place] = times[child]
      place = child
    }
    times[place] = time
  }
}
