// registry list, show, resolve: what there is.

import Core
import Models

enum RegistryListing {
  static let list = Command(
    name: "registry list",
    summary: "List the versions of all models, or of one",
    story: """
      Prints a line for each version, the oldest first: its number, when and by whom it was added, its file's \
      digest and size, metrics, tags, and the aliases that stand for it. On a terminal it is a table of the newest \
      last, with the metrics that gates ask for most.
      """,
    operands: .word("NAME"),
    flags: RegistryFlags.places,
    examples: [
      .init(
        "rtinfer registry list late_arrival | jq -r '[.version, .metrics.auc] | @tsv'",
        "How the model came along."),
      .init("rtinfer registry list | jq 'select(.aliases[] == \"production\")'", "What decides."),
    ],
    run: runList)

  static let show = Command(
    name: "registry show",
    summary: "Show all that is known of a version",
    story: """
      Prints the version's manifest as it was written when it was added, and what was learned since: metrics, \
      tags, aliases. VERSION is a number, an alias as @production, or latest.
      """,
    operands: .files,
    flags: RegistryFlags.places,
    examples: [
      .init("rtinfer registry show late_arrival @production | jq .manifest.decision", "The rules.")
    ],
    run: runShow)

  static let resolve = Command(
    name: "registry resolve",
    summary: "Print the path of a version's model file",
    story: """
      For scripts that want the file: prints its path in the registry, and nothing else. A version whose manifest is \
      not as it was registered is an error (4); the file's own digest is what verify checks, and whoever loads it.
      """,
    operands: .word("URI"),
    flags: RegistryFlags.places,
    examples: [
      .init(
        "cp $(rtinfer registry resolve models:/late_arrival@production) model.json",
        "What decides now, as a file.")
    ],
    run: runResolve)

  private static func runList(_ invocation: Invocation) throws(Failure) -> ExitStatus {
    let view = try RegistryFlags.view(invocation)
    let name = invocation.options.operands.first
    guard invocation.terminal.outputIsTerminal else {
      try view.list(name, to: invocation.output)
      return .success
    }
    let state = try view.state()
    var models = state.models
    if let name { models = [name: try state.model(name)] }
    try invocation.write(Array(RegistryTable.text(of: models).utf8))
    return .success
  }

  private static func runShow(_ invocation: Invocation) throws(Failure) -> ExitStatus {
    let operands = try RegistryFlags.operands(invocation, ["NAME", "VERSION"])
    let view = try RegistryFlags.view(invocation)
    let state = try view.state()
    let version = try RegistryFlags.version(operands[1], of: operands[0], state)
    let manifest = try view.manifest(version)
    let output = invocation.output
    version.append(
      to: output, aliases: try state.model(operands[0]).aliases(of: version.number))
    output.rewind(to: output.count - 1)
    output.append(",\"path\":")
    output.appendQuoted(view.path(of: manifest.file))
    output.append(",\"manifest\":")
    let text = manifest.encode()
    Array(text.dropLast()).withBytes { output.append($0) }
    output.append("}")
    try output.endRecord()
    return .success
  }

  private static func runResolve(_ invocation: Invocation) throws(Failure) -> ExitStatus {
    guard let text = invocation.options.operands.first else {
      throw .usage(
        "no model is named", hint: "rtinfer registry resolve models:/late_arrival@production")
    }
    let view = try RegistryFlags.view(invocation)
    let path = view.path(of: try view.manifest(try ModelURI(text)).file)
    guard view.folder.files.exists(path) else {
      throw .inputOutput(
        "\(path): the model file is missing",
        hint: "rtinfer registry verify shows all that is wrong")
    }
    try invocation.write(Array("\(path)\n".utf8))
    return .success
  }
}
