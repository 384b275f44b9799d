// epoll: the system keeps the list, so that ten thousand idle connections cost nothing.

#if os(Linux)
  import Core
  import Glibc
  import SystemHeaders

  final class EpollPoller: Poller {
    private let descriptor: Int32
    private let events: UnsafeMutablePointer<epoll_event>

    init() throws(Failure) {
      descriptor = epoll_create1(Int32(EPOLL_CLOEXEC))
      guard descriptor >= 0 else {
        throw .inputOutput("epoll_create1: \(String(cString: strerror(errno)))")
      }
      events = .allocate(capacity: Limits.eventsPerTurn)
    }

    deinit {
      Socket.close(descriptor)
      events.deallocate()
    }

    private static func event(_ token: Int, _ interest: Interest) -> epoll_event {
      let wanted =
        (interest.contains(.read) ? EPOLLIN.rawValue : 0)
        | (interest.contains(.write) ? EPOLLOUT.rawValue : 0)
      return epoll_event(events: wanted, data: epoll_data_t(u64: UInt64(token)))
    }

    func add(_ descriptor: Int32, token: Int, _ interest: Interest) throws(Failure) {
      var event = EpollPoller.event(token, interest)
      guard epoll_ctl(self.descriptor, EPOLL_CTL_ADD, descriptor, &event) == 0 else {
        throw .inputOutput("epoll_ctl: \(String(cString: strerror(errno)))")
      }
    }

    func change(_ descriptor: Int32, token: Int, _ interest: Interest) {
      var event = EpollPoller.event(token, interest)
      epoll_ctl(self.descriptor, EPOLL_CTL_MOD, descriptor, &event)
    }

    func remove(_ descriptor: Int32) {
      var event = epoll_event()
      epoll_ctl(self.descriptor, EPOLL_CTL_DEL, descriptor, &event)
    }

    func wait(milliseconds: Int32, into ready: inout [Readiness]) {
      ready.removeAll(keepingCapacity: true)
      let count = epoll_wait(descriptor, events, Int32(Limits.eventsPerTurn), milliseconds)
      guard count > 0 else { return }
      for index in 0..<Int(count) {
        let (seen, token) = (events[index].events, Int(events[index].data.u64))
        ready.append(
          Readiness(
            token: token, canRead: seen & EPOLLIN.rawValue != 0,
            canWrite: seen & EPOLLOUT.rawValue != 0,
            isBroken: seen & (EPOLLERR.rawValue | EPOLLHUP.rawValue) != 0))
      }
    }
  }
#endif
