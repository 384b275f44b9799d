// Which ids were seen within a stretch of event time. Two generations of ids, each a stretch and a lateness
// long: when the newer is full it becomes the older and the oldest is forgotten at once, so memory is
// bounded and forgetting costs nothing per id. Each id keeps its time, so the answer is exact: a repeat
// counts if it lies within the stretch, also when events come out of order within the lateness. Ids beyond the bound of
// their memory lie in files.

public import Core

public final class Deduplicator {
  private final class Generation {
    let ids: IdTable
    /// Further times of ids that came again after a stretch, or out of order, while still remembered.
    var moreTimes: [IdTable.Place: [Timestamp]] = [:]

    init(expecting count: Int = 0, in memory: SpillMemory) {
      ids = IdTable(expecting: count, in: memory)
    }
  }

  private let stretch: TimeSpan
  private let generationLength: TimeSpan
  private let memory: SpillMemory
  private var newer: Generation
  private var older: Generation
  private var newerSince: Timestamp?

  /// - Parameters:
  ///   - stretch: for how long an id is remembered, in event time.
  ///   - lateness: how far event times may go back.
  ///   - memory: where ids lie; others may share it.
  public init(stretch: TimeSpan, lateness: TimeSpan, memory: SpillMemory = SpillMemory()) {
    self.stretch = stretch
    self.memory = memory
    newer = Generation(in: memory)
    older = Generation(in: memory)
    self.generationLength = TimeSpan(microseconds: stretch.microseconds + lateness.microseconds)
  }

  /// True if the id was seen at a time less than the stretch away; otherwise it is remembered.
  ///
  /// - Complexity: O(length of the id).
  public func isRepeat(_ id: Bytes, at time: Timestamp) -> Bool {
    rotate(at: time)
    let hash = ByteTable.hash(id)
    // Neither goes before it has answered.
    return Unmanaged.passUnretained(newer).borrowed { newer in
      let known = newer.ids.find(id, hash)
      if let known, isNear(newer, known, time) { return true }
      if isInOlder(id, hash, time) { return true }
      if let known {
        newer.moreTimes[known, default: []].append(time)
      } else {
        newer.ids.insert(id, hash, at: time)
      }
      return false
    }
  }

  /// Ids that are remembered.
  var count: Int { newer.ids.count + older.ids.count }

  /// Fetches what will be asked first about ids of these hashes. The value says nothing; it is there so that no read is
  /// left out.
  func touch(_ hashes: Slice<UnsafeMutableBufferPointer<UInt64>>) -> UInt64 {
    newer.ids.touch(hashes) ^ older.ids.touch(hashes)
  }

  private func isInOlder(_ id: Bytes, _ hash: UInt64, _ time: Timestamp) -> Bool {
    Unmanaged.passUnretained(older).borrowed { older in
      older.ids.count > 0 && contains(older, id, hash, time)
    }
  }

  /// The same answer, and nothing is remembered.
  public func knows(_ id: Bytes, at time: Timestamp) -> Bool {
    let hash = ByteTable.hash(id)
    return contains(newer, id, hash, time) || contains(older, id, hash, time)
  }

  private func contains(
    _ generation: Generation, _ id: Bytes, _ hash: UInt64, _ time: Timestamp
  ) -> Bool {
    generation.ids.find(id, hash).map { isNear(generation, $0, time) } ?? false
  }

  private func isNear(
    _ generation: Generation, _ place: IdTable.Place, _ time: Timestamp
  ) -> Bool {
    if isNear(generation.ids.time(place), time) { return true }
    guard !generation.moreTimes.isEmpty else { return false }
    return generation.moreTimes[place]?.contains { isNear($0, time) } ?? false
  }

  private func isNear(_ known: Timestamp, _ time: Timestamp) -> Bool {
    time < known + stretch && known < time + stretch
  }

  private func rotate(at time: Timestamp) {
    guard let since = newerSince else {
      newerSince = time
      return
    }
    guard time >= since + generationLength else { return }
    older = newer
    // As many ids as in the last stretch, so the table need not grow through all sizes again.
    newer = Generation(expecting: older.ids.count, in: memory)
    newerSince = time
  }
}
