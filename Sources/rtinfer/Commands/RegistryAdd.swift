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
      --rows the model must first decide these rows, by the project's inputs. Makes the registry if there is none. \
      Prints the log's line.

      FILE may be a folder: of MLflow with an MLmodel file (xgboost, lightgbm, catboost and onnx flavours), or any with one model \
      file in it; its other files are kept beside, but for pipes, devices and links to folders. Where the project declares NAME as several files (combine), \
      there is no FILE: all of them are added as one version.
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
    let definition = try project?.models().first { $0.name == options.operands.first }
    let artifact = try artifact(definition, project, invocation)
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
    facts.source = options.operands.dropFirst().first ?? project?.shownName
    if let project, let definition {
      facts.decision = project.decision(of: definition, artifact.model)
    }
    let declared = definition ?? ModelDefinition(name: name, uri: artifact.name)
    // Inputs and rules are compiled: what could not decide is not added.
    let judge = try Judge(
      try DeclaredModel(declared, declared.isDeclared ? project : nil, model: artifact.model))
    if try options.value(rows) != nil { try tryOut(judge, invocation) }
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

  /// The file that is named, or all files of an ensemble that the project declares.
  private static func artifact(
    _ definition: ModelDefinition?, _ project: Project?, _ invocation: Invocation
  ) throws(Failure) -> ModelArtifact {
    if let project, let definition, case .ensemble(let ensemble) = definition.source {
      let given = invocation.options.operands
      guard given.count == 1 else {
        throw .usage(
          "unexpected '\(given[1])': \(project.shownName) says which files '\(definition.name)' combines",
          hint: "rtinfer registry add \(definition.name)")
      }
      return try ModelArtifact(ensemble, of: definition, project, invocation.files)
    }
    let operands = try RegistryFlags.operands(invocation, ["NAME", "FILE"])
    try RegistryFolder.check(model: operands[0])
    return try ModelArtifact(operands[1], invocation.files)
  }

  /// Decides the example rows, and prints none of it.
  private static func tryOut(_ judge: Judge, _ invocation: Invocation) throws(Failure) {
    let path = try invocation.options.value(rows)!
    let rejects = try Rejects(invocation)
    var count = 0
    let run = ScoreRun(
      invocation, judges: [judge], rejects: rejects, withMargin: false,
      tableSeparator: nil)
    run.onRow = { _ in count += 1 }
    try run.score(LineReader(try DescriptorSource.file(path)), format: "auto")
    run.progress.finish()
    guard try rejects.finish(total: run.rows) == .success else {
      throw .badData("not added: it cannot decide \(rejects.count.grouped) rows of \(path)")
    }
    guard count > 0 else { throw .badData("--rows: \(path) has no row") }
    invocation.messages.note("\(count.grouped) rows of \(path) can be decided")
  }
}

extension Invocation {
  /// Writes bytes out at once.
  func write(_ bytes: [UInt8]) throws(Failure) {
    bytes.withBytes { output.append($0) }
    try output.flush()
  }
}
