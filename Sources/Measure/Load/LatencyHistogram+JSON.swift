// A histogram as JSON: the bits of its layout, and each bucket by its lowest value in nanoseconds with its count. From
// these all percentiles follow; two of them merge by adding counts, wherever they were made.
//
//     {"bits":10,"count":3,"sum":900,"max":500,"buckets":[[100,2],[500,1]]}

public import Core

extension LatencyHistogram {
  public func append(to output: OutputBuffer) {
    output.append("{\"bits\":")
    output.append(Int64(bits))
    output.append(",\"count\":")
    output.append(Int64(count))
    output.append(",\"sum\":")
    output.append(sum)
    output.append(",\"max\":")
    output.append(maximum)
    output.append(",\"buckets\":[")
    var isFirst = true
    forEachBucket { lowest, _, count in
      output.append(isFirst ? "[" : ",[")
      output.append(lowest)
      output.append(",")
      output.append(Int64(count))
      output.append("]")
      isFirst = false
    }
    output.append("]}")
  }

  /// - Throws: what is wrong with the text, in a few words.
  public init(json text: Bytes) throws(JSONError) {
    var cursor = JSONCursor(text)
    var (bits, sum, maximum): (Int?, UInt64, UInt64) = (nil, 0, 0)
    var buckets: [(UInt64, Int)] = []
    try cursor.beginObject()
    var isFirst = true
    while let key = try cursor.nextKey(first: &isFirst) {
      if key.bytes == "bits" {
        bits = try cursor.readInt()
      } else if key.bytes == "sum" {
        sum = UInt64(max(0, try cursor.readInt()))
      } else if key.bytes == "max" {
        maximum = UInt64(max(0, try cursor.readInt()))
      } else if key.bytes == "buckets" {
        buckets = try LatencyHistogram.readBuckets(&cursor)
      } else {
        try cursor.skipValue()
      }
    }
    guard let bits, 1...14 ~= bits else { throw JSONError("a histogram has 1 to 14 bits", at: 0) }
    self.init(bits: bits)
    for (value, count) in buckets { record(value, times: count) }
    restore(sum: sum, maximum: maximum)
  }

  private static func readBuckets(
    _ cursor: inout JSONCursor
  ) throws(JSONError) -> [(UInt64, Int)] {
    var buckets: [(UInt64, Int)] = []
    try cursor.beginArray()
    var isFirst = true
    while try cursor.nextElement(first: &isFirst) {
      try cursor.beginArray()
      var numbers: [Int] = []
      var isFirstNumber = true
      while try cursor.nextElement(first: &isFirstNumber) { numbers.append(try cursor.readInt()) }
      guard numbers.count == 2, numbers[0] >= 0, numbers[1] > 0, numbers[1] < 1 << 48 else {
        throw JSONError("a bucket is [nanoseconds, count]", at: cursor.position)
      }
      buckets.append((UInt64(numbers[0]), numbers[1]))
    }
    return buckets
  }
}
