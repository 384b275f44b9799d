// Numbers in order, byte by byte of their bits from the lowest on (H. Hollerith's cards, 1889): a time for each number
// that does not grow with how many there are, and no branch that depends on one. A double's bits are in the order of
// the numbers once those of negative ones are turned over and the sign of the others is set.

enum NumberSort {
  /// Fewer are sorted by comparing.
  static let countMin = 256

  /// Sorts ascending. Of zeros the first that stood there stands first; their signs beyond that are not kept.
  ///
  /// - Precondition: no NaN.
  /// - Complexity: O(count) time and space.
  static func sort(_ values: inout [Double]) {
    guard values.count >= countMin else { return values.sort() }
    let firstZero = values.first { $0 == 0 }
    values.withUnsafeMutableBufferPointer { sortBits($0) }
    if let firstZero, firstZero.sign == .minus, let place = values.firstIndex(of: 0) {
      values[place] = firstZero
    }
  }

  private static func sortBits(_ values: UnsafeMutableBufferPointer<Double>) {
    let count = values.count
    withUnsafeTemporaryAllocation(of: UInt64.self, capacity: 2 * count) { scratch in
      withUnsafeTemporaryAllocation(of: Int.self, capacity: 8 * 256) { starts in
        starts.initialize(repeating: 0)
        var (source, target) = (scratch.baseAddress!, scratch.baseAddress! + count)
        for index in 0..<count {
          let key = key(values[index])
          source[index] = key
          for byte in 0..<8 { starts[byte << 8 | digit(key, byte)] &+= 1 }
        }
        for byte in 0..<8 {
          let digits = UnsafeMutableBufferPointer(rebasing: starts[byte << 8..<(byte + 1) << 8])
          // All have the same byte here, as the first one has.
          if digits[digit(source[0], byte)] == count { continue }
          var start = 0
          for value in 0..<256 { (digits[value], start) = (start, start &+ digits[value]) }
          for index in 0..<count {
            let key = source[index]
            let place = digits[digit(key, byte)]
            target[place] = key
            digits[digit(key, byte)] = place &+ 1
          }
          swap(&source, &target)
        }
        for index in 0..<count { values[index] = number(source[index]) }
      }
    }
  }

  @inline(__always)
  private static func digit(_ key: UInt64, _ byte: Int) -> Int {
    Int(truncatingIfNeeded: key >> UInt64(truncatingIfNeeded: byte &* 8) & 0xFF)
  }

  /// Adding 0 makes one zero of two.
  @inline(__always)
  private static func key(_ value: Double) -> UInt64 {
    let bits = Int64(bitPattern: (value + 0).bitPattern)
    return UInt64(bitPattern: bits ^ (bits >> 63 | .min))
  }

  @inline(__always)
  private static func number(_ key: UInt64) -> Double {
    let turned = Int64(bitPattern: key)
    return Double(bitPattern: UInt64(bitPattern: turned ^ (~turned >> 63 | .min)))
  }
}
