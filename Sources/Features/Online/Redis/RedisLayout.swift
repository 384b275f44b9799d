// What the online store looks like in Redis. Keys, for the prefix `rtinfer`, the view `taps`, its generation 3, and an
// entity whose key (the bytes of `EntityKey`) falls into the bucket 17:
//
//     rtinfer:{writer}:epoch        number     the last writer's epoch
//     rtinfer:{17}:fence            8 bytes    the epoch of the writer to whom the bucket belongs
//     rtinfer:{17}:taps:3:<key>     a row      the entity's state
//     rtinfer:{17}:taps:3           set        keys of the bucket's entities
//     rtinfer:{taps}:view           a head     what serves
//     rtinfer:{taps}:unfinished     set        while a generation is made: that one, and the one that serves meanwhile
//
//     a head   "RTREDIS1"  epoch (8, big)  offset + 1 (8, big)  watermark (8)  ttl (8)  generation (8)  digest (32)
//     a row    epoch (8, big)  order of the last event (8, big)  CRC-32C of the rest (4)  the bytes of `EntityRow`
//
// Numbers are little-endian but for those that scripts compare, byte by byte. Times are microseconds; a ttl of -1 is none.
// The bucket is the CRC-16 of the entity's key modulo 1,024. As it is the hash tag, all that a write touches lies in
// one slot of a cluster, and a new writer takes all entities over, known and unknown, by setting 1,024 fences.
//
// A writer's epoch is the microsecond of its start, or one more than the highest that it finds: so whoever starts later is
// the one that goes on, even if the server has forgotten the one before.
//
// Every write is one script on the server, and each may be done twice. A row is never replaced by one with a lower (epoch,
// order), and an event's order is its offset, not its time: a late one counts, one that comes again does not. The same
// order comes again with the same events: for a row that was cut short, and is written whole at the end. A bucket takes
// nothing from a writer whose epoch is below its fence. A bucket without a fence, or with a lower one, has been lost
// with the server's memory. Rows of a view whose windows end expire when no question can reach them, and a day later.
//
// A definition of a view has one generation at a time; a store that is made anew writes the next one beside it. The head
// names the one that serves. Rows of the one before stay for an hour, for those who still read by its definition.

import Core

struct RedisLayout: Sendable {
  static let bucketCount = 1_024
  /// How long rows stay that have been replaced by a new generation's.
  static let retirement = TimeSpan.hours(1)
  /// How long rows stay that no question can reach, by the server's clock, which is not that of the events.
  static let margin = TimeSpan.days(1)

  let prefix: String

  static func bucket(_ entity: Bytes) -> Int {
    Int(HashSlot.checksum(ArraySlice(entity.buffer))) % bucketCount
  }

  var epochKey: [UInt8] { Array("\(prefix):{writer}:epoch".utf8) }
  func fenceKey(_ bucket: Int) -> [UInt8] { Array("\(prefix):{\(bucket)}:fence".utf8) }
  func headKey(_ view: String) -> [UInt8] { Array("\(prefix):{\(view)}:view".utf8) }
  func unfinishedKey(_ view: String) -> [UInt8] { Array("\(prefix):{\(view)}:unfinished".utf8) }

  func indexKey(_ bucket: Int, _ view: String, _ generation: Int64) -> [UInt8] {
    Array("\(prefix):{\(bucket)}:\(view):\(generation)".utf8)
  }

  func rowKey(_ view: String, _ generation: Int64, _ entity: Bytes) -> [UInt8] {
    rowKeys(view, generation).key(entity)
  }

  func rowKeys(_ view: String, _ generation: Int64) -> RowKeys {
    RowKeys(head: Array("\(prefix):{".utf8), tail: Array("}:\(view):\(generation):".utf8))
  }

  /// The keys of a generation's rows.
  struct RowKeys: Sendable {
    /// Before the bucket, and behind it.
    fileprivate let head: [UInt8]
    fileprivate let tail: [UInt8]

