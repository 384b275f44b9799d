// A command as it goes over the wire: a list of its words, each behind its length.

struct RedisCommand: Sendable {
  let words: [[UInt8]]
  /// Of the cluster, in which all its keys lie; nil: any server may be asked.
  let slot: Int?

  init(_ words: [[UInt8]], slot: Int? = nil) {
    self.words = words
    self.slot = slot
  }

  init(_ words: String...) {
    self.init(words.map { Array($0.utf8) })
  }

  /// A command on one key.
  init(_ name: String, key: [UInt8]) {
    self.init([Array(name.utf8), key], slot: HashSlot.of(key))
  }

  /// A script that the server has been given: by its name, on keys that lie in one slot.
  init(script: [UInt8], keys: [[UInt8]], arguments: [[UInt8]]) {
    precondition(!keys.isEmpty, "a script that runs where its keys are")
    let head = [Array("EVALSHA".utf8), script, Array(String(keys.count).utf8)]
    self.init(head + keys + arguments, slot: HashSlot.of(keys[0]))
  }

  /// Bytes on the wire, about.
  var byteCount: Int { words.reduce(16) { $0 + $1.count + 16 } }

  func append(to output: inout [UInt8]) {
    RedisCommand.append("*", words.count, to: &output)
    for word in words {
      RedisCommand.append("$", word.count, to: &output)
      output.append(contentsOf: word)
      output.append(contentsOf: [13, 10])
    }
  }

  private static func append(_ type: Character, _ count: Int, to output: inout [UInt8]) {
    output.append(type.asciiValue!)
    output.append(contentsOf: String(count).utf8)
    output.append(contentsOf: [13, 10])
  }
}
