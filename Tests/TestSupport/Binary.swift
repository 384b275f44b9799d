// Where the built programs are. `swift test` builds the binary into the folder of the test bundle,
// so what is tested is always what was just built, in the same configuration.

public import Foundation

public enum Binary {
  /// The folder of everything that was built: the test bundle lies in it, and `rtinfer` beside it.
  public static let folder: URL = {
    #if os(Linux)
      let own = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
      return URL(filePath: own ?? CommandLine.arguments[0]).deletingLastPathComponent()
    #else
      let bundle = Bundle.allBundles.first { $0.bundlePath.hasSuffix(".xctest") }
      return bundle!.bundleURL.deletingLastPathComponent()
    #endif
  }()

  public static let rtinfer = folder.appending(path: "rtinfer").path()

  /// The path of a program that may be there or not, such as another shell; nil where it is not.
  public static func find(_ program: String) -> String? {
    let folders = (ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin").split(
      separator: ":")
    return folders.map { "\($0)/\(program)" }.first {
      FileManager.default.isExecutableFile(atPath: $0)
    }
  }

  /// All that a tested program learns of the world: where programs are, a home, and no language.
  public static func environment(home: URL) -> [String: String] {
    let path = ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin"
    return ["PATH": "\(folder.path()):\(path)", "HOME": home.path(), "LC_ALL": "C"]
  }
}
