public import Foundation
import Synchronization

/// A folder that is gone when the test is.
public final class TemporaryFolder: Sendable {
  public let url: URL

  /// Those that nobody has let go of, as what several tests share is kept until the end.
  private static let kept = Mutex<Set<URL>>([])
  private static let removesKept: Void = {
    atexit {
      for url in TemporaryFolder.kept.withLock({ $0 }) { TemporaryFolder.remove(url) }
    }
  }()

  public init() throws {
    url = FileManager.default.temporaryDirectory.appending(
      path: "rtinfer-\(UUID().uuidString)", directoryHint: .isDirectory)
    try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    _ = TemporaryFolder.removesKept
    TemporaryFolder.kept.withLock { _ = $0.insert(url) }
  }

  deinit {
    TemporaryFolder.kept.withLock { _ = $0.remove(url) }
    TemporaryFolder.remove(url)
  }

  private static func remove(_ url: URL) { try? FileManager.default.removeItem(at: url) }

  public func path(_ name: String) -> String { url.appending(path: name).path() }

  public func text(_ name: String) throws -> String {
    String(decoding: try Data(contentsOf: url.appending(path: name)), as: UTF8.self)
  }

  public func write(_ text: String, _ name: String) throws {
    try Data(text.utf8).write(to: url.appending(path: name))
  }
}
