// A thread that runs one function to its end. Work that waits for the system (sockets, files) has threads of its own:
// the pool that Swift's tasks share must never wait.

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

public final class WorkerThread {
  private final class Work {
    let run: () -> Void
    init(_ run: @escaping () -> Void) { self.run = run }
  }

  #if canImport(Glibc)
    private var thread = pthread_t()
  #else
    private var thread: pthread_t?
  #endif

  /// Starts it.
  ///
  /// - Parameter run: all that it touches is its own from now on, or may be shared.
  public init(_ run: @escaping () -> Void) throws(Failure) {
    let work = Unmanaged.passRetained(Work(run))
    #if canImport(Glibc)
      let status = pthread_create(
        &thread, nil,
        { argument in
          Unmanaged<Work>.fromOpaque(argument!).takeRetainedValue().run()
          return nil
        }, work.toOpaque())
    #else
      let status = pthread_create(
        &thread, nil,
        { argument in
          Unmanaged<Work>.fromOpaque(argument).takeRetainedValue().run()
          return nil
        }, work.toOpaque())
    #endif
    guard status == 0 else {
      work.release()
      throw .inputOutput("pthread_create: \(String(cString: strerror(status)))")
    }
  }

  /// Lets it go on alone, instead of `join`.
  public func detach() {
    #if canImport(Glibc)
      pthread_detach(thread)
    #else
      if let thread { pthread_detach(thread) }
    #endif
  }

  /// Waits until it has ended; to be called once.
  public func join() {
    #if canImport(Glibc)
      pthread_join(thread, nil)
    #else
      if let thread { pthread_join(thread, nil) }
    #endif
  }
}
