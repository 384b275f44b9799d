// What `list` prints and which version is the newest, ready to be copied out, so that ten thousand versions are
// listed without a look at every line of the log:
//
//     rtinfer-index 2 <CRC-32C of the rest> <bytes of the log> <its lines> <hash of its last line>\n
//     <models>\n
//     <model> <newest version> <versions> <bytes of its records>\n   a line for each model, by name
//     <number, 20 digits> <SHA-256 of its manifest>\n                a line for each version, in that order, ascending
//     {"kind":"version",…}\n                                         the records, in the same order
//
// The index is no part of the truth. It answers only for the log that it was made from, which is known by its size
// and its last hash, and only if its checksum is right; else whoever reads adds up the log itself, as if there were
// no index. Every change writes it anew, without waiting for the disk: what a power cut leaves of it is told by the
// checksum. The digests are looked at without any of that, in a few short reads (`RegistryDigests`).

public import Core

struct RegistryIndex {
  /// Where the log ends that an index is of.
  struct Mark: Equatable {
    let bytes: Int
    let lines: Int
    let hash: String

    var text: String { "\(bytes) \(lines) \(hash)" }
  }

  private let bytes: [UInt8]
  private let directory: RegistryIndexDirectory

  // MARK: Writing

  /// - Complexity: O(versions).
  static func encode(_ state: RegistryState, _ mark: Mark) -> [UInt8] {
    let models = state.models.filter { $0.value.lastNumber > 0 }.sorted { $0.key < $1.key }
    let records = OutputBuffer(MemorySink(), capacity: 1 << 20)
    let digests = OutputBuffer(MemorySink(), capacity: 1 << 20)
    var directory = "\(models.count)\n"
    for (name, model) in models {
      let start = records.count
      model.append(to: records)
      let newest = model.versions.last?.number ?? 0
      directory += "\(name) \(newest) \(model.versions.count) \(records.count - start)\n"
      for version in model.versions {
        digests.append(RegistryDigests.line(version.number, version.manifest))
      }
    }
    let rest = Array(directory.utf8) + digests.pending.copy() + records.pending.copy()
    return Array("\(word) \(rest.withBytes { CRC32C.of($0) }) \(mark.text)\n".utf8) + rest
  }

  static let word = "rtinfer-index 2"

  // MARK: Reading

  /// Nil where it is not whole, or is of another log.
  ///
  /// - Complexity: O(bytes), an eighth of a nanosecond each; O(models) words are looked at.
  init?(_ bytes: [UInt8], _ mark: Mark) {
    let directory = bytes.withBytes { bytes -> RegistryIndexDirectory? in
      guard let end = bytes.buffer.firstIndex(of: UInt8(ascii: "\n")) else { return nil }
      let checksum = CRC32C.of(bytes[end + 1..<bytes.count])
      guard bytes[0..<end].string == "\(RegistryIndex.word) \(checksum) \(mark.text)",
        let directory = RegistryIndexDirectory(bytes), directory.end == bytes.count
      else { return nil }
      return directory
    }
    guard let directory else { return nil }
    self.bytes = bytes
    self.directory = directory
  }

  /// The newest version of a model; nil where there is none.
  func newest(of model: String) -> Int? { directory.entries[model]?.newest }

  /// The records of one model, or of all by name; false where there is no such model.
  func write(_ model: String?, to output: OutputBuffer) throws(Failure) -> Bool {
    var range = directory.records..<bytes.count
    if let model {
      guard let entry = directory.entries[model] else { return false }
      range = entry.records
    }
    // Straight from the index's bytes: they are megabytes.
    try bytes.withBytes { (bytes) throws(Failure) in try output.flush(andPass: bytes[range]) }
    return true
  }
}

/// Where everything stands in an index, by its lines for the models.
struct RegistryIndexDirectory {
  struct Entry {
    /// Nil where no version is left.
    let newest: Int?
    let digests: Range<Int>
    let records: Range<Int>
  }

  private(set) var entries: [String: Entry] = [:]
  /// Where the records begin, and where they end.
  let records: Int
  private(set) var end: Int

