// Who runs this process, where the environment does not say.

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

public enum CurrentUser {
  /// The name that the system has for the user's number, else `uid 1000`.
  public static var name: String {
    let number = getuid()
    var texts = [CChar](repeating: 0, count: 16 << 10)
    let name = texts.withUnsafeMutableBufferPointer { texts -> String? in
      var entry = passwd()
      var found: UnsafeMutablePointer<passwd>?
      guard getpwuid_r(number, &entry, texts.baseAddress!, texts.count, &found) == 0, found != nil,
        let name = entry.pw_name, name.pointee != 0
      else { return nil }
      return String(cString: name)
    }
    return name ?? "uid \(number)"
  }
}
