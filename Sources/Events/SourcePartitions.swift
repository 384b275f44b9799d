// The partitions of the sources behind the inputs, such as Kafka's, and what has been seen of each. A record is
// known by its place alone: when a partition is delivered again, as after a change in a consumer group, every
// record of it is a repeat, however long ago it came and whatever is in it.

import Core

public final class SourcePartitions {
  public struct Partition {
    /// A topic.
    public let source: String
    public let number: Int64
    var seen = OffsetSet()
    /// Behind the last offset seen.
    public var nextOffset: Int64 { seen.end }
  }

  /// In order of appearance.
  public private(set) var partitions: [Partition] = []
  private let names = ByteTable()
  private var name: [UInt8] = []

  public init() {}

  /// The number by which a partition is known here, the same for every event of it.
  func index(_ source: Bytes, _ number: Int64) -> Int {
    name.removeAll(keepingCapacity: true)
    withUnsafeBytes(of: number) { name.append(contentsOf: $0) }
    name.append(contentsOf: source.buffer)
    let (index, isNew) = name.withBytes { names.insert($0) }
    if isNew { partitions.append(Partition(source: source.string, number: number)) }
    return index
  }

  /// True if the offset is new; it is then seen.
  func see(_ offset: Int64, at index: Int) -> Bool { partitions[index].seen.insert(offset) }

  func forgetAll() { for index in partitions.indices { partitions[index].seen = OffsetSet() } }

  func restore(_ source: String, _ number: Int64, _ seen: OffsetSet) {
    let index = Array(source.utf8).withBytes { self.index($0, number) }
    partitions[index].seen = seen
  }
}
