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

  /// An optimised build of the sources as they are now: the tests' own, or that of `swift build -c release`; nil
  /// where there is none, or only one of older sources.
  public static let optimised: String? = {
    if folder.path().contains("/release") { return rtinfer }
    let path = Fixtures.package.appending(path: ".build/release/rtinfer").path()
    func changed(_ path: String) -> Date? {
      let attributes = try? FileManager.default.attributesOfItem(atPath: path)
      return attributes?[.modificationDate] as? Date
    }
    guard let built = changed(path) else { return nil }
    let sources = Fixtures.package.appending(path: "Sources").path()
    for file in FileManager.default.enumerator(atPath: sources) ?? .init() {
      if let date = changed("\(sources)/\(file)"), date > built { return nil }
    }
    return path
  }()

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