    func key(_ entity: Bytes) -> [UInt8] {
      var key: [UInt8] = []
      key.reserveCapacity(head.count + 4 + tail.count + entity.count)
      key += head
      key.append(decimal: RedisLayout.bucket(entity))
      key += tail
      key += entity.buffer
      return key
    }
  }

  // MARK: Values

  /// Scripts count in doubles.
  private static let epochMax: Int64 = 1 << 53

  /// Nil for what is no fence of ours.
  static func epoch(ofFence value: [UInt8]) -> Int64? {
    guard value.count == 8 else { return nil }
    let epoch = value.withUnsafeBytes { Int64(bigEndian: $0.loadUnaligned(as: Int64.self)) }
    return (0..<epochMax).contains(epoch) ? epoch : nil
  }

  static let rowHead = 20

  static func row(epoch: Int64, order: Int64, _ row: Bytes) -> [UInt8] {
    var value: [UInt8] = []
    value.reserveCapacity(rowHead + row.count)
    value.append(big: epoch)
    value.append(big: order)
    withUnsafeBytes(of: CRC32C.of(row).littleEndian) { value.append(contentsOf: $0) }
    value.append(contentsOf: row.buffer)
    return value
  }

  /// The state in a row's value; nil where it is damaged.
  static func state(_ value: Bytes) -> Bytes? {
    guard value.count >= rowHead else { return nil }
    let row = Bytes(base: value.base + rowHead, count: value.count - rowHead)
    let checksum = UnsafeRawPointer(value.base).loadUnaligned(fromByteOffset: 16, as: UInt32.self)
    return UInt32(littleEndian: checksum) == CRC32C.of(row) ? row : nil
  }

  /// What serves for a view.
  struct Head: Equatable {
    private static let magic: StaticString = "RTREDIS1"
    private static let byteCount = 80

    var epoch: Int64
    var offset: Int64
    var watermark: Timestamp
    let timeToLive: TimeSpan?
    let generation: Int64
    let digest: [UInt8]

    init(
      epoch: Int64, offset: Int64, watermark: Timestamp, timeToLive: TimeSpan?, generation: Int64,
      digest: [UInt8]
    ) {
      self.epoch = epoch
      self.offset = offset
      self.watermark = watermark
      self.timeToLive = timeToLive
      self.generation = generation
      self.digest = digest
    }

    /// Nil if the bytes are no head.
    init?(_ value: [UInt8]) {
      guard value.count == Head.byteCount, value.prefix(8).elementsEqual(Array(Head.magic)) else {
        return nil
      }
      func number(_ place: Int) -> Int64 {
        value.withUnsafeBytes { $0.loadUnaligned(fromByteOffset: place, as: Int64.self) }
      }
      epoch = Int64(bigEndian: number(8))
      offset = Int64(bigEndian: number(16)) &- 1
      watermark = Timestamp(microseconds: Int64(littleEndian: number(24)))
      let span = Int64(littleEndian: number(32))
      timeToLive = span < 0 ? nil : TimeSpan(microseconds: span)
      generation = Int64(littleEndian: number(40))
      digest = Array(value[48...])
      guard (0..<epochMax).contains(epoch), (0..<epochMax).contains(generation),
        (-1..<Limits.offsetMax).contains(offset)
      else { return nil }
    }

    var bytes: [UInt8] {
      var value = Array(Head.magic)
      value.append(big: epoch)
      value.append(big: offset + 1)
      for number in [watermark.microseconds, timeToLive?.microseconds ?? -1, generation] {
        withUnsafeBytes(of: number.littleEndian) { value.append(contentsOf: $0) }
      }
      return value + digest
    }
  }
}

extension [UInt8] {
  fileprivate init(_ text: StaticString) {
    self.init(UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
  }

  mutating func append(big number: Int64) {
    Swift.withUnsafeBytes(of: number.bigEndian) { append(contentsOf: $0) }
  }
}
