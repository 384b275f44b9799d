// Which of many descriptors can be read or written now: epoll where there is one, poll elsewhere. Both are
// level-triggered: what was not taken up is told again.

import Core

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

struct Interest: OptionSet {
  let rawValue: UInt8
  static let read = Interest(rawValue: 1)
  static let write = Interest(rawValue: 2)
}

struct Readiness {
  /// As given when the descriptor was added.
  let token: Int
  let canRead: Bool
  let canWrite: Bool
  /// Nothing can be read or written any more.
  let isBroken: Bool
}

protocol Poller: AnyObject {
  func add(_ descriptor: Int32, token: Int, _ interest: Interest) throws(Failure)
  func change(_ descriptor: Int32, token: Int, _ interest: Interest)
  func remove(_ descriptor: Int32)
  /// Waits until something can be done; `ready` is overwritten.
  ///
  /// - Parameter milliseconds: at most so long; -1 for ever.
  func wait(milliseconds: Int32, into ready: inout [Readiness])
  /// The same to the microsecond: for those who must act when a moment has come. May return sooner.
  func wait(nanoseconds: UInt64, into ready: inout [Readiness])
}

extension Poller {
  /// Rounded down: the last millisecond is waited for by looking again and again.
  func wait(nanoseconds: UInt64, into ready: inout [Readiness]) {
    wait(milliseconds: Int32(clamping: nanoseconds / 1_000_000), into: &ready)
  }
}

/// The system's best.
func makePoller(usesPoll: Bool = false) throws(Failure) -> any Poller {
  #if os(Linux)
    if !usesPoll { return try EpollPoller() }
  #endif
  return PollPoller()
}

/// For systems without epoll; each wait costs a look at every descriptor.
final class PollPoller: Poller {
  private var entries: [pollfd] = []
  private var tokens: [Int] = []
  private var places: [Int32: Int] = [:]

  private static func events(_ interest: Interest) -> Int16 {
    (interest.contains(.read) ? Int16(POLLIN) : 0)
      | (interest.contains(.write) ? Int16(POLLOUT) : 0)
  }

  func add(_ descriptor: Int32, token: Int, _ interest: Interest) throws(Failure) {
    places[descriptor] = entries.count
    entries.append(pollfd(fd: descriptor, events: PollPoller.events(interest), revents: 0))
    tokens.append(token)
  }

  func change(_ descriptor: Int32, token: Int, _ interest: Interest) {
    guard let place = places[descriptor] else { return }
    entries[place].events = PollPoller.events(interest)
  }

  func remove(_ descriptor: Int32) {
    guard let place = places.removeValue(forKey: descriptor) else { return }
    let last = entries.count - 1
    if place != last {
      entries[place] = entries[last]
      tokens[place] = tokens[last]
      places[entries[place].fd] = place
    }
    entries.removeLast()
    tokens.removeLast()
  }

  func wait(milliseconds: Int32, into ready: inout [Readiness]) {
    ready.removeAll(keepingCapacity: true)
    guard poll(&entries, nfds_t(entries.count), milliseconds) > 0 else { return }
    for (index, entry) in entries.enumerated() where entry.revents != 0 {
      let events = Int32(entry.revents)
      ready.append(
        Readiness(
          token: tokens[index], canRead: events & Int32(POLLIN) != 0,
          canWrite: events & Int32(POLLOUT) != 0,
          isBroken: events & (Int32(POLLERR) | Int32(POLLHUP) | Int32(POLLNVAL)) != 0))
    }
  }
}
