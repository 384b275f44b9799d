// Versions on their way from one registry to another, as a tar of the files that they have in both:
//
//     export.ndjson                       a line for each version: its manifest's digest, metrics, tags; at the end the
//                                         SHA-256 of these lines
//     models/<name>/versions/<n>.json     manifests
//     blobs/<2 hex>/<64 hex>              all files that they name
//
// Whoever imports it has versions of the same numbers and digests. Aliases stay behind: what decides there is
// decided there, by a promotion.

public import Core

/// A version in an archive, as its line tells.
struct ExportedVersion: Equatable {
  var model = ""
  var version = 0
  /// SHA-256 of the manifest.
  var manifest = ""
  var metrics: [String: Double] = [:]
  var machines: [String: [String: Double]] = [:]
  var tags: [String: String] = [:]

  init(_ version: RegistryVersion) {
    model = version.model
    self.version = version.number
    manifest = version.manifest
    metrics = version.metrics
    machines = version.machines
    tags = version.tags
  }

  func append(to line: OutputBuffer) {
    line.append("{\"kind\":\"exported\",\"model\":")
    line.appendQuoted(model)
    line.appendMember("version", version)
    line.appendMember("manifest", manifest)
    line.append(",\"metrics\":")
    line.append(metrics: metrics)
    line.append(",\"machines\":{")
    for (index, (name, metrics)) in machines.sorted(by: { $0.key < $1.key }).enumerated() {
      if index > 0 { line.append(",") }
      line.appendQuoted(name)
      line.append(":")
      line.append(metrics: metrics)
    }
    line.append("},\"tags\":")
    line.append(tags: tags.mapValues { $0 })
    line.append("}\n")
  }

  init(line: Bytes) throws(JSONError) {
    var cursor = JSONCursor(line)
    try cursor.beginObject()
    var (first, inner) = (true, true)
    while let key = try cursor.nextKey(first: &first) {
      switch key.bytes.string {
      case "kind": try cursor.skipValue()
      case "model": model = try cursor.readString()
      case "version": version = try cursor.readInt()
      case "manifest": manifest = try cursor.readString()
      case "metrics": metrics = try cursor.readMetrics()
      case "machines":
        try cursor.beginObject()
        while let name = try cursor.nextKey(first: &inner) {
          machines[name.bytes.string] = try cursor.readMetrics()
        }
      case "tags": tags = try cursor.readTags().compactMapValues { $0 }
      case let other: throw JSONError("an unknown member '\(other)'", at: cursor.position)
      }
    }
    try cursor.finish()
  }
}

public enum RegistryArchive {
  static let index = "export.ndjson"

  /// Writes versions as a tar.
  ///
  /// - Throws: a failure where a file is not as it was registered: a fault is not passed on.
  /// - Complexity: O(bytes); one file at a time is held.
  public static func export(
    _ versions: [RegistryVersion], of view: RegistryView, to output: OutputBuffer
  ) throws(Failure) {
    let lines = OutputBuffer(MemorySink())
    for version in versions { ExportedVersion(version).append(to: lines) }
    lines.append(RegistryArchive.end(of: lines.pending))
    try TarArchive.append(lines.pending.copy(), name: index, to: output)
    var blobs: Set<String> = []
    for version in versions {
      let name = RegistryFolder.manifest(version.model, version.number)
      let bytes = try contents(of: name, digest: version.manifest, view)
      try TarArchive.append(bytes, name: name, to: output)
      let manifest = try VersionManifest(bytes, source: view.folder.absolute(name))
      for file in manifest.blobs where blobs.insert(file.digest).inserted {
        let name = RegistryFolder.blob(file.digest)
        try TarArchive.append(
          try contents(of: name, digest: file.digest, view), name: name, to: output)
      }
    }
    try TarArchive.appendEnd(to: output)
  }

  /// The index's last line, so that no digit of a metric changes on the way.
  static func end(of lines: Bytes) -> String {
    "{\"kind\":\"end\",\"sha256\":\"\(SHA256.hex(of: lines))\"}\n"
  }

  private static func contents(
    of name: String, digest: String, _ view: RegistryView
  ) throws(Failure) -> [UInt8] {
    guard let bytes = try view.contents(of: name) else {
      throw .inputOutput("\(view.folder.absolute(name)): missing", hint: "rtinfer registry verify")
    }
    guard bytes.withBytes({ SHA256.hex(of: $0) }) == digest else {
      throw .inputOutput(
        "\(view.folder.absolute(name)): changed: it does not have the digest it was registered with",
        hint: "rtinfer registry verify shows all that is wrong")
    }
    return bytes
  }
}

