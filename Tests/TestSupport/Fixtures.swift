// Where the tests' files are. Fixtures lie outside the targets' folders (the top level is fixed), so they
// are found from this file's own path, not through the package's resources.

public import Foundation

public enum Fixtures {
  /// The package's top folder.
  public static let package = URL(filePath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

  public static let root = package.appending(path: "Fixtures")

  public static func bytes(_ path: String) throws -> [UInt8] {
    Array(try Data(contentsOf: root.appending(path: path)))
  }

  public static func text(_ path: String) throws -> String {
    String(decoding: try bytes(path), as: UTF8.self)
  }
}
