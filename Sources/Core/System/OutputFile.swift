// A file that the user names for a command's output. A plain one appears whole; what stands for another (a link, a device such
// as /dev/stdout, a named pipe) is written through and never renamed over: it would be gone.

public enum OutputFile {
  /// Replaces the file at `path`, or makes it, or writes into what it stands for.
  public static func write(
    _ contents: Bytes, to path: String, in files: any FileSystem
  ) throws(Failure) {
    guard files.standsForAnother(path) else {
      return try AtomicFile.write(contents, to: path, in: files)
    }
    try DescriptorSink.file(path).write(contents)
  }
}
