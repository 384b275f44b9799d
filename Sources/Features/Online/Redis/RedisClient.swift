// Commands in, answers out, within a deadline, whatever becomes of servers and slots meanwhile:
//
//     command ──slot──▶ server ──▶ answer
//        ▲                │ MOVED, ASK, TRYAGAIN, LOADING, a lost connection …
//        └── at once, or ─┘
//            after a while
//
// All commands of a call go out together, to as many servers as need be, and are waited for together: one round trip.
// A command may be sent again after a connection was lost, so each must be one that may be done twice. Between
// attempts to connect to a server that does not answer time passes (`Backoff`); a call whose deadline comes before the
// next attempt ends at once. One client a thread.

import Core

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// What stands in the way of answers.
struct RedisTrouble: Equatable {
  let node: RedisNode
  let reason: String
  /// Whether trying again would end in the same way.
  var isFinal = false
}

final class RedisClient {
  /// What is done about trouble.
  enum Patience {
    /// The call ends with the first.
    case none
    /// Until the deadline it is tried again.
    case untilDeadline
  }

  /// What a call has come to.
  struct Result {
    /// By command; nil where there was none in time.
    var answers: [RESPValue?]
    /// The last that was met; it may have been overcome.
    var trouble: RedisTrouble?
  }

  /// A command that is to be sent.
  private struct Errand {
    let number: Int
    var node: RedisNode?
    var isAsking = false
    var loadsScript = false
    /// Not before this nanosecond.
    var time: UInt64 = 0
  }

  private struct Reach {
    var link: RedisLink?
    var backoff = Backoff(first: TimeSpan(microseconds: 10_000), most: .seconds(2))
    /// When the next attempt to connect may be made.
    var time: UInt64 = 0
  }

  /// The number of the question for the map.
  private static let mapNumber = -1
  private static let mapPause: UInt64 = 50_000_000
  /// Nanoseconds after which a connection without an answer is given up.
  private static let silenceMax: UInt64 = 5_000_000_000
  private static let silence = RedisLink.Fault(reason: "has not answered for 5 s", isFinal: false)

  let address: RedisAddress
  private let clock: any Clock
  private var random: SplitMix64
  private var reaches: [RedisNode: Reach] = [:]
  private let numbers: HostNumbers
  /// Whether names are waited for that are not known yet, beyond any deadline.
  var waitsForNames = true
  private var map: SlotMap?
  private var isMapSuspect = true
  private var isMapAwaited = false
  private var mapTime: UInt64 = 0
  private var mapTurn = 0
  /// Given to a server that does not know the one of a command.
  var scripts: [String] = []
  /// How often a connection was lost over which there had been an answer.
  private(set) var lossCount = 0

  // Of the call that is under way.
  private var commands: [RedisCommand] = []
  private var errands: [Errand] = []
  private var result = Result(answers: [])
  private var retry = Backoff(first: TimeSpan(microseconds: 5_000), most: .seconds(1))
  private var missing = 0
  private var redirections = 0

  /// - Parameter numbers: of all clients of a process that speak to the same servers.
  init(_ address: RedisAddress, numbers: HostNumbers, clock: any Clock) {
    self.address = address
    self.numbers = numbers
    self.clock = clock
    random = SplitMix64(seed: clock.monotonicNanoseconds())
  }

  /// - Returns: what answers came within `span`.
  func execute(
    _ commands: [RedisCommand], within span: TimeSpan, _ patience: Patience
  ) -> Result {
    let deadline = clock.monotonicNanoseconds() + span.nanoseconds
    begin(commands)
    while missing > 0 {
      let now = clock.monotonicNanoseconds()
      askForMap(now)
      submit(now)
      if let trouble = result.trouble, trouble.isFinal || patience == .none { break }
      guard missing > 0, now < deadline, let wake = wakeTime(deadline) else { break }
      wait(wake > now ? wake - now : 0)
      collect(clock.monotonicNanoseconds())
    }
    for reach in reaches.values { reach.link?.disown() }
    isMapAwaited = false
    self.commands = []
    return result
  }

  private func begin(_ commands: [RedisCommand]) {
    self.commands = commands
    errands = commands.indices.map { Errand(number: $0) }
    missing = commands.count
    redirections = 0
    result = Result(answers: Array(repeating: nil, count: commands.count))
    retry.reset()
  }

