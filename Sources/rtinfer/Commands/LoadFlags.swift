// What the commands that send requests share: whom, what, how fast, for how long.

import Core
import HTTP
import Measure

enum LoadFlags {
  static let rate = Flag(
    "rate", .text("N"), "Requests a second; stages as N:DURATION,N:DURATION", default: "100")
  static let duration = Flag("duration", .text("DURATION"), "How long", default: "10s")
  static let warmup = Flag(
    "warmup", .text("DURATION"), "Send so long before, and count nothing of it", default: "1s")
  static let arrivals = Flag(
    "arrivals", .text("poisson|constant|FILE"),
    "Gaps between requests; a file of sample records repeats when theirs were due",
    default: "poisson")
  static let seed = Flag("seed", .text("N"), "Of the random gaps", default: "1")
  static let concurrency = Flag(
    "concurrency", .text("N"), "Closed loop instead: N clients, each sending when it was answered")
  static let connections = Flag(
    "connections", .text("N"), "Connections at most; requests wait for one when all are taken",
    default: "512")
  static let timeout = Flag(
    "timeout", .text("DURATION"), "Give a request up after so long", default: "10s")
  static let noKeepAlive = Flag("no-keep-alive", "A new connection for each request")
  static let method = Flag(
    "method", .text("NAME"), "The HTTP method", default: "POST with a body, else GET")
  static let header = Flag(
    "header", .text("'NAME: VALUE'"), "Send this header field; several with | between them")
  static let body = Flag("body", .text("TEXT"), "The body of every request, instead of a file's")
  static let requestLines = Flag(
    "request-lines", "Lines are requests: {\"method\", \"path\", \"headers\": {…}, \"body\"}")
  static let spawn = Flag(
    "spawn", .text("COMMAND"),
    "Start this server, wait until it listens, and stop it at the end")
  static let lagMax = Flag(
    "max-lag", .text("DURATION"), "Send lag p99 above which the run is invalid",
    default: "the larger of 1ms and a tenth of the latency p99")

  /// Whom and what.
  static let target = [
    connections, timeout, noKeepAlive, method, header, body, requestLines, spawn,
  ]

  // MARK: Schedules

  static func load(_ options: Options) throws(Failure) -> LoadPlan.Load {
    if let clients = try options.integer(concurrency, in: 1...100_000) {
      for flag in [rate, arrivals] where options.isTyped(flag) {
        throw .usage("--\(flag.name) is for the open loop; --concurrency asks for the closed one")
      }
      return .closed(concurrency: clients)
    }
    let gaps = try options.value(arrivals) ?? "poisson"
    guard ArrivalSchedule.Shape(rawValue: gaps) != nil else {
      for flag in [rate, duration] where options.isTyped(flag) {
        throw .usage(
          "--\(flag.name) is for made arrivals; those of \(options.origin(arrivals)) '\(gaps)' have their own times"
        )
      }
      return .open(arrivals: gaps, stages: [])
    }
    return .open(arrivals: gaps, stages: try stages(options))
  }

  static func stages(_ options: Options) throws(Failure) -> [ArrivalSchedule.Stage] {
    let length = try options.span(duration, atLeast: TimeSpan(microseconds: 1_000)) ?? .seconds(10)
    var stages: [ArrivalSchedule.Stage] = []
    var takesLength = false
    let text = try options.value(rate) ?? "100"
    for part in text.split(separator: ",", omittingEmptySubsequences: false) {
      let halves = part.split(separator: ":", maxSplits: 1)
      guard let first = halves.first, let number = Double(first), number > 0, number <= 1e6 else {
        throw .usage(
          "\(options.origin(rate)): '\(part)' is not a rate above 0 and up to 1000000",
          hint: "--rate 2000, or --rate 500:10s,2000:20s")
      }
      var span = length
      if halves.count > 1 {
        guard let own = TimeSpan(String(halves[1])), own > .zero else {
          throw .usage(
            "\(options.origin(rate)): '\(halves[1])' is not a duration (\(TimeSpan.expectation))")
        }
        span = own
      }
      takesLength = takesLength || halves.count == 1
      stages.append(.init(rate: number, duration: span))
    }
    guard takesLength || !options.isTyped(duration) else {
      throw .usage("--duration: every stage of --rate has its own")
    }
    return stages
  }

  static func seed(_ options: Options) throws(Failure) -> UInt64 {
    UInt64(try options.integer(seed, in: 0...Int.max) ?? 1)
  }

  static func client(_ options: Options) throws(Failure) -> ClientOptions {
    var client = ClientOptions()
    client.connectionsMax =
      try options.integer(connections, in: 1...65_536) ?? client.connectionsMax
    client.timeout =
      try options.span(timeout, atLeast: TimeSpan(microseconds: 1_000)) ?? client.timeout
    client.keepsAlive = !options.isOn(noKeepAlive)
    return client
  }
}
