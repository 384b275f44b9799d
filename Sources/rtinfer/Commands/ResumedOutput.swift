// --out: records go to a file that later runs go on with, instead of stdout.

import Core

enum ResumedOutput {
  static let flag = Flag(
    "out", .file,
    "Append the records to this file, and leave out those that it holds from an earlier run",
    default: "stdout")

  /// The file that --out names; nil where it names none.
  ///
  /// - Parameters:
  ///   - kind: of the records.
  ///   - bound: what answers later events is to be cut off (`ResumableFile.cutBack`).
  static func open(
    _ invocation: Invocation, kind: String, upTo bound: Int64 = .max
  ) throws(Failure) -> ResumableFile? {
    guard let path = try invocation.options.value(flag) else { return nil }
    let messages = invocation.messages
    return try ResumableFile(path, kind: kind, upTo: bound, files: invocation.files) { bytes in
      messages.note("\(path): \(bytes.grouped) bytes behind its last whole record were cut off")
    }
  }
}

extension Messages {
  /// What did not have to be written again.
  func report(_ file: ResumableFile) {
    guard file.heldCount > 0 else { return }
    note("\(file.path): \(file.heldCount.grouped) records were there already")
  }
}
