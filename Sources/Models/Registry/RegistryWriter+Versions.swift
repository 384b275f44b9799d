// New versions, what is learned of them, and what aliases stand for.

public import Core

/// What is known of a version when it is added, besides what its file tells.
public struct VersionFacts: Sendable {
  public var decision: VersionManifest.Decision?
  public var metrics: [String: Double] = [:]
  public var tags: [String: String] = [:]
  /// Other files of its folder, by name.
  public var files: [(name: String, bytes: [UInt8])] = []
  public var profile: (name: String, bytes: [UInt8])?
  public var training: VersionManifest.File?
  public var gitCommit: String?
  /// Nil: the newest version before.
  public var parent: Int?
  public var source: String?
  public var by: String
  public var reason: String?

  public init(by: String) { self.by = by }
}

/// Who changes something, and why.
public struct ChangeAuthor: Sendable {
  public let by: String
  public let reason: String?

  public init(by: String, reason: String? = nil) {
    self.by = by
    self.reason = reason
  }
}

extension RegistryWriter {
  /// Adds a version: its file goes to the blobs, its manifest is written, the log tells.
  ///
  /// - Parameters:
  ///   - contents: the model file's bytes, from which `loaded` was loaded.
  ///   - name: what the file is called.
  /// - Returns: the line of the log.
  public func add(
    model: String, contents: [UInt8], name: String, loaded: Model, facts: VersionFacts
  ) throws(Failure) -> [UInt8] {
    let known = state.models[model]
    if let parent = facts.parent, known?[parent] == nil {
      throw .usage("--parent: there is no version \(parent) of '\(model)'")
    }
    let number = (known?.lastNumber ?? 0) + 1
    let file = VersionManifest.File(
      name: name, digest: loaded.fingerprint, bytes: contents.count)
    var manifest = VersionManifest(
      model: model, version: number, added: now, by: facts.by, file: file, loaded: loaded)
    try store(contents, digest: file.digest)
    for (name, bytes) in facts.files { manifest.files.append(try store(bytes, name: name)) }
    if let profile = facts.profile {
      manifest.profile = try store(profile.bytes, name: profile.name)
    }
    manifest.decision = facts.decision
    manifest.metrics = facts.metrics
    manifest.tags = facts.tags
    manifest.training = facts.training
    manifest.gitCommit = facts.gitCommit
    manifest.parent = facts.parent ?? known?.versions.last?.number
    manifest.reason = facts.reason
    let line = try add(
      manifest, metrics: facts.metrics, tags: facts.tags, source: facts.source,
      author: ChangeAuthor(by: facts.by, reason: facts.reason))
    writeIndex()
    return line
  }

  /// Adds what a manifest describes, with what is known of it by now; its blobs are there already. The index is
  /// not written.
  func add(
    _ manifest: VersionManifest, metrics: [String: Double], tags: [String: String],
    source: String?, author: ChangeAuthor
  ) throws(Failure) -> [UInt8] {
    let bytes = manifest.encode()
    var entry = RegistryEntry(.add, model: manifest.model, version: manifest.version)
    entry.format = manifest.format
    entry.digest = manifest.file.digest
    entry.bytes = manifest.file.bytes
    entry.manifest = bytes.withBytes { SHA256.hex(of: $0) }
    entry.parent = manifest.parent
    entry.metrics = metrics
    entry.tags = tags.mapValues { $0 }
    entry.source = source
    entry.by = author.by
    entry.reason = author.reason
    return try commitWithoutIndex(
      entry, writes: [RegistryFolder.manifest(manifest.model, manifest.version): bytes])
  }

  private func store(_ bytes: [UInt8], name: String) throws(Failure) -> VersionManifest.File {
    let digest = bytes.withBytes { SHA256.hex(of: $0) }
    try store(bytes, digest: digest)
    return VersionManifest.File(name: name, digest: digest, bytes: bytes.count)
  }

  /// Written even if it is there: so a damaged blob is mended by adding its file again.
  func store(_ bytes: [UInt8], digest: String) throws(Failure) {
    try folder.write(bytes, to: RegistryFolder.blob(digest))
  }

