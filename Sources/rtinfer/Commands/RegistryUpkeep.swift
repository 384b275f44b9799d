// registry gc, watch: taking away what nobody needs, and telling others of what changes.

import Core
import Models

enum RegistryUpkeep {
  static let keep = Flag(
    "keep", .text("N"), "Also remove versions older than the newest N of each model",
    default: "all versions stay")
  static let delete = Flag("delete", "Do it; without this flag it is only said what would be done")

  static let collect = Command(
    name: "registry gc",
    summary: "Remove files that no version needs, and old versions",
    story: """
      Says what would be removed, and removes it only with --delete: files that no version names, as an \
      interrupted add leaves them, and with --keep old versions. A version that an alias stands for, or stood for \
      before the last promotion, always stays, so that a rollback finds it.
      """,
    operands: .none,
    flags: [keep, delete] + RegistryFlags.changes,
    examples: [
      .init("rtinfer registry gc --keep 20", "What would go."),
      .init("rtinfer registry gc --keep 20 --delete", "Gone."),
    ],
    run: runCollect)

  static let watch = Command(
    name: "registry watch",
    summary: "Print each change as it happens",
    story: """
      Waits for changes and prints the log's line of each, until it is ended; a refused promotion is a line too, of \
      kind refusal and not change, so that it can be told and is not taken for one. A server follows its aliases by itself \
      with --follow, and reads its models again whenever it is sent SIGHUP.
      """,
    operands: .none,
    flags: RegistryFlags.places,
    examples: [
      .init(
        "rtinfer registry watch | jq -r 'select(.action == \"promote\") | .model'",
        "Who was promoted.")
    ],
    run: runWatch)

  private static func runCollect(_ invocation: Invocation) throws(Failure) -> ExitStatus {
    let options = invocation.options
    let garbage = RegistryGarbage(keeping: try options.integer(keep, in: 1...Int.max))
    let output = invocation.output
    guard options.isOn(delete) else {
      let view = try RegistryFlags.view(invocation)
      for version in garbage.versions(of: try view.state()) {
        version.append(to: output, aliases: [])
        try output.endRecord()
      }
      let blobs = try garbage.blobs(of: view)
      try append(blobs, isRemoved: false, to: output)
      invocation.messages.note("nothing is removed yet: --delete does it")
      return .success
    }
    let writer = try RegistryFlags.writer(invocation)
    let (lines, blobs) = try writer.collect(
      garbage, author: try RegistryFlags.author(invocation))
    for line in lines { try invocation.write(line) }
    try append(blobs, isRemoved: true, to: output)
    return .success
  }

  private static func append(
    _ blobs: [(name: String, bytes: Int)], isRemoved: Bool, to output: OutputBuffer
  ) throws(Failure) {
    for blob in blobs {
      output.append("{\"kind\":\"blob\",\"path\":")
      output.appendQuoted(blob.name)
      output.append(",\"bytes\":")
      output.append(Int64(blob.bytes))
      output.append(",\"removed\":")
      output.append(isRemoved ? "true" : "false")
      output.append("}")
      try output.endRecord()
    }
  }

  /// Milliseconds between two looks at a file of a line: fifty a second cost nothing that shows.
  private static let pause = 20

  private static func runWatch(_ invocation: Invocation) throws(Failure) -> ExitStatus {
    let folder = try RegistryFlags.view(invocation).folder
    var seen = try RegistryView(folder).log()
    invocation.messages.note("watching \(folder.path)")
    while !Signals.sleep(milliseconds: pause) {
      // A folder that is not there may be about to be put back.
      // What is wrong with a registry that is there ends the watch.
      guard folder.isThere else { continue }
      let log: [UInt8]
      do throws(Failure) {
        let view = try RegistryView(folder)
        guard try view.logBytes() != seen.count else { continue }
        log = try view.log()
      } catch {
        if !folder.isThere { continue }
        throw error
      }
      if log.starts(with: seen) {
        try invocation.write(Array(log[seen.count...]))
      } else {
        invocation.messages.note("\(folder.path): another log is here now; changes from now on")
      }
      seen = log
    }
    return .success
  }
}
