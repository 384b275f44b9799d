// Events in memory, to be read again and again: what a disk or a pipe costs is no part of what is measured with them.

import Core

struct HeldEvents {
  private let files: [(name: String, bytes: [UInt8])]

  init(_ invocation: Invocation) throws(Failure) {
    var files: [(name: String, bytes: [UInt8])] = []
    var count = 0
    for source in try invocation.inputs() {
      let bytes = try HeldEvents.bytes(source, atMost: Limits.heldEventBytesMax - count)
      count += bytes.count
      files.append((source.name, bytes))
    }
    self.files = files
  }

  /// At least as many as there are events.
  var lineCount: Int {
    files.reduce(0) { $0 + 1 + $1.bytes.count { $0 == UInt8(ascii: "\n") } }
  }

  /// The same events from the beginning.
  func sources() -> [any ByteSource] {
    files.map { MemorySource($0.bytes, name: $0.name) }
  }

  private static func bytes(
    _ source: any ByteSource, atMost bound: Int
  ) throws(Failure) -> [UInt8] {
    var bytes: [UInt8] = []
    let part = UnsafeMutableRawBufferPointer.allocate(byteCount: Limits.readBytes, alignment: 1)
    defer { part.deallocate() }
    while true {
      let count = try source.read(into: part)
      if count == 0 { return bytes }
      guard bytes.count + count <= bound else {
        throw .usage(
          "\(source.name): the events together are more than \(Limits.heldEventBytesMax >> 20) MiB,"
            + " and all are held in memory",
          hint: "head -n 1000000 of them are enough to measure with")
      }
      bytes.append(contentsOf: part[..<count])
    }
  }
}