  // MARK: Sending

  /// Sends what is due; what cannot be sent now stays.
  private func submit(_ now: UInt64) {
    var later: [Errand] = []
    var last: (node: RedisNode, link: RedisLink)?
    for var errand in errands {
      guard errand.time <= now, let node = errand.node ?? node(for: commands[errand.number]) else {
        later.append(errand)
        continue
      }
      // Of a single server, and mostly of a cluster, the same as before.
      guard let link = last?.node == node ? last?.link : link(node, now) else {
        // Perhaps the map knows of another one by then.
        errand.node = nil
        errand.isAsking = false
        errand.time = max(now + 1, reaches[node]?.time ?? 0)
        later.append(errand)
        continue
      }
      last = (node, link)
      for script in errand.loadsScript ? scripts : [] {
        link.sendDropping(RedisCommand("SCRIPT", "LOAD", script))
      }
      if errand.isAsking { link.sendDropping(RedisCommand("ASKING")) }
      if !link.isAwaiting { link.heard = now }
      link.send(commands[errand.number], number: errand.number)
    }
    errands = later
    for reach in reaches.values { reach.link?.write() }
  }

  /// Nil while it is not known.
  private func node(for command: RedisCommand) -> RedisNode? {
    guard address.isCluster else { return address.nodes[0] }
    guard let map else { return nil }
    return command.slot.flatMap { map[$0] } ?? map.nodes.first
  }

  /// The connection to a server, made where there is none; nil while there cannot be one.
  private func link(_ node: RedisNode, _ now: UInt64) -> RedisLink? {
    var reach = reaches[node] ?? Reach()
    if let link = reach.link {
      if isSilent(link, now) { hear(link, now) }
      guard isSilent(link, now) else { return link }
      lose(node, RedisClient.silence, now)
      return nil
    }
    guard reach.time <= now else { return nil }
    guard let number = number(of: node) else {
      lose(node, RedisLink.Fault(reason: "no address is known for that name", isFinal: false), now)
      return nil
    }
    let link = RedisLink(node, at: number, address)
    link.heard = now
    reach.link = link
    reaches[node] = reach
    if let fault = link.fault {
      lose(node, fault, now)
      return nil
    }
    return link
  }

  /// Takes up what came in while nobody was waiting: an answer that was too late is no silence.
  private func hear(_ link: RedisLink, _ now: UInt64) {
    var entries = [link.interest]
    RedisSocket.wait(&entries, nanoseconds: 0)
    if entries[0].revents != 0 { link.advance(entries[0]) }
    guard link.hasHeard else { return }
    link.hasHeard = false
    link.heard = now
  }

  private func isSilent(_ link: RedisLink, _ now: UInt64) -> Bool {
    link.isAwaiting && now >= link.heard + RedisClient.silenceMax
  }

  private func number(of node: RedisNode) -> RedisNode? {
    guard case .host(let host, let port) = node else { return node }
    guard let number = numbers.number(of: host, waits: waitsForNames) else { return nil }
    return .host(number, port: port)
  }

  /// Asks one server after another which slots are whose.
  private func askForMap(_ now: UInt64) {
    guard address.isCluster, isMapSuspect, !isMapAwaited, mapTime <= now else { return }
    let known = (map?.nodes ?? []) + address.nodes
    for _ in known.indices {
      let node = known[mapTurn % known.count]
      mapTurn += 1
      guard let link = link(node, now) else { continue }
      link.send(RedisCommand("CLUSTER", "SLOTS"), number: RedisClient.mapNumber)
      link.write()
      isMapAwaited = true
      mapTime = now + RedisClient.mapPause
      return
    }
  }

  // MARK: Waiting

  /// When to look again; nil where nothing can come before the deadline.
  private func wakeTime(_ deadline: UInt64) -> UInt64? {
    var wake = UInt64.max
    for case let link? in reaches.values.lazy.map(\.link) where !link.outstanding.isEmpty {
      wake = min(wake, deadline, link.heard + RedisClient.silenceMax)
    }
    for errand in errands {
      if errand.time > 0 { wake = min(wake, errand.time) }
    }
    if address.isCluster, isMapSuspect, !isMapAwaited {
      let connects = ((map?.nodes ?? []) + address.nodes).map { reaches[$0]?.time ?? 0 }
      wake = min(wake, max(mapTime, connects.min() ?? 0))
    }
    return wake <= deadline ? wake : nil
  }

