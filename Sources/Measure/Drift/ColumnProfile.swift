// What is remembered of one column: how many values of each type, moments, counts between edges, categories, and by
// window of event time the moments alone. Numbers wait in a small buffer, so that what is done to them is done to 256 at
// a time, and to a thousand while the column's edges are at hand.

public import Core

public final class ColumnProfile {
  /// Values of each kind; every one of them is a count of records.
  public struct Kinds: Sendable, Equatable {
    /// JSON nulls and empty cells.
    public var nulls: Int64 = 0
    /// Finite numbers, and those among them that are whole.
    public var numbers: Int64 = 0
    public var integers: Int64 = 0
    public var texts: Int64 = 0
    /// Texts that are RFC 3339 times.
    public var times: Int64 = 0
    public var flags: Int64 = 0
    /// Arrays.
    public var composites: Int64 = 0
    /// NaN, infinities, numbers beyond a double.
    public var notFinite: Int64 = 0

    public init() {}

    /// Values that are there.
    public var values: Int64 { numbers + texts + flags + composites + notFinite }

    static func + (left: Kinds, right: Kinds) -> Kinds {
      var sum = left
      sum.nulls += right.nulls
      sum.numbers += right.numbers
      sum.integers += right.integers
      sum.texts += right.texts
      sum.times += right.times
      sum.flags += right.flags
      sum.composites += right.composites
      sum.notFinite += right.notFinite
      return sum
    }
  }

  public enum ColumnType: String, Sendable {
    case number, category, time, list, empty
  }

  public let name: String
  public internal(set) var kinds = Kinds()
  public internal(set) var moments = Moments2()
  public internal(set) var minimum = Double.infinity
  public internal(set) var maximum = -Double.infinity
  public internal(set) var edges: EdgeCounts
  public internal(set) var categories = CategoryCounts()
  /// By the window's start in microseconds.
  public internal(set) var windows: [Int64: Moments2] = [:]

  private static let pendingMax = 1_024
  /// Numbers whose moments are taken together; it says what the last digits are.
  private static let batchMax = 256
  private let pending: UnsafeMutablePointer<Double>
  private var pendingCount = 0

  /// - Parameter reference: the column whose edges are to be used, where this one is to be compared with it.
  public init(_ name: String, like reference: ColumnProfile? = nil) {
    self.name = name
    self.edges = EdgeCounts(like: reference?.edges.edges ?? [])
    self.pending = .allocate(capacity: ColumnProfile.pendingMax)
  }

  deinit { pending.deallocate() }

  /// By what most of the values are.
  public var type: ColumnType {
    let values = kinds.values
    if values == 0 { return .empty }
    if kinds.times * 2 > values { return .time }
    if (kinds.numbers + kinds.notFinite) * 2 >= values { return .number }
    return kinds.composites * 2 > values ? .list : .category
  }

  /// Nearly as many different texts as there are values: names of things, of which the next ones are always new.
  public var isIdentifier: Bool {
    guard type == .category, kinds.texts >= 100 else { return false }
    return Double(categories.distinct) > 0.5 * Double(kinds.texts)
  }

  // MARK: Counting

  @inline(__always)
  func add(_ value: ColumnValue, window: Int64?) {
    switch value {
    case .number(let number):
      pending[pendingCount] = number
      pendingCount += 1
      if pendingCount == ColumnProfile.pendingMax { settle(window) }
    case .null: kinds.nulls += 1
    case .text(let text):
      kinds.texts += 1
      if ColumnProfile.isTime(text) { kinds.times += 1 } else { categories.add(text) }
    case .flag(let flag):
      kinds.flags += 1
      categories.add(flag ? Bytes("true") : Bytes("false"))
    case .composite: kinds.composites += 1
    case .notFinite: kinds.notFinite += 1
    }
  }

  private static func isTime(_ text: Bytes) -> Bool {
    guard text.count >= 20, text[4] == UInt8(ascii: "-"), text[10] | 0x20 == UInt8(ascii: "t")
    else { return false }
    return Timestamp(rfc3339: text) != nil
  }

  /// Works off the numbers that wait; to be called before the window changes and before anything is read.
  func settle(_ window: Int64?) {
    var start = 0
    while start < pendingCount {
      let count = min(ColumnProfile.batchMax, pendingCount - start)
      take(UnsafeBufferPointer(start: pending + start, count: count), window)
      start += count
    }
    pendingCount = 0
  }

  private func take(_ values: UnsafeBufferPointer<Double>, _ window: Int64?) {
    let batch = Moments2(of: values)
    moments.merge(batch)
    if let window { windows[window, default: Moments2()].merge(batch) }
    let (least, greatest) = ColumnProfile.range(of: values)
    if least < minimum { minimum = least }
    if greatest > maximum { maximum = greatest }
    kinds.numbers += Int64(values.count)
    kinds.integers += Int64(ColumnProfile.wholeCount(values))
    edges.add(values)
  }

  /// The least and the greatest; of equal ones (there are two zeros) the first that stands there.
  ///
  /// - Precondition: at least one value.
  static func range(of values: UnsafeBufferPointer<Double>) -> (least: Double, greatest: Double) {
    let start = UnsafeRawPointer(values.baseAddress!)
    let grouped = values.count & ~7
    var (least, greatest) = (SIMD8(repeating: values[0]), SIMD8(repeating: values[0]))
    for index in stride(from: 0, to: grouped, by: 8) {
      let group = start.loadUnaligned(fromByteOffset: index * 8, as: SIMD8<Double>.self)
      least.replace(with: group, where: group .< least)
      greatest.replace(with: group, where: group .> greatest)
    }
    var (low, high) = (least.min(), greatest.max())
    for value in values[grouped...] {
      low = value < low ? value : low
      high = value > high ? value : high
    }
    let zero = low == 0 || high == 0 ? values.first { $0 == 0 } : nil
    return (low == 0 ? zero! : low, high == 0 ? zero! : high)
  }

  /// How many are whole. A number below 2^52 is if adding 2^52, where a double has no place for a fraction, does not change
  /// it; all from there on are. (`rounded()` would be a call into the C library for each.)
  static func wholeCount(_ values: UnsafeBufferPointer<Double>) -> Int {
    let ceiling = 0x1p52
    var count = 0
    for value in values {
      let magnitude = value.magnitude < ceiling ? value.magnitude : ceiling
      count &+= (magnitude + ceiling) - ceiling == magnitude ? 1 : 0
    }
    return count
  }

  func finish(_ window: Int64?) {
    settle(window)
    edges = edges.settled()
  }

  // MARK: Merging

  /// Takes in another's values: counts exactly, moments to the last digits, edges and categories within their
  /// bounds.
  func merge(_ other: ColumnProfile) {
    kinds = kinds + other.kinds
    moments.merge(other.moments)
    minimum = min(minimum, other.minimum)
    maximum = max(maximum, other.maximum)
    edges = edges.merged(other.edges)
    categories.merge(other.categories)
    windows.merge(other.windows) { (left, right) in
      var both = left
      both.merge(right)
      return both
    }
  }
}
