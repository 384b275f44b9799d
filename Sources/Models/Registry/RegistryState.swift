// What the log adds up to: which versions there are, what is known of them, and what each alias stands for.
// The state at any time is the sum of the lines up to then, which is how `at --time` looks back.

public import Core

/// One version, as far as the log tells.
public struct RegistryVersion: Sendable, Equatable {
  public let model: String
  public let number: Int
  public let added: Timestamp
  public let by: String
  public let parent: Int?
  /// As `Model.format` gives it.
  public let format: String
  /// SHA-256 and size in bytes of the model's file.
  public let digest: String
  public let bytes: Int
  /// SHA-256 of the manifest.
  public let manifest: String
  public internal(set) var metrics: [String: Double]
  /// What was measured on a machine, by its name: latencies, of which `metrics` has the last of all machines.
  public internal(set) var machines: [String: [String: Double]] = [:]
  public internal(set) var tags: [String: String]
}

extension RegistryVersion {
  /// As a record of kind `version`.
  public func append(to output: OutputBuffer, aliases: [String]) {
    output.append("{\"kind\":\"version\"")
    output.appendMember("model", model)
    output.appendMember("version", number)
    output.append(",\"added\":")
    output.appendQuoted(added)
    output.appendMember("by", by)
    output.appendMember("parent", parent)
    output.appendMember("format", format)
    output.appendMember("sha256", digest)
    output.appendMember("bytes", bytes)
    output.append(",\"metrics\":")
    output.append(metrics: metrics)
    append(machinesTo: output)
    output.append(",\"tags\":")
    output.append(tags: tags.mapValues { $0 })
    output.append(",\"aliases\":[")
    for (index, alias) in aliases.enumerated() {
      if index > 0 { output.append(",") }
      output.appendQuoted(alias)
    }
    output.append("]}")
  }

  private func append(machinesTo output: OutputBuffer) {
    guard !machines.isEmpty else { return }
    output.append(",\"machines\":{")
    for (index, (name, metrics)) in machines.sorted(by: { $0.key < $1.key }).enumerated() {
      if index > 0 { output.append(",") }
      output.appendQuoted(name)
      output.append(":")
      output.append(metrics: metrics)
    }
    output.append("}")
  }
}

public struct RegisteredModel: Sendable, Equatable {
  /// Ascending; without those that were removed.
  public internal(set) var versions: [RegistryVersion] = []
  /// SHA-256 of the manifests of those, by number.
  var removed: [Int: String] = [:]
  /// The highest number ever given: numbers do not come again.
  public internal(set) var lastNumber = 0
  /// By alias, the versions that it stood for, as far back as a rollback goes; the last is the one it stands for.
  public internal(set) var aliases: [String: [Int]] = [:]

  /// - Complexity: O(log versions).
  public subscript(number: Int) -> RegistryVersion? {
    place(number).map { versions[$0] }
  }

  func place(_ number: Int) -> Int? {
    var (low, high) = (0, versions.count)
    while low < high {
      let middle = (low + high) / 2
      if versions[middle].number < number { low = middle + 1 } else { high = middle }
    }
    return low < versions.count && versions[low].number == number ? low : nil
  }

  /// The aliases that stand for a version, by name.
  public func aliases(of number: Int) -> [String] {
    aliases.filter { $0.value.last == number }.map(\.key).sorted()
  }
}

public struct RegistryState: Sendable, Equatable {
  public internal(set) var models: [String: RegisteredModel] = [:]
  /// Lines of the log in it, and the hash of the last.
  public internal(set) var count = 0
  public internal(set) var hash = RegistryEntry.origin
  /// When the last of them was written.
  public internal(set) var time = Timestamp.distantPast

  public init() {}

  /// Takes one more line.
  ///
  /// - Returns: what contradicts the lines before, in words; nil where nothing does. What can be taken is taken
  ///   in any case.
  mutating func apply(_ entry: RegistryEntry) -> String? {
    var problem: String?
    if entry.sequence != count + 1 {
      problem = "line \(entry.sequence) follows line \(count)"
    } else if entry.previous != hash {
      problem = "does not follow from the line before it: a line was removed, moved or changed"
    }
    count = entry.sequence
    hash = entry.hash
    time = entry.time
    return Self.apply(entry, to: &models[entry.model, default: RegisteredModel()]) ?? problem
  }

