// registry add: a file becomes a version. It is loaded and checked first; what does not load is not added.

import Core
import Decisions
import Models

enum RegistryAdd {
  static let metric = Flag("metric", .text("NAME=N,…"), "What was measured of it, for gates")
  static let tag = Flag("tag", .text("NAME=TEXT,…"), "Tags")
  static let rows = Flag(
    "rows", .file, "Rows that it must be able to decide, a table or NDJSON, before it is added")
  static let training = Flag(
    "training", .file, "The rows it was trained with: their fingerprint is kept")
  static let profile = Flag(
    "profile", .file, "The reference profile that drift is measured against")
  static let parent = Flag("parent", .text("N"), "The version it comes from", default: "the newest")

  static let command = Command(
    name: "registry add",
    summary: "Add a version of a model",
    story: """
      Loads the model file FILE, checks it, and adds it as the next version of NAME. Where the project declares a \
      model of that name, its inputs and rules are checked too, and its whole section and the definitions of the \
      views that it reads are kept with it. With \
      --rows the model must first decide these rows, by the project's inputs; an input that no row has a value for, and \
      for which the project declares no default, is refused. Makes the registry if there is none. \
      Prints the log's line.

      FILE may be a folder: of MLflow with an MLmodel file (xgboost, lightgbm, catboost and onnx flavours), or any with one model \
      file in it; its other files are kept beside, but for pipes, devices and links to folders. It may be models:/OTHER/3, a version \
      of another model, whose decision comes along unless the project declares one of NAME. Where the project declares \
      NAME as several files (combine), there is no FILE: all of them are added as one version. Versions among them \
      (models:/OTHER@production) are taken as they are now: the exact number is what is written down, and the file \
      is this version's own from then on, also when the other is removed.
      """,
    operands: .files,
    flags: [metric, tag, rows, training, profile, parent] + CommonFlags.records
      + RegistryFlags.changes,
    examples: [
      .init(
        "rtinfer registry add late_arrival model.json --metric auc=0.91,p99_us=420",
        "With figures that a gate can ask about."),
      .init(
        "rtinfer registry add late_arrival model.json --rows sample.csv --training train.csv",
        "Tried on rows first; the training set's fingerprint is kept."),
    ],
    run: run)

  private static func run(_ invocation: Invocation) throws(Failure) -> ExitStatus {
    let options = invocation.options
    let project = try Project.find(invocation)
    let (artifact, definition) = try artifact(
      try project?.models().first { $0.name == options.operands.first }, project, invocation)
    let name = options.operands[0]
    try RegistryFolder.check(model: name)
    let author = try RegistryFlags.author(invocation)
    var facts = VersionFacts(by: author.by)
    facts.reason = author.reason
    facts.metrics = try RegistryFlags.metrics(metric, options)
    facts.tags = try RegistryFlags.tags(tag, options)
    facts.parent = try options.integer(parent, in: 1...Int.max)
    facts.gitCommit = GitCommit.current(from: invocation.workingFolder, invocation.files)
    facts.files = artifact.files
    facts.source =
      artifact.registered?.manifest.exactName ?? options.operands.dropFirst().first
      ?? project?.shownName
    if let project, let definition {
      facts.decision = project.decision(of: definition, artifact.model)
    } else {
      facts.decision = artifact.registered?.manifest.decision
    }
    let declared = try declared(name, definition, artifact, project)
    // Inputs and rules are compiled: what could not decide is not added.
    let judge = try Judge(declared)
    if try options.value(rows) != nil { try tryOut(judge, declared, invocation) }
    if let path = try options.value(training) {
      let (digest, bytes) = try FileDigest.of(path, in: invocation.files)
      facts.training = VersionManifest.File(
        name: ModelArtifact.lastName(path), digest: digest, bytes: bytes)
    }
    if let path = try options.value(profile) {
      facts.profile = (
        ModelArtifact.lastName(path),
        try invocation.files.contents(of: path, bytesMax: Limits.projectBytesMax)
      )
    }
    let writer = try RegistryFlags.writer(invocation, makes: true)
    let line = try writer.add(
      model: name, contents: artifact.contents, name: artifact.name, loaded: artifact.model,
      facts: facts)
    try invocation.write(line)
    return .success
  }

