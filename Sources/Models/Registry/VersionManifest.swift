// What a version is, written once and never changed: the whole decision. A rollback brings back the file and
// what the project said of it at that time: inputs, defaults, labels, rules, and how the views that it reads
// were defined.
//
//     {"manifest":1,"model":"late_arrival","version":3,"added":"…","by":"ann",
//      "file":{"name":"model.json","sha256":"…","bytes":1234},"files":[…],
//      "format":"xgboost-json","library":"3.2.0","objective":"binary:logistic",
//      "inputs":[{"name":"distance","type":"float"}],"outputs":1,"classes":2,
//      "decision":{"models":{…},"features":{…},"events":{…}},"views":{"origin_traffic":"<SHA-256>"},
//      "metrics":{…},"tags":{…},"training":{…},"profile":{…},"git_commit":"…","parent":2,"reason":"…"}
//
// What is learned of a version later (metrics, tags) is in the log.

public import Core

public struct VersionManifest: Sendable {
  /// A file in the blobs.
  public struct File: Sendable, Equatable {
    /// As it was called, relative to its folder.
    public let name: String
    /// SHA-256, 64 hexadecimal digits.
    public let digest: String
    public let bytes: Int

    public init(name: String, digest: String, bytes: Int) {
      self.name = name
      self.digest = digest
      self.bytes = bytes
    }
  }

  public struct Input: Sendable, Equatable {
    public let name: String
    /// As the file says; empty where it does not.
    public let type: String
  }

  /// What the project says of the model: a project file of its own, with the sections `models` (this one),
  /// `features` (the views that it reads) and `events`.
  public struct Decision: Sendable {
    public let project: ConfigNode

    public init(project: ConfigNode) { self.project = project }

    /// The definitions of the views that it reads, by name.
    public var views: [ConfigNode.Member] {
      guard let views = project["features"], case .object(let members) = views.value else {
        return []
      }
      return members
    }
  }

  public internal(set) var model: String
  public internal(set) var version: Int
  public internal(set) var added: Timestamp
  public internal(set) var by: String
  public let file: File
  /// What came with it: the other files of a folder.
  public internal(set) var files: [File] = []
  public let format: String
  public let library: String
  public let objective: String
  public let inputs: [Input]
  public let outputCount: Int
  public let classCount: Int
  public internal(set) var decision: Decision?
  public internal(set) var metrics: [String: Double] = [:]
  public internal(set) var tags: [String: String] = [:]
  /// The rows that it was trained with; only their digest is kept.
  public internal(set) var training: File?
  /// The reference profile that drift is measured against.
  public internal(set) var profile: File?
  public internal(set) var gitCommit: String?
  public internal(set) var parent: Int?
  public internal(set) var reason: String?

  /// All blobs that it names.
  public var blobs: [File] { [file] + files + (profile.map { [$0] } ?? []) }

  /// Of a model that was loaded from a file's bytes.
  init(model: String, version: Int, added: Timestamp, by: String, file: File, loaded: Model) {
    self.model = model
    self.version = version
    self.added = added
    self.by = by
    self.file = file
    format = loaded.format
    library = loaded.libraryVersion
    objective = loaded.objective
    inputs = (0..<loaded.inputCount).map { index in
      Input(
        name: loaded.inputNames.isEmpty ? "f\(index)" : loaded.inputNames[index],
        type: loaded.inputTypes.isEmpty ? "" : loaded.inputTypes[index])
    }
    outputCount = loaded.scoreCount
    classCount = loaded.classCount
  }

  // MARK: Writing

  /// One line with its end.
  public func encode() -> [UInt8] {
    let text = OutputBuffer(MemorySink(), capacity: 8 << 10)
    text.append("{\"manifest\":1")
    text.appendMember("model", model)
    text.appendMember("version", version)
    text.append(",\"added\":")
    text.appendQuoted(added)
    text.appendMember("by", by)
    text.appendMember("file", file)
    text.append(",\"files\":[")
    for (index, file) in files.enumerated() {
      if index > 0 { text.append(",") }
      text.append(file)
    }
    text.append("]")
    text.appendMember("format", format)
    text.appendMember("library", library)
    text.appendMember("objective", objective)
    appendInputs(to: text)
    text.appendMember("outputs", outputCount)
    text.appendMember("classes", classCount)
    appendDecision(to: text)
    text.append(",\"metrics\":")
    text.append(metrics: metrics)
    text.append(",\"tags\":")
    text.append(tags: tags.mapValues { $0 })
    text.appendMember("training", training)
    text.appendMember("profile", profile)
    text.appendMember("git_commit", gitCommit)
    text.appendMember("parent", parent)
    text.appendMember("reason", reason)
    text.append("}\n")
    return text.pending.copy()
  }

