// How often each text came: exact counts of the first few thousand different ones, one sum for all others, and an
// estimate of how many different ones there are. A text is counted from its first appearance on, so that the counts
// of those that are kept are exact; a text that first appears when the table is full is among the others.

public final class CategoryCounts {
  /// Different texts that are kept: more is an identifier, not a category. 200 columns full of them take 30 MB.
  public static let keptMax = 2_048
  /// Bytes of a text that tell it from others.
  public static let textBytesMax = 128

  public struct Category: Sendable, Equatable {
    public let name: String
    public var count: Int64

    public init(name: String, count: Int64) {
      self.name = name
      self.count = count
    }
  }

  private let table = ByteTable()
  private var counts: [Int64] = []
  /// Of texts that are not kept.
  public private(set) var other: Int64 = 0
  /// Of all different texts, once not all are kept.
  private var sketch: DistinctSketch?
  /// The category that came last: columns often repeat themselves.
  private var last = -1

  public init() {}

  public func add(_ text: Bytes) {
    let key = text.count > CategoryCounts.textBytesMax ? CategoryCounts.cut(text) : text
    if last >= 0, table[last] == key {
      counts[last] += 1
      return
    }
    if let index = table.find(key) {
      last = index
      counts[index] += 1
    } else {
      addNew(key, count: 1)
    }
  }

  private func addNew(_ key: Bytes, count: Int64) {
    guard counts.count < CategoryCounts.keptMax else {
      other += count
      note(key)
      return
    }
    _ = table.insert(key)
    counts.append(count)
  }

  private func note(_ key: Bytes) {
    if sketch == nil { sketch = spread(upTo: counts.count) }
    sketch!.add(DistinctSketch.mixed(ByteTable.hash(key)))
  }

  private func spread(upTo count: Int) -> DistinctSketch {
    var sketch = DistinctSketch(precision: 12)
    for index in 0..<count { sketch.add(DistinctSketch.mixed(ByteTable.hash(table[index]))) }
    sketch.spread()
    return sketch
  }

  /// At a character's end, so that the text stays UTF-8.
  private static func cut(_ text: Bytes) -> Bytes {
    var count = textBytesMax
    while count > 0, text[count] & 0xC0 == 0x80 { count -= 1 }
    return text[0..<count]
  }

  public var total: Int64 { counts.reduce(other, +) }

  /// Exact as long as all are kept.
  public var distinct: Int { sketch.map { Int($0.estimate.rounded()) } ?? counts.count }

  /// Every text is kept.
  public var isComplete: Bool { other == 0 && sketch == nil }

  /// The most frequent ones, equally frequent ones by name.
  /// - Complexity: O(kept · log kept).
  public func top(_ most: Int) -> [Category] {
    let sorted = counts.indices.sorted {
      (counts[$1], table[$0].string) < (counts[$0], table[$1].string)
    }
    return sorted.prefix(most).map { Category(name: table[$0].string, count: counts[$0]) }
  }

  public func count(of name: String) -> Int64? {
    Array(name.utf8).withBytes { table.find($0) }.map { counts[$0] }
  }

  /// Registers to go on counting with, where only so many categories are written down; nil where all are.
  public func registers(keeping most: Int) -> [UInt8]? {
    if let sketch { return sketch.registers }
    return counts.count > most ? spread(upTo: counts.count).registers : nil
  }

  // MARK: Merging

  /// From what was written down.
  public convenience init(_ categories: [Category], other: Int64, registers: [UInt8]?) {
    self.init()
    for category in categories {
      Array(category.name.utf8).withBytes { addNew($0, count: category.count) }
    }
    self.other += other
    if let registers { sketch = DistinctSketch(registers: registers) }
  }

  /// Adds counts of equal names. What one of both kept and the other did not is counted too low by at most
  /// the other's `other`.
  public func merge(_ later: CategoryCounts) {
    let needsSketch = sketch != nil || later.sketch != nil
    if needsSketch {
      var joined = sketch ?? spread(upTo: counts.count)
      joined.merge(later.sketch ?? later.spread(upTo: later.counts.count))
      sketch = joined
    }
    for (index, count) in later.counts.enumerated() {
      let key = later.table[index]
      if let known = table.find(key) { counts[known] += count } else { addNew(key, count: count) }
    }
    other += later.other
  }
}