  /// The model with what is said of it: by the project, else by the version that it is, else by nobody.
  private static func declared(
    _ name: String, _ definition: ModelDefinition?, _ artifact: ModelArtifact, _ project: Project?
  ) throws(Failure) -> DeclaredModel {
    if let definition {
      return try DeclaredModel(definition, project, model: artifact.model)
    }
    if let registered = artifact.registered {
      return try DeclaredModel(registered.definition, registered.project, model: artifact.model)
    }
    return try DeclaredModel(
      ModelDefinition(name: name, uri: artifact.name), nil, model: artifact.model)
  }

  /// The file or version that is named, or all files of an ensemble that the project declares, of exact versions then.
  private static func artifact(
    _ definition: ModelDefinition?, _ project: Project?, _ invocation: Invocation
  ) throws(Failure) -> (ModelArtifact, ModelDefinition?) {
    if let project, let definition, case .ensemble = definition.source {
      let given = invocation.options.operands
      guard given.count == 1 else {
        throw .usage(
          "unexpected '\(given[1])': \(project.shownName) says which files '\(definition.name)' combines",
          hint: "rtinfer registry add \(definition.name)")
      }
      let members = try RegisteredMembers(definition, project, invocation)
      guard case .ensemble(let pinned) = members.definition.source else {
        preconditionFailure("exact versions make it an ensemble still")
      }
      let artifact = try ModelArtifact(pinned, members, project, invocation.files)
      return (artifact, members.definition)
    }
    let operands = try RegistryFlags.operands(invocation, ["NAME", "FILE"])
    try RegistryFolder.check(model: operands[0])
    guard ModelURI.isURI(operands[1]) else {
      return (try ModelArtifact(operands[1], invocation.files), definition)
    }
    let view = try RegistryView(try RegistryFlags.folder(invocation, project))
    return (try ModelArtifact(try ModelURI(operands[1]), in: view, invocation.files), definition)
  }

  /// Decides the example rows, and prints none of it.
  private static func tryOut(
    _ judge: Judge, _ declared: DeclaredModel, _ invocation: Invocation
  ) throws(Failure) {
    let path = try invocation.options.value(rows)!
    let rejects = try Rejects(invocation)
    var count = 0
    var untried = Set(judge.decider.inputNames.indices)
    let run = ScoreRun(
      invocation, judges: [judge], rejects: rejects, withMargin: false,
      tableSeparator: nil)
    run.onRow = { decider in
      count += 1
      for index in untried where !decider.decision.inputs[index].isNull { untried.remove(index) }
    }
    try run.score(LineReader(try DescriptorSource.file(path)), format: "auto")
    run.progress.finish()
    guard try rejects.finish(total: run.rows) == .success else {
      throw .badData("not added: it cannot decide \(rejects.count.grouped) rows of \(path)")
    }
    guard count > 0 else { throw .badData("--rows: \(path) has no row") }
    try check(untried.sorted(), judge.decider, declared, path, invocation)
    invocation.messages.note("\(count.grouped) rows of \(path) can be decided")
  }
}

extension RegistryAdd {
  /// Inputs that had no value in any row. A model would decide without them, and nothing would say that a column is
  /// missing or called otherwise. It is as meant where the project says what stands for it, or that a member may be
  /// missing; and features are in the store, not in what asks.
  private static func check(
    _ untried: [Int], _ decider: Decider, _ declared: DeclaredModel, _ path: String,
    _ invocation: Invocation
  ) throws(Failure) {
    func isMeant(_ index: Int) -> Bool {
      if declared.definition.hasDefault(ofInput: decider.inputNames[index]) { return true }
      return decider.members(ofInput: index).contains { member in
        member[0].contains(":")
          || declared.schema.fields.contains { $0.name == member[0] && $0.isOptional }
      }
    }
    func list(_ indices: [Int]) -> String {
      indices.prefix(5).map { "'\(decider.inputNames[$0])'" }.joined(separator: ", ")
        + (indices.count > 5 ? ", …" : "")
    }
    let faults = untried.filter { !isMeant($0) }
    guard faults.isEmpty else {
      throw .badData(
        "not added: no row of \(path) has a value for \(list(faults)), and no default is declared",
        hint: declared.definition.isDeclared
          ? "rows with it, or defaults: { \"\(decider.inputNames[faults[0]])\": null } if it may be missing"
          : "rows with a column or member of that name")
    }
    if !untried.isEmpty {
      invocation.messages.note("no row of \(path) has a value for \(list(untried))")
    }
  }
}

extension Invocation {
  /// Writes bytes out at once.
  func write(_ bytes: [UInt8]) throws(Failure) {
    bytes.withBytes { output.append($0) }
    try output.flush()
  }
}
