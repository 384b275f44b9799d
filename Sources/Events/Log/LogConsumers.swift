// Readers that have a name. Where a reader goes on is its own checkpoint's business; what lies here is a copy
// of that offset, for the log's sake: retention keeps what a named consumer has yet to read. A reader first
// makes its checkpoint durable and then commits here, so that the copy is never ahead.
//
//     consumers/NAME     rtinfer-consumer 1 <offset> <epoch, or -> <CRC-32C of all before, in hexadecimal>

public import Core

public struct LogConsumer: Sendable, Equatable {
  public let name: String
  /// The next event that it has yet to read.
  public let position: LogPosition

  public init(name: String, position: LogPosition) {
    self.name = name
    self.position = position
  }
}

public struct LogConsumers {
  private let folder: LogFolder

  init(_ folder: LogFolder) { self.folder = folder }

  /// Of the log in the folder at `path`.
  public init(_ path: String, files: any FileSystem) {
    folder = LogFolder(path: path, files: files)
  }

  /// A name is a file's name: letters, digits, `-`, `_` and `.`, not first, at most 64.
  public static func isName(_ text: String) -> Bool {
    !text.isEmpty && text.utf8.count <= 64 && text.first != "."
      && text.utf8.allSatisfy { byte in
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
          UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"),
          UInt8(ascii: "."):
          true
        default: false
        }
      }
  }

  /// Remembers how far a consumer has read; it appears whole or not at all.
  ///
  /// - Precondition: the name is one (`isName`).
  public func commit(_ consumer: LogConsumer) throws(Failure) {
    precondition(LogConsumers.isName(consumer.name), "a consumer's name is a file's name")
    let path = folder.consumers
    try folder.attempt(path) { () throws(SystemError) in try folder.files.makeFolder(path) }
    try LogConsumers.line(consumer.position).withBytes { (bytes) throws(Failure) in
      try AtomicFile.write(bytes, to: "\(path)/\(consumer.name)", in: folder.files)
    }
  }

  /// The log need not keep anything for this consumer any more.
  public func remove(_ name: String) throws(Failure) {
    let path = "\(folder.consumers)/\(name)"
    try folder.attempt(path) { () throws(SystemError) in
      try folder.files.remove(path)
      try folder.files.syncFolder(folder.consumers)
    }
  }

  /// How far the consumer has read; nil when there is none of that name.
  public func position(of name: String) throws(Failure) -> LogPosition? {
    let path = "\(folder.consumers)/\(name)"
    guard folder.files.exists(path) else { return nil }
    let bytes = try folder.files.contents(of: path, bytesMax: 4_096)
    guard let position = LogConsumers.position(bytes) else {
      throw .inputOutput(
        "\(path): not a consumer's offset, or damaged",
        hint: "the reader's own checkpoint knows it: let it commit again, or remove the file")
    }
    return position
  }

  /// All of them, by name.
  public func all() throws(Failure) -> [LogConsumer] {
    let path = folder.consumers
    guard folder.files.exists(path) else { return [] }
    let names = try folder.attempt(path) { () throws(SystemError) in
      try folder.files.names(in: path)
    }
    var consumers: [LogConsumer] = []
    for name in names.sorted() where LogConsumers.isName(name) && !name.hasSuffix(".new") {
      guard let position = try position(of: name) else { continue }
      consumers.append(LogConsumer(name: name, position: position))
    }
    return consumers
  }

  private static let word = "rtinfer-consumer 1"

  private static func line(_ position: LogPosition) -> [UInt8] {
    let text = "\(word) \(position.offset) \(position.epoch.map { "\($0)" } ?? "-")"
    let checksum = Array(text.utf8).withBytes { CRC32C.of($0) }
    return Array("\(text) \(String(checksum, radix: 16))\n".utf8)
  }

  private static func position(_ bytes: [UInt8]) -> LogPosition? {
    let words = String(decoding: bytes, as: UTF8.self).split(separator: " ")
    guard words.count == 5, let offset = Int64(words[2]) else { return nil }
    let position = LogPosition(offset: offset, epoch: UInt32(words[3]))
    return line(position) == bytes ? position : nil
  }
}
