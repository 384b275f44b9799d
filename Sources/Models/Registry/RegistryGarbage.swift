// What nobody needs any more: blobs that no manifest names (an `add` that was cut off leaves them) and, where it
// is asked for, old versions. A version that an alias stands for, or stood for one promotion ago, is never removed: a
// rollback must find it.

public import Core

/// What is to be removed.
public struct RegistryGarbage: Sendable {
  /// Of each model so many of the newest versions stay; nil: all.
  public let keeping: Int?

  public init(keeping: Int? = nil) { self.keeping = keeping }

  /// The versions to remove, by model and number.
  public func versions(of state: RegistryState) -> [RegistryVersion] {
    guard let keeping else { return [] }
    return state.models.sorted { $0.key < $1.key }.flatMap { _, model in
      let held = Set(model.aliases.values.flatMap { $0.suffix(2) })
      return model.versions.dropLast(keeping).filter { !held.contains($0.number) }
    }
  }

  /// The blobs that no version but those to be removed names, and what was left half-written, with their sizes in
  /// bytes.
  public func blobs(of view: RegistryView) throws(Failure) -> [(name: String, bytes: Int)] {
    let state = try view.state()
    let removed = Set(versions(of: state).map { "\($0.model)/\($0.number)" })
    var needed: Set<String> = []
    for (name, model) in state.models {
      for version in model.versions where !removed.contains("\(name)/\(version.number)") {
        let manifest = try view.manifest(version)
        needed.formUnion(manifest.blobs.map { RegistryFolder.blob($0.digest) })
      }
    }
    var found: [(name: String, bytes: Int)] = []
    for folder in try view.folder.names(in: "blobs") {
      for file in try view.folder.names(in: "blobs/\(folder)") {
        let name = "blobs/\(folder)/\(file)"
        guard !needed.contains(name) else { continue }
        let bytes = try view.folder.attempt(name) { () throws(SystemError) in
          try view.folder.files.open(view.folder.absolute(name), .read).size()
        }
        found.append((name, bytes))
      }
    }
    return found
  }
}

extension RegistryWriter {
  /// Removes what is garbage: each version by a change of its own, then the blobs.
  ///
  /// - Returns: the log's lines, and the blobs that are gone.
  public func collect(
    _ garbage: RegistryGarbage, author: ChangeAuthor
  ) throws(Failure) -> (lines: [[UInt8]], blobs: [(name: String, bytes: Int)]) {
    var lines: [[UInt8]] = []
    for version in garbage.versions(of: state) {
      var entry = RegistryEntry(.remove, model: version.model, version: version.number)
      entry.digest = version.digest
      entry.by = author.by
      entry.reason = author.reason
      lines.append(
        try commitWithoutIndex(
          entry, writes: [:], removes: [RegistryFolder.manifest(version.model, version.number)]))
    }
    writeIndex()
    let blobs = try RegistryGarbage().blobs(of: try RegistryView(folder))
    try folder.remove(blobs.map(\.name))
    return (lines, blobs)
  }
}
