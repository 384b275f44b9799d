// Adaptive windowing (A. Bifet and R. Gavaldà, 2007): the window of all values that may still be one distribution. It is
// kept as buckets of 1, 2, 4, … values, at most five of a size, so it takes O(log n) memory; wherever its older part's
// mean differs from the newer part's by more than chance, the oldest bucket is dropped.

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

struct ADWIN: ChangeDetector {
  private struct Bucket {
    var sum: Double
    /// Sum of squared distances from the bucket's mean.
    var squares: Double
  }

  /// Values between two looks.
  static let clock = 32
  private static let bucketsMax = 5
  private static let partMin = 5.0
  private static let warmUp = 10.0

  private let delta: Double
  /// By size 2^index, the oldest first.
  private var rows: [[Bucket]] = [[]]
  private var width = 0.0
  private var sum = 0.0
  private var squares = 0.0
  private var count = 0

  init(delta: Double = 0.002) { self.delta = delta }

  var delay: Int? { Int(width) }

  mutating func add(_ value: Double) -> Change {
    insert(value)
    count += 1
    guard count.isMultiple(of: ADWIN.clock), width > ADWIN.warmUp else { return .none }
    var hasChanged = false
    while isCut() {
      hasChanged = true
      drop()
    }
    return hasChanged ? .change : .none
  }

  private mutating func insert(_ value: Double) {
    if width > 0 {
      let distance = value - sum / width
      squares += width * distance * distance / (width + 1)
    }
    width += 1
    sum += value
    rows[0].append(Bucket(sum: value, squares: 0))
    var index = 0
    while index < rows.count, rows[index].count > ADWIN.bucketsMax {
      if index + 1 == rows.count { rows.append([]) }
      let (one, two) = (rows[index][0], rows[index][1])
      let size = ldexp(1, Int32(index))
      let distance = (one.sum - two.sum) / size
      rows[index + 1].append(
        Bucket(
          sum: one.sum + two.sum,
          squares: one.squares + two.squares + size * distance * distance / 2))
      rows[index].removeFirst(2)
      index += 1
    }
  }

  /// Whether the window falls into two parts that differ.
  private func isCut() -> Bool {
    var (older, olderSum) = (0.0, 0.0)
    for index in rows.indices.reversed() {
      let size = ldexp(1, Int32(index))
      for bucket in rows[index] {
        older += size
        olderSum += bucket.sum
        let newer = width - older
        if newer < ADWIN.partMin { return false }
        guard older >= ADWIN.partMin else { continue }
        let distance = abs(olderSum / older - (sum - olderSum) / newer)
        if distance > bound(older, newer) { return true }
      }
    }
    return false
  }

  private func bound(_ older: Double, _ newer: Double) -> Double {
    let confidence = log(2 * log(width) / delta)
    let inverse = 1 / (older - ADWIN.partMin + 1) + 1 / (newer - ADWIN.partMin + 1)
    return (2 * inverse * squares / width * confidence).squareRoot() + 2.0 / 3 * confidence
      * inverse
  }

  private mutating func drop() {
    let bucket = rows[rows.count - 1].removeFirst()
    let size = ldexp(1, Int32(rows.count - 1))
    width -= size
    sum -= bucket.sum
    if width > 0 {
      let distance = bucket.sum / size - sum / width
      squares -= bucket.squares + size * width * distance * distance / (size + width)
    }
    while rows.count > 1, rows[rows.count - 1].isEmpty { rows.removeLast() }
  }
}