  /// Lets an alias stand for a version.
  ///
  /// - Parameters:
  ///   - gate: what held, for the log.
  ///   - metrics: the values that were asked about.
  public func promote(
    model: String, version: Int, alias: String, gate: String? = nil,
    metrics: [String: Double] = [:],
    author: ChangeAuthor
  ) throws(Failure) -> [UInt8] {
    _ = try state.version(ModelURI(model: model, .version(version)))
    let from = state.models[model]?.aliases[alias]?.last
    guard from != version else {
      throw .usage("'\(alias)' of '\(model)' stands for version \(version) already")
    }
    var entry = RegistryEntry(.promote, model: model, version: version)
    entry.requirement = gate
    entry.metrics = metrics
    return try move(alias, entry, from: from, author)
  }

  /// Writes down that an alias was to stand for a version and a gate did not let it; nothing else changes.
  ///
  /// - Parameters:
  ///   - metrics: the values that were asked about.
  ///   - failed: the clauses that did not hold.
  ///   - inconclusive: those that nothing could be said of.
  public func refuse(
    model: String, version: Int, alias: String, gate: String, metrics: [String: Double],
    failed: [String], inconclusive: [String], author: ChangeAuthor
  ) throws(Failure) -> [UInt8] {
    _ = try state.version(ModelURI(model: model, .version(version)))
    var entry = RegistryEntry(.refuse, model: model, version: version)
    entry.alias = alias
    entry.from = state.models[model]?.aliases[alias]?.last
    entry.requirement = gate
    entry.metrics = metrics
    entry.failed = failed
    entry.inconclusive = inconclusive
    entry.by = author.by
    entry.reason = author.reason
    return try commit(entry, writes: [:])
  }

  /// Lets an alias stand for what it stood for before; again to go further back.
  public func rollback(
    model: String, alias: String, author: ChangeAuthor
  ) throws(Failure) -> [UInt8] {
    let current = try state.version(ModelURI(model: model, .alias(alias))).number
    let stack = state.models[model]!.aliases[alias, default: []]
    guard let version = stack.dropLast().last else {
      throw .usage(
        "'\(alias)' of '\(model)' stood for nothing before version \(current)",
        hint: "rtinfer registry promote \(model) VERSION \(alias)")
    }
    return try move(
      alias, RegistryEntry(.rollback, model: model, version: version), from: current, author)
  }

  private func move(
    _ alias: String, _ change: RegistryEntry, from: Int?, _ author: ChangeAuthor
  ) throws(Failure) -> [UInt8] {
    var entry = change
    entry.alias = alias
    entry.from = from
    entry.by = author.by
    entry.reason = author.reason
    return try commit(
      entry,
      writes: [RegistryFolder.alias(entry.model, alias): Array("\(entry.version)\n".utf8)])
  }

  /// Sets tags; nil takes one away.
  public func tag(
    model: String, version: Int, tags: [String: String?], author: ChangeAuthor
  ) throws(Failure) -> [UInt8] {
    _ = try state.version(ModelURI(model: model, .version(version)))
    var entry = RegistryEntry(.tag, model: model, version: version)
    entry.tags = tags
    entry.by = author.by
    entry.reason = author.reason
    return try commit(entry, writes: [:])
  }

  /// Writes down what was measured of a version.
  ///
  /// - Parameters:
  ///   - source: with what, such as the file of rows.
  ///   - machine: on what, where that matters.
  ///   - replacing: says of a metric whether it is of those that are measured together; what was known of such ones and
  ///     is not among `metrics` is no longer known.
  public func measure(
    model: String, version: Int, metrics: [String: Double], source: String?,
    machine: String? = nil, replacing: (String) -> Bool = { _ in false }, author: ChangeAuthor
  ) throws(Failure) -> [UInt8] {
    let known = try state.version(ModelURI(model: model, .version(version))).metrics
    var entry = RegistryEntry(.measure, model: model, version: version)
    entry.metrics = metrics
    entry.cleared = known.keys.filter { metrics[$0] == nil && replacing($0) }.sorted()
    entry.source = source
    entry.machine = machine
    entry.by = author.by
    entry.reason = author.reason
    return try commit(entry, writes: [:])
  }
}