  // Of the type and not of a value, as that would hold a second reference to all models, and each change copy them.
  private static func apply(_ entry: RegistryEntry, to model: inout RegisteredModel) -> String? {
    if entry.action == .add { return add(entry, to: &model) }
    guard let place = model.place(entry.version) else {
      return "\(entry.action.rawValue) of version \(entry.version), which is not there"
    }
    switch entry.action {
    case .add: break
    case .promote:
      guard let alias = entry.alias else { return "promote without an alias" }
      model.aliases[alias, default: []].append(entry.version)
    case .rollback:
      // To where it stands already led a log in which versions that followed each other were not taken for one.
      if let alias = entry.alias, model.aliases[alias]?.last == entry.version { break }
      guard let alias = entry.alias, let stack = model.aliases[alias],
        let place = stack.dropLast().lastIndex(of: entry.version)
      else { return "rollback to version \(entry.version), which the alias never stood for" }
      model.aliases[alias] = Array(stack[...place])
    case .refuse:
      // What an alias stands for, and stood for, is as it was.
      guard entry.alias != nil else { return "refuse without an alias" }
    case .tag:
      for (name, text) in entry.tags { model.versions[place].tags[name] = text }
    case .measure:
      for name in entry.cleared { model.versions[place].metrics[name] = nil }
      model.versions[place].metrics.merge(entry.metrics) { $1 }
      if let machine = entry.machine {
        model.versions[place].machines[machine, default: [:]].merge(entry.metrics) { $1 }
      }
    case .remove:
      model.removed[entry.version] = model.versions.remove(at: place).manifest
      for alias in model.aliases.keys { model.aliases[alias]!.forget(entry.version) }
    }
    return nil
  }

  private static func add(_ entry: RegistryEntry, to model: inout RegisteredModel) -> String? {
    guard let digest = entry.digest, let manifest = entry.manifest, let format = entry.format else {
      return "add without digests"
    }
    guard model.place(entry.version) == nil else {
      return "version \(entry.version) is added a second time"
    }
    let version = RegistryVersion(
      model: entry.model, number: entry.version, added: entry.time, by: entry.by,
      parent: entry.parent, format: format, digest: digest, bytes: entry.bytes ?? 0,
      manifest: manifest, metrics: entry.metrics, tags: entry.tags.compactMapValues { $0 })
    var place = model.versions.endIndex
    // Nearly always it is the newest: then no other is looked at.
    if entry.version <= model.lastNumber {
      place = model.versions.firstIndex { $0.number > entry.version } ?? place
    }
    model.versions.insert(version, at: place)
    model.lastNumber = max(model.lastNumber, entry.version)
    return nil
  }

  /// - Throws: a usage failure that names the nearest model there is.
  public func model(_ name: String) throws(Failure) -> RegisteredModel {
    guard let model = models[name], model.lastNumber > 0 else {
      let known = models.keys.sorted()
      throw .usage(
        "no model '\(name)' is registered",
        hint: Spelling.nearest(name, among: known).map { "did you mean '\($0)'?" }
          ?? (known.isEmpty
            ? "rtinfer registry add \(name) model.json"
            : "registered: \(known.prefix(10).joined(separator: ", "))"))
    }
    return model
  }

  /// The version that a reference stands for.
  public func version(_ uri: ModelURI) throws(Failure) -> RegistryVersion {
    let model = try model(uri.model)
    switch uri.reference {
    case .version(let number):
      guard let version = model[number] else {
        throw .usage(
          "\(uri.description): there is no version \(number) of '\(uri.model)'",
          hint: model.versions.last.map { "the newest is \($0.number)" })
      }
      return version
    case .alias(RegistryFolder.newest):
      guard let version = model.versions.last else {
        throw .usage("\(uri.description): no version of '\(uri.model)' is left")
      }
      return version
    case .alias(let alias):
      guard let number = model.aliases[alias]?.last, let version = model[number] else {
        let known = model.aliases.keys.sorted()
        throw .usage(
          "\(uri.description): '\(uri.model)' has no alias '\(alias)'",
          hint: Spelling.nearest(alias, among: known).map { "did you mean '\($0)'?" }
            ?? "rtinfer registry promote \(uri.model) VERSION \(alias)")
      }
      return version
    }
  }
}

extension [Int] {
  /// Removes a version from a history; what then stands behind itself is one.
  fileprivate mutating func forget(_ version: Int) {
    self = reduce(into: []) { history, next in
      if next != version, next != history.last { history.append(next) }
    }
  }
}
