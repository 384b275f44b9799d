// registry: which model decides, since when, and who said so.

import Core
import Models

enum RegistryCommand {
  static let command = Command(
    name: "registry",
    summary: "Keep versions of models, and say which one decides",
    story: """
      A folder that scripts can trust, with no server: versions that never change, aliases such as production that \
      stand for one of them, and a log of everything that happened. A version is the whole decision: the model \
      file and what the project says of it (inputs, defaults, labels, rules, the definitions of the views that it \
      reads), so a rollback brings back the decision and not only the file.

      A version is named models:/NAME/3, or models:/NAME@production for what an alias stands for, or \
      models:/NAME@latest; score, serve, bench and drift take such names wherever they take a model file, the \
      project does as uri and among the files of combine, and the verbs in place of NAME VERSION.

      What it does is a verb of its own. Two processes at once never lose a change, and readers never wait. The \
      folder may be on a shared file system that has these three: flock that all its machines see (NFS 4, or NFS 3 with \
      its lock service; not sshfs, nor NFS mounted with nolock or local_lock), a rename that replaces a file at once, \
      and fsync of files and folders.
      """,
    operands: .none,
    flags: [],
    examples: [
      .init(
        "rtinfer registry add late_arrival model.json --metric auc=0.91",
        "A new version, from the project around here."),
      .init(
        "rtinfer registry promote late_arrival 3 production --require 'auc >= 0.9'",
        "Only if it is good enough: else status 1 and the reason."),
      .init("rtinfer registry rollback late_arrival production", "Back to what it was before."),
      .init(
        "rtinfer score --model $(rtinfer registry resolve models:/late_arrival@production) rows.csv",
        "What decides now; models:/late_arrival@production itself does as well."),
    ],
    verbs: [
      RegistryAdd.command, RegistryListing.list, RegistryListing.show, RegistryDiff.command,
      RegistryAliases.promote,
      RegistryAliases.rollback, RegistryListing.resolve, RegistryHistory.log, RegistryHistory.at,
      RegistryAliases.tag, RegistryEvaluate.command, RegistryHistory.verify,
      RegistryUpkeep.collect, RegistryTransfer.export, RegistryTransfer.import,
      RegistryUpkeep.watch,
    ]
  ) { _ throws(Failure) in
    throw .usage(
      "say what to do: add, list, show, diff, promote, rollback, resolve, log, at, tag,"
        + " evaluate, verify, gc, export, import or watch",
      hint: "rtinfer registry list; rtinfer registry --help shows all")
  }
}

/// The flags that say where the registry is, and who changes it.
enum RegistryFlags {
  static let registry = Flag(
    "registry", .folder, "The registry's folder",
    default: ".rtinfer/registry beside the project file")
  static let wait = Flag(
    "wait", .text("SPAN"), "Wait so long for another process that is changing the registry",
    default: "10s")
  static let actor = Flag("actor", .text("WHO"), "Who makes the change", default: "the user's name")
  static let reason = Flag("reason", .text("TEXT"), "Why, for the log")

  static let places = [CommonFlags.project, registry]
  static let changes = [CommonFlags.project, registry, actor, reason, wait]

  /// Where the registry is: as the flag says, else beside the project file, else here.
  static func folder(_ invocation: Invocation, _ project: Project?) throws(Failure)
    -> RegistryFolder
  {
    // For commands without the flag its environment variable holds all the same.
    let named = try invocation.options.value(registry)
    let path = named ?? project?.resolve(".rtinfer/registry") ?? ".rtinfer/registry"
    return RegistryFolder(path, files: invocation.files)
  }

  static func view(_ invocation: Invocation) throws(Failure) -> RegistryView {
    try RegistryView(try folder(invocation, try Project.find(invocation)))
  }

  /// The one writer. Only `add` and `import` make a registry where there is none.
  static func writer(
    _ invocation: Invocation, makes: Bool = false
  ) throws(Failure) -> RegistryWriter {
    let folder = try folder(invocation, try Project.find(invocation))
    if !makes { _ = try RegistryView(folder) }
    return try RegistryWriter(
      folder, clock: invocation.clock, patience: try invocation.options.span(wait) ?? .seconds(10),
      pause: { Signals.sleep(milliseconds: $0) })
  }