  private func appendInputs(to text: OutputBuffer) {
    text.append(",\"inputs\":[")
    for (index, input) in inputs.enumerated() {
      text.append(index > 0 ? ",{\"name\":" : "{\"name\":")
      text.appendQuoted(input.name)
      text.appendMember("type", input.type)
      text.append("}")
    }
    text.append("]")
  }

  private func appendDecision(to text: OutputBuffer) {
    guard let decision else { return }
    text.append(",\"decision\":")
    decision.project.append(to: text)
    text.append(",\"views\":{")
    for (index, view) in decision.views.enumerated() {
      if index > 0 { text.append(",") }
      text.appendQuoted(view.key)
      text.append(":")
      text.appendQuoted(view.node.fingerprint)
    }
    text.append("}")
  }

  // MARK: Reading

  private static let known = [
    "manifest", "model", "version", "added", "by", "file", "files", "format", "library",
    "objective",
    "inputs", "outputs", "classes", "decision", "views", "metrics", "tags", "training", "profile",
    "git_commit", "parent", "reason",
  ]

  /// - Parameter source: for messages.
  public init(_ contents: [UInt8], source: String) throws(Failure) {
    do throws(Failure) {
      try self.init(try JSON5Parser.parse(contents, file: source))
    } catch {
      throw .inputOutput(
        error.message, hint: "a manifest never changes: rtinfer registry verify shows what is wrong"
      )
    }
  }

  private init(_ node: ConfigNode) throws(Failure) {
    try node.allow(VersionManifest.known)
    guard try node.required("manifest").integer(in: 1...Int.max) == 1 else {
      throw node.failure("a manifest of a later version of rtinfer")
    }
    model = try node.required("model").string()
    version = try node.required("version").integer(in: 1...Int.max)
    let time = try node.required("added")
    guard let added = Timestamp(rfc3339: Bytes(owning: try time.string())) else {
      throw time.failure("not a time")
    }
    self.added = added
    by = try node.required("by").string()
    file = try VersionManifest.file(try node.required("file"))
    for file in try node.required("files").list() { files.append(try VersionManifest.file(file)) }
    format = try node.required("format").string()
    library = try node.required("library").string()
    objective = try node.required("objective").string()
    var inputs: [Input] = []
    for input in try node.required("inputs").list() {
      inputs.append(
        Input(
          name: try input.required("name").string(), type: try input.required("type").string()))
    }
    self.inputs = inputs
    outputCount = try node.required("outputs").integer(in: 0...Int.max)
    classCount = try node.required("classes").integer(in: 0...Int.max)
    decision = node["decision"].map { Decision(project: $0) }
    for metric in try node.required("metrics").members() {
      metrics[metric.key] = try metric.node.double()
    }
    for tag in try node.required("tags").members() { tags[tag.key] = try tag.node.string() }
    if let file = node["training"] { training = try VersionManifest.file(file) }
    if let file = node["profile"] { profile = try VersionManifest.file(file) }
    gitCommit = try node["git_commit"]?.string()
    parent = try node["parent"]?.integer(in: 1...Int.max)
    reason = try node["reason"]?.string()
  }

  private static func file(_ node: ConfigNode) throws(Failure) -> File {
    let digest = try node.required("sha256")
    let text = try digest.string()
    guard text.utf8.count == 64, text.allSatisfy({ $0.isHexDigit && !$0.isUppercase }) else {
      throw digest.failure("'\(text)' is not a SHA-256 of 64 lower-case hexadecimal digits")
    }
    return File(
      name: try node.required("name").string(), digest: text,
      bytes: try node.required("bytes").integer(in: 0...Int.max))
  }
}

extension OutputBuffer {
  func appendMember(_ name: StaticString, _ value: String?) {
    guard let value else { return }
    append(",\"")
    append(name)
    append("\":")
    appendQuoted(value)
  }

  func appendMember(_ name: StaticString, _ value: Int?) {
    guard let value else { return }
    append(",\"")
    append(name)
    append("\":")
    append(Int64(value))
  }

  func appendMember(_ name: StaticString, _ value: VersionManifest.File?) {
    guard let value else { return }
    append(",\"")
    append(name)
    append("\":")
    append(value)
  }

  func append(_ file: VersionManifest.File) {
    append("{\"name\":")
    appendQuoted(file.name)
    appendMember("sha256", file.digest)
    appendMember("bytes", file.bytes)
    append("}")
  }
}
