// About how many different values: HyperLogLog (P. Flajolet and others, 2007) with the estimator of O. Ertl (2017),
// which needs no table of corrections. State: 2^precision registers of one byte; up to an eighth as many values are
// kept as hashes, and then the count is exact but for hashes that collide. Standard error: 1.04 / sqrt(2^precision).
// Grouping does not change it: registers merge by their maximum.

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

public struct DistinctSketch: Sendable {
  public let precision: Int
  public private(set) var hashes: Set<UInt64> = []
  /// Empty as long as the hashes are few.
  public private(set) var registers: [UInt8] = []

  /// - Precondition: `precision` lies in 4 ... 16.
  public init(precision: Int) {
    precondition((4...16).contains(precision), "2^4 to 2^16 registers")
    self.precision = precision
  }

  /// From the registers that another one had; nil where no sketch has such ones.
  public init?(registers: [UInt8]) {
    let precision = registers.count.trailingZeroBitCount
    guard (4...16).contains(precision), registers.count == 1 << precision,
      registers.allSatisfy({ Int($0) <= 65 - precision })
    else { return nil }
    self.init(precision: precision)
    self.registers = registers
  }

  /// Well-mixed bits of a value's own bits: the finish of SplitMix64 (G. Steele and others, 2014).
  @inlinable
  public static func mixed(_ bits: UInt64) -> UInt64 {
    var mixed = bits &+ 0x9E37_79B9_7F4A_7C15
    mixed = (mixed ^ mixed >> 30) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ mixed >> 27) &* 0x94D0_49BB_1331_11EB
    return mixed ^ mixed >> 31
  }

  /// - Parameter hash: 64 well-mixed bits, equal for equal values.
  public mutating func add(_ hash: UInt64) {
    if registers.isEmpty {
      hashes.insert(hash)
      if hashes.count > (1 << precision) / 8 { spread() }
    } else {
      register(hash)
    }
  }

  /// Goes over to registers.
  public mutating func spread() {
    guard registers.isEmpty else { return }
    registers = Array(repeating: 0, count: 1 << precision)
    for hash in hashes { register(hash) }
    hashes = []
  }

  /// The first bits choose the register, which holds the greatest number of leading zeros of the rest, plus one.
  private mutating func register(_ hash: UInt64) {
    let index = Int(hash >> (64 - UInt64(precision)))
    let rest = hash << UInt64(precision)
    let rank = min(rest.leadingZeroBitCount, 64 - precision) + 1
    if registers[index] < UInt8(rank) { registers[index] = UInt8(rank) }
  }

  /// - Precondition: both have the same precision.
  public mutating func merge(_ later: DistinctSketch) {
    precondition(precision == later.precision, "sketches of one precision")
    if later.registers.isEmpty {
      for hash in later.hashes { add(hash) }
      return
    }
    spread()
    for (index, rank) in later.registers.enumerated() where registers[index] < rank {
      registers[index] = rank
    }
  }

  /// Not rounded where it is an estimate.
  public var estimate: Double {
    guard !registers.isEmpty else { return Double(hashes.count) }
    let last = 64 - precision + 1
    var counts = Array(repeating: 0.0, count: last + 1)
    for rank in registers { counts[Int(rank)] += 1 }
    let size = Double(registers.count)
    var sum = size * DistinctSketch.tau(1 - counts[last] / size)
    for rank in stride(from: last - 1, through: 1, by: -1) { sum = 0.5 * (sum + counts[rank]) }
    sum += size * DistinctSketch.sigma(counts[0] / size)
    return size * size / (2 * log(2) * sum)
  }

  /// x + Σ x^(2^k) 2^(k-1): what the registers that are still 0 stand for.
  private static func sigma(_ share: Double) -> Double {
    if share == 1 { return .infinity }
    var (power, weight, sum) = (share, 1.0, share)
    while true {
      power *= power
      let before = sum
      sum += power * weight
      weight += weight
      if sum == before { return sum }
    }
  }

  /// The same for those that are full.
  private static func tau(_ share: Double) -> Double {
    if share == 0 || share == 1 { return 0 }
    var (root, weight, sum) = (share, 1.0, 1 - share)
    while true {
      root = root.squareRoot()
      let before = sum
      weight *= 0.5
      sum -= (1 - root) * (1 - root) * weight
      if sum == before { return sum / 3 }
    }
  }
}