/// An archive that was read and checked whole: nothing of it is in a registry yet.
public struct ImportedVersions {
  struct Version {
    let exported: ExportedVersion
    let manifest: VersionManifest
  }

  let versions: [Version]
  /// By digest.
  let blobs: [String: Range<Int>]
  let bytes: [UInt8]
  let source: String

  /// - Parameter source: for messages.
  /// - Throws: a data failure that names the first thing that is not as an export makes it.
  /// - Complexity: O(bytes), every digest is computed.
  public init(_ bytes: [UInt8], source: String) throws(Failure) {
    self.bytes = bytes
    self.source = source
    let archive = try TarArchive(bytes, source: source)
    var (manifests, blobs): ([String: Range<Int>], [String: Range<Int>]) = ([:], [:])
    for file in archive.files.dropFirst() {
      let parts = file.name.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
      if parts.count == 3, file.name == RegistryFolder.blob(parts[2]), parts[2].utf8.count == 64 {
        blobs[parts[2]] = file.bytes
      } else if parts.count == 4, RegistryFolder.isName(parts[1]),
        let number = Int(parts[3].prefix { $0 != "." }), number > 0,
        file.name == RegistryFolder.manifest(parts[1], number)
      {
        manifests[file.name] = file.bytes
      } else {
        throw .badData("\(source): '\(file.name)' is no file of a registry: nothing is imported")
      }
    }
    guard let index = archive.files.first, index.name == RegistryArchive.index else {
      throw .badData(
        "\(source): not an export of a registry: it does not begin with \(RegistryArchive.index)")
    }
    for (digest, range) in blobs {
      guard ImportedVersions.digest(of: range, in: bytes) == digest else {
        throw .badData("\(source): the file \(digest) does not have the digest it is named by")
      }
    }
    self.blobs = blobs
    versions = try ImportedVersions.versions(index.bytes, &manifests, bytes, source)
    if let stray = manifests.keys.min() {
      throw .badData("\(source): '\(stray)' is not in its \(RegistryArchive.index)")
    }
    try checkBlobs()
  }

  private static func digest(of range: Range<Int>, in bytes: [UInt8]) -> String {
    bytes.withBytes { SHA256.hex(of: $0[range]) }
  }

  /// Takes the manifests that the index's lines name.
  private static func versions(
    _ index: Range<Int>, _ manifests: inout [String: Range<Int>], _ bytes: [UInt8], _ source: String
  ) throws(Failure) -> [Version] {
    var lines: [ExportedVersion] = []
    let text = Array(bytes[index])
    let length = text.count - RegistryArchive.end(of: .empty).utf8.count
    guard length >= 0,
      text[length...].elementsEqual(
        text.withBytes { RegistryArchive.end(of: $0[0..<length]) }.utf8)
    else {
      throw .badData(
        "\(source): \(RegistryArchive.index): changed: it does not have its own digest")
    }
    try RegistryView.forEachLine(of: Array(text[..<length])) { (number, line) throws(Failure) in
      do throws(JSONError) { lines.append(try ExportedVersion(line: line)) } catch {
        throw .badData(
          "\(source): \(RegistryArchive.index): line \(number): \(error.description)")
      }
      return true
    }
    var versions: [Version] = []
    for exported in lines {
      let name = RegistryFolder.manifest(exported.model, exported.version)
      guard let range = manifests.removeValue(forKey: name) else {
        throw .badData("\(source): '\(name)' is missing")
      }
      guard digest(of: range, in: bytes) == exported.manifest else {
        throw .badData("\(source): '\(name)' does not have the digest that is said of it")
      }
      let manifest = try asData(source) { () throws(Failure) in
        try VersionManifest(Array(bytes[range]), source: "\(source): \(name)")
      }
      guard manifest.model == exported.model, manifest.version == exported.version,
        exported.metrics.allSatisfy({ RegistryFolder.isMetric($0.key) && $0.value.isFinite }),
        exported.tags.keys.allSatisfy(RegistryFolder.isName)
      else {
        throw .badData(
          "\(source): '\(name)' is of another version, or what is said of it is no metric or tag")
      }
      versions.append(Version(exported: exported, manifest: manifest))
    }
    return versions
  }