  /// - Parameter bytes: the index, or as much of its beginning as has all lines for models.
  /// - Returns: nil where it is none, or its beginning is cut.
  init?(_ bytes: Bytes) {
    var position = 0
    func line() -> Bytes? {
      guard let length = bytes[position..<bytes.count].buffer.firstIndex(of: UInt8(ascii: "\n"))
      else { return nil }
      defer { position += length + 1 }
      return bytes[position..<position + length]
    }
    guard let first = line(), first.string.hasPrefix("\(RegistryIndex.word) "),
      let count = line(), let count = Int(count.string)
    else { return nil }
    var found: [(name: String, newest: Int, versions: Int, bytes: Int)] = []
    var versions = 0
    for _ in 0..<max(0, count) {
      guard let words = line()?.string.split(separator: " "), words.count == 4,
        let newest = Int(words[1]), let ofModel = Int(words[2]), let bytes = Int(words[3]),
        0...Limits.registryFileBytesMax ~= ofModel, 0...Limits.registryFileBytesMax ~= bytes
      else { return nil }
      found.append((String(words[0]), newest, ofModel, bytes))
      versions += ofModel
    }
    records = position + versions * RegistryDigests.lineBytes
    end = records
    for model in found {
      let digests = position..<position + model.versions * RegistryDigests.lineBytes
      entries[model.name] = Entry(
        newest: model.newest > 0 ? model.newest : nil, digests: digests,
        records: end..<end + model.bytes)
      position = digests.upperBound
      end += model.bytes
    }
  }
}

extension RegisteredModel {
  /// A line for each version, as `list` prints them.
  func append(to output: OutputBuffer) {
    var names: [Int: [String]] = [:]
    for (alias, stack) in aliases.sorted(by: { $0.key < $1.key }) {
      if let number = stack.last { names[number, default: []].append(alias) }
    }
    for version in versions {
      version.append(to: output, aliases: names[version.number] ?? [])
      output.append("\n")
    }
  }
}

extension RegistryView {
  /// The index, where it is of the log as it is now. Whatever is wrong with it is no failure.
  func index() -> RegistryIndex? {
    // A change that is under way is in no index yet.
    guard pending == nil, let mark = try? mark(),
      let bytes = try? contents(of: RegistryFolder.index)
    else { return nil }
    return RegistryIndex(bytes, mark)
  }

  /// Where the log ends, by its last bytes; nil where that is not what the head says.
  private func mark() throws(Failure) -> RegistryIndex.Mark? {
    guard let head = try contents(of: RegistryFolder.head) else { return nil }
    let words = String(decoding: head, as: UTF8.self).split(separator: " ")
    guard words.count == 2, let lines = Int(words[0]) else { return nil }
    let tail = Array(",\"hash\":\"\(words[1].dropLast())\"}\n".utf8)
    let bytes = try folder.attempt(RegistryFolder.log) { () throws(SystemError) -> Int? in
      let file = try folder.files.open(folder.absolute(RegistryFolder.log), .read)
      let size = try file.size()
      guard size > tail.count else { return nil }
      var found = [UInt8](repeating: 0, count: tail.count)
      let count = try found.withUnsafeMutableBufferPointer { (buffer) throws(SystemError) in
        try file.read(into: UnsafeMutableRawBufferPointer(buffer), at: size - buffer.count)
      }
      return count == tail.count && found == tail ? size : nil
    }
    return bytes.map {
      RegistryIndex.Mark(bytes: $0, lines: lines, hash: String(words[1].dropLast()))
    }
  }

  /// Prints the records of all versions, or of one model's, the oldest first.
  ///
  /// - Throws: a usage failure where there is no such model.
  public func list(_ model: String?, to output: OutputBuffer) throws(Failure) {
    if let index = index(), try index.write(model, to: output) { return }
    let state = try state()
    var models = state.models
    if let model { models = [model: try state.model(model)] }
    for (_, model) in models.sorted(by: { $0.key < $1.key }) { model.append(to: output) }
    try output.flush()
  }

  /// The number of a model's newest version.
  func newest(_ uri: ModelURI) throws(Failure) -> Int {
    if let number = index()?.newest(of: uri.model) { return number }
    return try state().version(uri).number
  }
}

extension RegistryWriter {
  /// Puts the index in place. A registry without one tells the same, only later: so that it cannot be written (a
  /// full disk) undoes no change and is no failure.
  func writeIndex() {
    let mark = RegistryIndex.Mark(bytes: logBytes, lines: state.count, hash: state.hash)
    let path = folder.absolute(RegistryFolder.index)
    let bytes = RegistryIndex.encode(state, mark)
    do throws(SystemError) {
      let file = try folder.files.open("\(path).new", .replace)
      try bytes.withBytes { (bytes) throws(SystemError) in try file.write(bytes) }
      try folder.files.rename("\(path).new", to: path)
    } catch {
      try? folder.files.remove("\(path).new")
    }
  }
}
