// epoll: the system keeps the list, so that ten thousand idle connections cost nothing. It counts in milliseconds; a
// finer wait is ended by a timer that is on the list too.

#if os(Linux)
  import Core
  import Glibc
  import SystemHeaders

  final class EpollPoller: Poller {
    private let descriptor: Int32
    private let events: UnsafeMutablePointer<epoll_event>
    /// -1 until the first fine wait.
    private var timer: Int32 = -1
    private static let timerToken = Int.max
    /// Shorter waits end sooner by looking again than by a timer.
    private static let timerNanosecondsMin: UInt64 = 5_000

    init() throws(Failure) {
      descriptor = epoll_create1(Int32(EPOLL_CLOEXEC))
      guard descriptor >= 0 else {
        throw .inputOutput("epoll_create1: \(String(cString: strerror(errno)))")
      }
      events = .allocate(capacity: Limits.eventsPerTurn)
    }

    deinit {
      StreamSocket.close(descriptor)
      if timer >= 0 { StreamSocket.close(timer) }
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

    func wait(nanoseconds: UInt64, into ready: inout [Readiness]) {
      if nanoseconds < EpollPoller.timerNanosecondsMin {
        return wait(milliseconds: 0, into: &ready)
      }
      guard startTimer(nanoseconds) else {
        return wait(milliseconds: Int32(clamping: nanoseconds / 1_000_000), into: &ready)
      }
      wait(milliseconds: -1, into: &ready)
    }

    /// Setting it again takes back what it said before.
    private func startTimer(_ nanoseconds: UInt64) -> Bool {
      if timer < 0 {
        timer = timerfd_create(CLOCK_MONOTONIC, Int32(TFD_CLOEXEC | TFD_NONBLOCK))
        guard timer >= 0 else { return false }
        // Told once for each time that it runs out: nobody reads it.
        var event = epoll_event(
          events: EPOLLIN.rawValue | EPOLLET.rawValue,
          data: epoll_data_t(u64: UInt64(EpollPoller.timerToken)))
        epoll_ctl(descriptor, EPOLL_CTL_ADD, timer, &event)
      }
      var setting = itimerspec()
      setting.it_value.tv_sec = Int(nanoseconds / 1_000_000_000)
      setting.it_value.tv_nsec = Int(nanoseconds % 1_000_000_000)
      return timerfd_settime(timer, 0, &setting, nil) == 0
    }

    func wait(milliseconds: Int32, into ready: inout [Readiness]) {
      ready.removeAll(keepingCapacity: true)
      let count = epoll_wait(descriptor, events, Int32(Limits.eventsPerTurn), milliseconds)
      guard count > 0 else { return }
      for index in 0..<Int(count) {
        let (seen, token) = (events[index].events, Int(events[index].data.u64))
        if token == EpollPoller.timerToken { continue }
        ready.append(
          Readiness(
            token: token, canRead: seen & EPOLLIN.rawValue != 0,
            canWrite: seen & EPOLLOUT.rawValue != 0,
            isBroken: seen & (EPOLLERR.rawValue | EPOLLHUP.rawValue) != 0))
      }
    }
  }
#endif
