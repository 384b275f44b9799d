// The lock of a registry: one process changes it, the others wait. It is the system's, so it ends with its holder
// however that ends. It is an flock of a file that is open for writing: Linux makes of that a lock of the server's where
// the folder is on NFS, so that machines exclude each other too. On file systems whose flock stays on its own machine
// (sshfs, NFS mounted with `local_lock` or `nolock`) they do not.

public import Core

public enum RegistryLock {
  static func take(
    _ folder: RegistryFolder, _ clock: any Clock, _ patience: TimeSpan, _ pause: (Int) -> Bool
  ) throws(Failure) -> any FileLock {
    let deadline = clock.monotonicNanoseconds() + patience.nanoseconds
    while true {
      let answer = try ask(folder)
      switch answer {
      case .taken(let lock): return lock
      case .held(let holder):
        guard clock.monotonicNanoseconds() < deadline, !pause(5) else {
          throw Failure(
            .locked,
            "\(folder.path): another process\(holder.map { " (\($0))" } ?? "") is changing the"
              + " registry",
            hint: "--wait 30s waits longer for it")
        }
      }
    }
  }

  private static func ask(_ folder: RegistryFolder) throws(Failure) -> LockAnswer {
    let path = folder.absolute(RegistryFolder.lock)
    do throws(SystemError) { return try folder.files.lock(path) } catch {
      guard error.hasNoLocks else { throw folder.failure(error, path) }
      throw Failure(
        .inputOutput, folder.failure(error, path).message,
        hint:
          "a registry needs a file system with locks, on a shared one locks that all its machines see:"
          + " NFS 4, or NFS 3 with its lock service")
    }
  }

  /// For a look that nobody should disturb; nil where the folder cannot be written, so that nobody can.
  public static func forReading(
    _ folder: RegistryFolder, clock: any Clock, patience: TimeSpan, pause: (Int) -> Bool
  ) throws(Failure) -> (any FileLock)? {
    do throws(Failure) {
      return try take(folder, clock, patience, pause)
    } catch {
      if error.status == .locked { throw error }
      return nil
    }
  }
}
