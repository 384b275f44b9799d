// Where a command's page goes.

import Core

enum PageFile {
  static let html = Flag(
    "html", .file, "Write a report there, too: one page that needs nothing else")

  /// Writes what `body` appends, where --html is given.
  static func write(
    _ invocation: Invocation, _ body: (OutputBuffer) -> Void
  ) throws(Failure) {
    guard let path = try invocation.options.value(html) else { return }
    let page = OutputBuffer(MemorySink())
    body(page)
    try OutputFile.write(page.pending, to: path, in: invocation.files)
  }
}
