// registry export, import: versions on their way to another registry, as one file.

import Core
import Models

enum RegistryTransfer {
  static let output = Flag("output", .file, "Write the archive there", default: "standard output")

  static let export = Command(
    name: "registry export",
    summary: "Write versions to a tar, for another registry",
    story: """
      Writes versions of NAME, all of them if none is named, to one tar: their manifests, all files that these name, \
      and the metrics and tags of each. Every digest is checked on the way. The same versions make the same bytes. \
      Aliases and the log stay here.
      """,
    operands: .files,
    flags: [output] + RegistryFlags.places,
    examples: [
      .init(
        "rtinfer registry export late_arrival @production --output late.tar",
        "What decides now, for another place."),
      .init(
        "rtinfer registry export late_arrival | ssh elsewhere rtinfer registry import /dev/stdin",
        "All versions, straight there."),
    ],
    run: runExport)

  static let `import` = Command(
    name: "registry import",
    summary: "Add the versions of a tar that export wrote",
    story: """
      Adds the versions in the tar FILE with the numbers, digests, metrics and tags that they had. The whole archive \
      is checked first, every digest and that every model loads; of one that is not exactly as export makes it, \
      nothing is taken. Versions that are here already are left out; a number that stands for another version here \
      is refused. No alias changes: promote says what decides. Makes the registry if there is none. Prints the \
      log's lines.
      """,
    operands: .files,
    flags: RegistryFlags.changes,
    examples: [.init("rtinfer registry import late.tar --actor ann", "Then: promote.")],
    run: runImport)

  /// Bytes of an archive, which is held in memory while it is checked.
  private static let archiveBytesMax = 4 << 30

  private static func runExport(_ invocation: Invocation) throws(Failure) -> ExitStatus {
    let operands = invocation.options.operands
    guard let name = operands.first else {
      throw .usage("NAME is missing", hint: "rtinfer registry export NAME [VERSION…]")
    }
    let view = try RegistryFlags.view(invocation)
    let state = try view.state()
    var versions: [RegistryVersion] = []
    for text in operands.dropFirst() {
      let version = try RegistryFlags.version(text, of: name, state)
      if !versions.contains(version) { versions.append(version) }
    }
    if operands.count == 1 { versions = try state.model(name).versions }
    versions.sort { $0.number < $1.number }
    guard let path = try invocation.options.value(output) else {
      guard !invocation.terminal.outputIsTerminal else {
        throw .usage("an archive is not for a terminal", hint: "--output late.tar, or a pipe")
      }
      try RegistryArchive.export(versions, of: view, to: invocation.output)
      return .success
    }
    if invocation.files.standsForAnother(path) {
      try RegistryArchive.export(
        versions, of: view, to: OutputBuffer(try OutputFile.sink(path)))
      return .success
    }
    // Beside its name first, so that a half-written one is never found there.
    let temporary = "\(path).new"
    do throws(Failure) {
      try RegistryArchive.export(
        versions, of: view, to: OutputBuffer(try DescriptorSink.file(temporary)))
    } catch {
      try? invocation.files.remove(temporary)
      throw error
    }
    do throws(SystemError) {
      try invocation.files.open(temporary, .append).sync()
      try invocation.files.rename(temporary, to: path)
    } catch {
      throw .inputOutput("\(path): \(error.call): \(error.reason)")
    }
    invocation.messages.note("\(versions.count.grouped) versions of \(name) are in \(path)")
    return .success
  }

  private static func runImport(_ invocation: Invocation) throws(Failure) -> ExitStatus {
    let path = try RegistryFlags.operands(invocation, ["FILE"])[0]
    let imported = try ImportedVersions(
      try invocation.files.contents(of: path, bytesMax: archiveBytesMax), source: path)
    let writer = try RegistryFlags.writer(invocation, makes: true)
    let (lines, known) = try writer.add(imported, author: try RegistryFlags.author(invocation))
    for line in lines { try invocation.write(line) }
    if known > 0 { invocation.messages.note("\(known.grouped) versions were here already") }
    return .success
  }
}
