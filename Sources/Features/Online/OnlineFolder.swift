// The folder of an embedded store: a file for each view, and for what waits in each join (`JoinState+Rows`), and the lock of
// the one who writes them.
//
//     online/  writer.lock   origin_departures.online   ad_clicks.online   ad_clicks.join.online

public import Core

public struct OnlineFolder: Sendable {
  public let path: String
  let files: any FileSystem

  public init(_ path: String, in files: any FileSystem) {
    self.path = path
    self.files = files
  }

  func table(_ view: String) -> String { "\(path)/\(view).online" }

  /// A table that is being made and will take the other's place.
  func newTable(_ view: String) -> String { "\(table(view)).new" }

  func takeLock() throws(Failure) -> any FileLock {
    let answer: LockAnswer
    do throws(SystemError) {
      try files.makeFolder(path)
      answer = try files.lock("\(path)/writer.lock")
    } catch {
      throw .inputOutput("\(path): \(error.call): \(error.reason)")
    }
    switch answer {
    case .taken(let lock): return lock
    case .held(let holder):
      let who = holder.map { "process \($0)" } ?? "another process"
      throw Failure(
        .locked, "\(path): \(who) is writing this store", hint: "a store has one writer")
    }
  }
}

extension FeatureView {
  /// Of everything that the bytes of its rows depend on.
  var digest: [UInt8] {
    var digest = SHA256()
    Array("rows of version 1\n\(definition)".utf8).withBytes { digest.update($0) }
    return digest.finalize()
  }
}
