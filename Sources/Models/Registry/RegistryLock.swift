// The lock of a registry: one process changes it, the others wait. It is the system's, so it ends with its holder
// however that ends.

public import Core

public enum RegistryLock {
  static func take(
    _ folder: RegistryFolder, _ clock: any Clock, _ patience: TimeSpan, _ pause: (Int) -> Bool
  ) throws(Failure) -> any FileLock {
    let deadline = clock.monotonicNanoseconds() + patience.nanoseconds
    while true {
      let answer = try folder.attempt(RegistryFolder.lock) { () throws(SystemError) in
        try folder.files.lock(folder.absolute(RegistryFolder.lock))
      }
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
