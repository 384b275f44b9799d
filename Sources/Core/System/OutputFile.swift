// A file that the user names for a command's output. A plain one appears whole; what stands for another (a link, a device, a
// named pipe) is written through and never renamed over: it would be gone. A name of one of our own streams, as
// /dev/stdout, is that stream: opened anew, a file behind it would be emptied of what is there.

public enum OutputFile {
  /// Replaces the file at `path`, or makes it, or writes into what it stands for.
  public static func write(
    _ contents: Bytes, to path: String, in files: any FileSystem
  ) throws(Failure) {
    if let descriptor = try descriptor(path) {
      return try DescriptorSink.open(descriptor, name: path).write(contents)
    }
    guard files.standsForAnother(path) else {
      return try AtomicFile.write(contents, to: path, in: files)
    }
    try DescriptorSink.file(path).write(contents)
  }

  /// Where what stands for another is written to piece by piece.
  public static func sink(_ path: String) throws(Failure) -> DescriptorSink {
    if let descriptor = try descriptor(path) { return DescriptorSink.open(descriptor, name: path) }
    return try DescriptorSink.file(path)
  }

  /// The stream that a path names, which must be one that the caller has handed over: none of ours.
  private static func descriptor(_ path: String) throws(Failure) -> Int32? {
    switch path {
    case "/dev/stdout": return 1
    case "/dev/stderr": return 2
    default:
      for folder in ["/dev/fd/", "/proc/self/fd/"] where path.hasPrefix(folder) {
        let number = Int32(path.dropFirst(folder.count))
        guard let number, Syscall.isInherited(number) else {
          throw .inputOutput(
            "\(path): no descriptor of that number was handed over, open for writing")
        }
        return number
      }
      return nil
    }
  }
}