  /// What a reader of the registry's own files calls a damaged disk is bad data in an archive.
  private static func asData<Result>(
    _ source: String, _ body: () throws(Failure) -> Result
  ) throws(Failure) -> Result {
    do throws(Failure) { return try body() } catch { throw .badData(error.message) }
  }

  /// Every file that a manifest names is there, as long as it says, and no other is; models load.
  private func checkBlobs() throws(Failure) {
    var needed: Set<String> = []
    for version in versions {
      let name = "\(version.exported.model)/\(version.exported.version)"
      for file in version.manifest.blobs {
        guard let range = blobs[file.digest] else {
          throw .badData("\(source): '\(file.name)' of \(name) is missing: \(file.digest)")
        }
        guard range.count == file.bytes else {
          throw .badData(
            "\(source): '\(file.name)' of \(name) has \(range.count) bytes, not \(file.bytes)")
        }
        needed.insert(file.digest)
      }
      try checkModels(version.manifest, name)
    }
    if let stray = Set(blobs.keys).subtracting(needed).min() {
      throw .badData("\(source): no version names the file \(stray)")
    }
  }

  /// A version's model loads; of an ensemble, whose own file only says what it is made of, each of its models.
  private func checkModels(_ manifest: VersionManifest, _ name: String) throws(Failure) {
    let isEnsemble = manifest.format == Model.ensembleFormat
    for file in isEnsemble ? manifest.files : [manifest.file] {
      let range = blobs[file.digest]!
      let model = try bytes.withBytes { (bytes) throws(Failure) in
        try ModelLoader.load(bytes[range], source: "\(source): \(name): \(file.name)")
      }
      guard isEnsemble || model.format == manifest.format else {
        throw .badData("\(source): \(name) is \(model.format), not \(manifest.format)")
      }
    }
  }
}

extension RegistryWriter {
  /// Adds the versions of an archive, each by changes of its own; those that are here already are left out.
  ///
  /// - Returns: the log's lines, and how many versions were here already.
  /// - Throws: a usage failure, before anything is changed, where a number stands for another version here.
  public func add(
    _ imported: ImportedVersions, author: ChangeAuthor
  ) throws(Failure) -> (lines: [[UInt8]], known: Int) {
    var new: [ImportedVersions.Version] = []
    for version in imported.versions {
      let (model, number) = (version.exported.model, version.exported.version)
      let known = state.models[model]
      if let own = known?[number] {
        guard own.manifest == version.exported.manifest else {
          throw .usage(
            "\(imported.source): version \(number) of '\(model)' is another one here",
            hint: "nothing is imported; rtinfer registry show \(model) \(number) says what is here")
        }
      } else {
        guard known?.removed[number] ?? version.exported.manifest == version.exported.manifest
        else {
          throw .usage(
            "\(imported.source): version \(number) of '\(model)' was another one here, which was removed",
            hint: "nothing is imported: a number does not come again for something else")
        }
        new.append(version)
      }
    }
    let needed = Set(new.flatMap { $0.manifest.blobs.map(\.digest) })
    for digest in needed.sorted() {
      try store(Array(imported.bytes[imported.blobs[digest]!]), digest: digest)
    }
    var lines: [[UInt8]] = []
    for version in new { lines += try add(version, imported.source, author) }
    writeIndex()
    return (lines, imported.versions.count - new.count)
  }

  private func add(
    _ version: ImportedVersions.Version, _ source: String, _ author: ChangeAuthor
  ) throws(Failure) -> [[UInt8]] {
    let exported = version.exported
    var lines = [
      try add(
        version.manifest, metrics: exported.metrics, tags: exported.tags, source: source,
        author: author)
    ]
    for (machine, metrics) in exported.machines.sorted(by: { $0.key < $1.key }) {
      lines.append(
        try measure(
          model: exported.model, version: exported.version, metrics: metrics, source: source,
          machine: machine, author: author))
    }
    // Of several machines the one that was measured last gave the figures that gates see.
    if state.models[exported.model]?[exported.version]?.metrics != exported.metrics {
      lines.append(
        try measure(
          model: exported.model, version: exported.version, metrics: exported.metrics,
          source: source, author: author))
    }
    return lines
  }
}
