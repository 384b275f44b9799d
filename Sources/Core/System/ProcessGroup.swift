// The processes of a group, as long as any of them runs. Who has ended is there all the same until his parent has waited for
// him, and for those whose parent is gone that is the system's first process, which in a container may take its time, or
// never do it. Linux tells them apart in files; elsewhere the first process is at once with them.

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

public enum ProcessGroup {
  /// Whether anybody of the group runs.
  ///
  /// - Complexity: on Linux a look at every process, where the group has any.
  public static func runs(_ group: Int32) -> Bool {
    guard kill(-group, 0) == 0 else { return false }
    guard let names = try? Syscall.names(in: "/proc") else { return true }
    let processes = names.compactMap { Int32($0) }
    return processes.isEmpty || processes.contains { runs($0, of: group) }
  }

  private static func runs(_ process: Int32, of group: Int32) -> Bool {
    let path = "/proc/\(process)/stat"
    guard let text = try? RealFileSystem().contents(of: path, bytesMax: 4_096) else { return false }
    // Its number, its name in parentheses that may hold anything, its state, its parent's number and its group.
    let words = text.withBytes { $0.string }.split(separator: ")").last?.split(separator: " ") ?? []
    return words.count > 2 && Int32(words[2]) == group && words[0] != "Z" && words[0] != "X"
  }
}
