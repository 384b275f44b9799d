// Where a command's page goes: a file that appears whole, or a device, which is written to and never renamed over.

import Core

enum PageFile {
  static let html = Flag(
    "html", .file, "Write a report there, too: one page that needs nothing else")

  /// Writes what `body` appends, where --html is given.
  static func write(
    _ invocation: Invocation, _ body: (OutputBuffer) -> Void
  ) throws(Failure) {
    guard let path = try invocation.options.value(html) else { return }
    let isDevice = path.hasPrefix("/dev/")
    let page = OutputBuffer(isDevice ? try DescriptorSink.file(path) : MemorySink())
    body(page)
    if isDevice {
      try page.flush()
    } else {
      try AtomicFile.write(page.pending, to: path, in: invocation.files)
    }
  }
}
