// A command as it goes over the wire: a list of its words, each behind its length.

struct RedisCommand: Sendable {
  /// All of its bytes.
  let wire: [UInt8]
  /// Where its first key is in them.
  private let key: Range<Int>?

  /// Of the cluster, in which all its keys lie; nil: any server may be asked.
  var slot: Int? { key.map { HashSlot.of(wire[$0]) } }

  /// - Parameter keyAt: which word is its first key; nil: it has none.
  init(_ words: [[UInt8]], keyAt: Int? = nil) {
    var wire: [UInt8] = []
    var key: Range<Int>?
    wire.reserveCapacity(words.reduce(16) { $0 + $1.count + 16 })
    RedisCommand.append("*", words.count, to: &wire)
    for (index, word) in words.enumerated() {
      RedisCommand.append("$", word.count, to: &wire)
      if index == keyAt { key = wire.count..<wire.count + word.count }
      wire.append(contentsOf: word)
      wire.append(13)
      wire.append(10)
    }
    self.wire = wire
    self.key = key
  }

  init(_ words: String...) {
    self.init(words.map { Array($0.utf8) })
  }

  /// A command on one key, with what comes behind it.
  init(_ name: String, key: [UInt8], _ arguments: [[UInt8]] = []) {
    self.init([Array(name.utf8), key] + arguments, keyAt: 1)
  }

  /// A script that the server has been given: by its name, on keys that lie in one slot.
  init(script: [UInt8], keys: [[UInt8]], arguments: [[UInt8]]) {
    precondition(!keys.isEmpty, "a script that runs where its keys are")
    let head = [Array("EVALSHA".utf8), script, Array(String(keys.count).utf8)]
    self.init(head + keys + arguments, keyAt: 3)
  }

  private static func append(_ type: Character, _ count: Int, to wire: inout [UInt8]) {
    wire.append(type.asciiValue!)
    wire.append(decimal: count)
    wire.append(13)
    wire.append(10)
  }
}

extension [UInt8] {
  /// - Parameter number: not below zero.
  mutating func append(decimal number: Int) {
    var unit = 1
    while number / unit >= 10 { unit *= 10 }
    while unit > 0 {
      append(UInt8(ascii: "0") + UInt8(number / unit % 10))
      unit /= 10
    }
  }
}
