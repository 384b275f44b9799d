// --out: records go to a file that later runs go on with, instead of stdout.

import Core

enum ResumedOutput {
  static let flag = Flag(
    "out", .file,
    "Append the records to this file, and leave out those that it holds from an earlier run",
    default: "stdout")

  /// The file that --out names; nil where it names none.
  ///
  /// - Parameter bound: what answers later events is cut off.
  static func open(
    _ invocation: Invocation, upTo bound: Int64 = .max
  ) throws(Failure) -> ResumableFile? {
    guard let path = try invocation.options.value(flag) else { return nil }
    let file = try ResumableFile(path, upTo: bound, files: invocation.files)
    if file.cutBytes > 0 {
      invocation.messages.note(
        "\(path): \(file.cutBytes.grouped) bytes behind its last whole record were cut off")
    }
    return file
  }
}

extension Messages {
  /// What did not have to be written again.
  func report(_ file: ResumableFile) {
    guard file.heldCount > 0 else { return }
    note("\(file.path): \(file.heldCount.grouped) records were there already")
  }
}
