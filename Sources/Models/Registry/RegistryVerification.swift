// A look at every byte: the chain of the log, what the log says of each file, and each blob's digest. Nothing is
// changed, and nothing stops at the first fault.

public import Core

public struct RegistryVerification: Sendable {
  /// What is wrong, each with the file it is about.
  public private(set) var problems: [String] = []
  /// What was looked at.
  public private(set) var lines = 0
  public private(set) var versions = 0
  public private(set) var blobs = 0
  public private(set) var blobBytes = 0

  private let view: RegistryView
  private var state = RegistryState()
  /// Blobs that were hashed already, and whether they were good.
  private var checked: Set<String> = []

  /// - Parameter isLocked: that nobody is writing meanwhile.
  /// - Complexity: O(bytes of the log and of all blobs that versions name).
  public init(_ view: RegistryView, isLocked: Bool) throws(Failure) {
    self.view = view
    try checkLog()
    if isLocked, view.pending == nil { try checkLogEnd() }
    try checkHead()
    for (name, model) in state.models.sorted(by: { $0.key < $1.key }) {
      try checkAliases(name, model)
      for version in model.versions { try checkVersion(version) }
      try checkStrays(name, model)
    }
    for name in try view.folder.names(in: "models") where state.models[name] == nil {
      report("models/\(name)", "the log knows of no such model")
    }
  }

  private mutating func report(_ name: String, _ problem: String) {
    problems.append("\(view.folder.absolute(name)): \(problem)")
  }

  // MARK: The log

  private mutating func checkLog() throws(Failure) {
    let path = view.folder.absolute(RegistryFolder.log)
    let log: [UInt8]
    do throws(Failure) { log = try view.log() } catch {
      problems.append(error.message)
      return
    }
    // Taken out of self for the walk, which changes both.
    var (found, state) = (self, state)
    try RegistryView.forEachLine(of: log) { (number, line) throws(Failure) in
      found.lines = number
      do throws(Failure) {
        let entry = try RegistryView.entry(line, number, path)
        if RegistryEntry.hash(ofLine: line) != entry.hash {
          found.report(
            RegistryFolder.log, "line \(number): changed: it does not have the hash it names")
        }
        if let problem = state.apply(entry) {
          found.report(RegistryFolder.log, "line \(number): \(problem)")
        }
      } catch {
        found.problems.append(error.message)
      }
      return true
    }
    found.state = state
    self = found
  }

  /// A piece of a line belongs to a change that is under way, and there is none.
  private mutating func checkLogEnd() throws(Failure) {
    let left = try view.logBytes() - (try view.log().count)
    if left > 0 {
      report(RegistryFolder.log, "\(left) bytes behind its last line are no line")
    }
  }

  private mutating func checkHead() throws(Failure) {
    guard let bytes = try view.contents(of: RegistryFolder.head) else {
      if state.count > 0 { report(RegistryFolder.head, "missing") }
      return
    }
    let words = String(decoding: bytes, as: UTF8.self).split(whereSeparator: \.isWhitespace)
    guard words.count == 2, let count = Int(words[0]) else {
      return report(RegistryFolder.head, "damaged: not a count and a hash")
    }
    if count > state.count {
      report(
        RegistryFolder.log,
        "ends with line \(state.count), but had \(count): lines are missing at its end")
    } else if count != state.count || words[1] != state.hash {
      report(RegistryFolder.head, "names line \(count), but the log ends with another")
    }
  }

  // MARK: Models

  private mutating func checkAliases(_ name: String, _ model: RegisteredModel) throws(Failure) {
    for (alias, stack) in model.aliases.sorted(by: { $0.key < $1.key }) {
      guard let number = stack.last else { continue }
      let file = RegistryFolder.alias(name, alias)
      guard let bytes = try view.contents(of: file) else {
        report(file, "missing: the log says \(number)")
        continue
      }
      let found = String(decoding: bytes, as: UTF8.self)
      if found != "\(number)\n" {
        let shown = found.prefix(40).filter { !$0.isNewline }
        report(file, "says '\(shown)', but the log says \(number)")
      }
    }
  }

  private mutating func checkVersion(_ version: RegistryVersion) throws(Failure) {
    versions += 1
    let name = RegistryFolder.manifest(version.model, version.number)
    guard let bytes = try view.contents(of: name) else { return report(name, "missing") }
    guard bytes.withBytes({ SHA256.hex(of: $0) }) == version.manifest else {
      report(name, "changed: it does not have the digest that the log names")
      return
    }
    let manifest = try VersionManifest(bytes, source: view.folder.absolute(name))
    for file in manifest.blobs {
      try checkBlob(file, of: "\(version.model)/\(version.number)")
    }
  }

  private mutating func checkBlob(
    _ file: VersionManifest.File, of version: String
  ) throws(Failure) {
    guard checked.insert(file.digest).inserted else { return }
    let name = RegistryFolder.blob(file.digest)
    blobs += 1
    do throws(Failure) {
      let (digest, bytes) = try FileDigest.of(view.folder.absolute(name), in: view.folder.files)
      blobBytes += bytes
      if digest != file.digest {
        report(
          name, "changed: '\(file.name)' of \(version) does not have the digest it is named by")
      }
    } catch {
      report(name, "'\(file.name)' of \(version) cannot be read: \(error.message)")
    }
  }

  /// Manifests and aliases that no line of the log put there.
  private mutating func checkStrays(_ name: String, _ model: RegisteredModel) throws(Failure) {
    func isOurs(_ file: String) -> Bool { !file.hasSuffix(".new") }
    for file in try view.folder.names(in: "models/\(name)/versions") where isOurs(file) {
      let stray = "models/\(name)/versions/\(file)"
      guard try view.contents(of: stray) != nil else { continue }
      let number = file.hasSuffix(".json") ? Int(file.dropLast(5)) : nil
      if number.flatMap({ model[$0] }) == nil { report(stray, "the log knows of no such version") }
    }
    for file in try view.folder.names(in: "models/\(name)/aliases") where isOurs(file) {
      if model.aliases[file]?.last == nil {
        report("models/\(name)/aliases/\(file)", "the log knows of no such alias")
      }
    }
  }
}
