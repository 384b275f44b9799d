// The numbers of servers that are known by name. Whoever asks on an event loop never waits: a name that is not known yet is
// looked up on a thread of its own, and so is one behind whose number nobody answers, which may have moved.

import Core
import Synchronization

final class HostNumbers: Sendable {
  private struct Entry {
    var number: String?
    var isSought = false
  }

  private let entries = Mutex<[String: Entry]>([:])
  private let resolve: @Sendable (String) -> String?

  /// - Parameter resolve: looks a name up, however long that takes.
  init(
    resolve: @escaping @Sendable (String) -> String? = { host in
      if case .address(let number, _) = StreamSocket.resolve(host) { number } else { nil }
    }
  ) {
    self.resolve = resolve
  }

  /// Looks the names of an address up, for the first time, and waits.
  func find(_ address: RedisAddress) {
    for case .host(let host, _) in address.nodes { find(host) }
  }

  private func find(_ host: String) {
    let number = resolve(host)
    entries.withLock { entries in
      // An old number is better than none.
      entries[host] = Entry(number: number ?? entries[host]?.number)
    }
  }

  /// The number of a host; nil while it is not known.
  ///
  /// - Parameter waits: for a name that is not known yet.
  func number(of host: String, waits: Bool) -> String? {
    if let number = known(host) { return number }
    if waits { find(host) } else { seek(host) }
    return known(host)
  }

  private func known(_ host: String) -> String? { entries.withLock { $0[host]?.number } }

  /// Begins to look a name up, perhaps once more.
  func seek(_ host: String) {
    let isNew = entries.withLock { entries in
      guard entries[host]?.isSought != true else { return false }
      entries[host, default: Entry()].isSought = true
      return true
    }
    guard isNew else { return }
    do throws(Failure) {
      try WorkerThread({ [self] in find(host) }).detach()
    } catch {
      entries.withLock { $0[host]?.isSought = false }
    }
  }
}