  static func author(_ invocation: Invocation) throws(Failure) -> ChangeAuthor {
    let environment = invocation.environment
    // Cron and containers may set neither.
    let user = [environment["USER"], environment["LOGNAME"]].compactMap { $0 }.first { !$0.isEmpty }
    return ChangeAuthor(
      by: try invocation.options.value(actor) ?? user ?? CurrentUser.name,
      reason: try invocation.options.value(reason))
  }

  // MARK: Operands

  /// Exactly the operands that are named, or what to type. Where they begin with a model and its version, a
  /// `models:/…` stands for both.
  static func operands(
    _ invocation: Invocation, _ names: [String]
  ) throws(Failure) -> [String] {
    var given = invocation.options.operands
    if names.starts(with: ["NAME", "VERSION"]), let first = given.first, ModelURI.isURI(first) {
      given.replaceSubrange(0..<1, with: words(try ModelURI(first)))
    }
    guard given.count == names.count else {
      let command = invocation.command
      throw .usage(
        given.count < names.count
          ? "\(names[given.count]) is missing" : "unexpected '\(given[names.count])'",
        hint: "rtinfer \(command.name) \(names.joined(separator: " "))")
    }
    return given
  }

  /// A model and its version, as they are typed apart.
  static func words(_ uri: ModelURI) -> [String] {
    switch uri.reference {
    case .version(let number): [uri.model, "\(number)"]
    case .alias(let alias): [uri.model, "@\(alias)"]
    }
  }

  /// A version's number, an alias as `@production`, or `latest`.
  static func version(
    _ text: String, of model: String, _ state: RegistryState
  ) throws(Failure) -> RegistryVersion {
    if let number = Int(text) {
      return try state.version(ModelURI(model: model, .version(number)))
    }
    let alias = text.hasPrefix("@") ? String(text.dropFirst()) : text
    return try state.version(ModelURI(model: model, .alias(alias)))
  }

  /// `NAME=VALUE,…` as pairs.
  static func pairs(
    _ flag: Flag, _ options: Options
  ) throws(Failure) -> [(name: String, value: String)] {
    guard let text = try options.value(flag) else { return [] }
    var pairs: [(name: String, value: String)] = []
    for part in text.split(separator: ",", omittingEmptySubsequences: false) {
      let halves = part.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      guard halves.count == 2, !halves[0].isEmpty else {
        throw .usage("\(options.origin(flag)): '\(part)' is not NAME=VALUE")
      }
      guard !pairs.contains(where: { $0.name == halves[0] }) else {
        throw .usage("\(options.origin(flag)): '\(halves[0])' is given twice")
      }
      pairs.append((String(halves[0]), String(halves[1])))
    }
    return pairs
  }

  static func metrics(_ flag: Flag, _ options: Options) throws(Failure) -> [String: Double] {
    var metrics: [String: Double] = [:]
    for (name, text) in try pairs(flag, options) {
      guard RegistryFolder.isMetric(name) else {
        throw .usage(
          "\(options.origin(flag)): '\(name)' is not a metric's name: letters, digits and '_', not a"
            + " digit first, and no word of expressions")
      }
      guard let value = Double(text), value.isFinite else {
        throw .usage("\(options.origin(flag)): \(name): '\(text)' is not a number")
      }
      metrics[name] = value
    }
    return metrics
  }

  static func tags(_ flag: Flag, _ options: Options) throws(Failure) -> [String: String] {
    var tags: [String: String] = [:]
    for (name, text) in try pairs(flag, options) {
      guard RegistryFolder.isName(name) else {
        throw .usage(
          "\(options.origin(flag)): '\(name)' is not a tag's name: letters, digits, '-', '_' and '.'"
        )
      }
      tags[name] = text
    }
    return tags
  }
}