  private func wait(_ nanoseconds: UInt64) {
    let links = reaches.values.compactMap(\.link)
    var entries = links.map(\.interest)
    RedisSocket.wait(&entries, nanoseconds: nanoseconds)
    for (link, entry) in zip(links, entries) where entry.revents != 0 { link.advance(entry) }
  }

  // MARK: Answers

  /// How long all wait that were told to in one go.
  private var pause: UInt64?

  private func takePause() -> UInt64 {
    if pause == nil { pause = retry.next(&random) }
    return pause!
  }

  private func collect(_ now: UInt64) {
    pause = nil
    for (node, reach) in reaches {
      guard let link = reach.link else { continue }
      let answers = link.answers
      link.answers.removeAll(keepingCapacity: true)
      if link.hasHeard {
        link.hasHeard = false
        link.heard = now
        reaches[node]?.backoff.reset()
      }
      for (number, value) in answers {
        number == RedisClient.mapNumber ? takeMap(value, node) : settle(number, value, node, now)
      }
      if let fault = link.fault {
        lose(node, fault, now)
      } else if isSilent(link, now) {
        lose(node, RedisClient.silence, now)
      }
    }
  }

  private func settle(_ number: Int, _ value: RESPValue, _ node: RedisNode, _ now: UInt64) {
    guard case .error(let words) = value, let redirection = Redirection(words, saidBy: node) else {
      result.answers[number] = value
      missing -= 1
      return
    }
    var errand = Errand(number: number, time: now)
    switch redirection {
    case .moved(let slot, let target):
      guard address.isCluster else {
        result.trouble = RedisTrouble(
          node: node, reason: "is one of a cluster: say ?cluster behind the address", isFinal: true)
        return
      }
      map?.set(slot, target)
      isMapSuspect = true
      errand.node = target
    case .ask(let target):
      errand.node = target
      errand.isAsking = true
    case .later(let isSuspect):
      if isSuspect { isMapSuspect = true }
      result.trouble = RedisTrouble(node: node, reason: words)
      errand.time = now + takePause()
    case .noScript:
      errand.node = node
      errand.loadsScript = true
      // The slot may be on its way, and then the server takes no command without it.
      errand.isAsking = address.isCluster
    }
    redirections += 1
    // Servers that send a command to and fro do not agree yet.
    if redirections > 4 * commands.count + 16 { errand.time = now + takePause() }
    errands.append(errand)
  }

  private func takeMap(_ value: RESPValue, _ node: RedisNode) {
    isMapAwaited = false
    if let map = SlotMap(value, saidBy: node) {
      self.map = map
      isMapSuspect = false
    } else if case .error(let words) = value, words.hasPrefix("ERR") {
      result.trouble = RedisTrouble(
        node: node, reason: "is none of a cluster: leave ?cluster away (\(words))", isFinal: true)
    } else {
      result.trouble = RedisTrouble(node: node, reason: "knows no other server of its cluster yet")
    }
  }

  /// A connection is gone: what was asked there is asked again.
  private func lose(_ node: RedisNode, _ fault: RedisLink.Fault, _ now: UInt64) {
    var reach = reaches[node] ?? Reach()
    for number in reach.link?.outstanding ?? [] {
      if number == RedisClient.mapNumber {
        isMapAwaited = false
      } else {
        errands.append(Errand(number: number, time: now))
      }
    }
    if reach.link?.wasOpen == true {
      lossCount += 1
    } else if reach.link != nil, case .host(let host, _) = node {
      // By that name it may be somewhere else by now.
      numbers.seek(host)
    }
    reach.link = nil
    reach.time = now + reach.backoff.next(&random)
    reaches[node] = reach
    isMapSuspect = true
    // One closed entrance is no trouble while another may be open.
    let hasOther =
      address.isCluster && map == nil && !fault.isFinal
      && address.nodes.contains { $0 != node && (reaches[$0]?.time ?? 0) <= now }
    guard !hasOther else { return }
    result.trouble = RedisTrouble(node: node, reason: fault.reason, isFinal: fault.isFinal)
  }
}
