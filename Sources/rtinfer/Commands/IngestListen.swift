// ingest --listen: events over HTTP instead of from files, checked and passed on the same way. It is the server of `serve
// --events` without models; whoever sends an event has its answer once the event has been passed on.

import Core
import HTTP
import Service

enum IngestListen {
  static let listen = Flag(
    "listen", .text("ADDRESS"),
    "Take events over HTTP, at POST /events: HOST:PORT, [IPv6]:PORT or unix:PATH; port 0: any")

  static let flags = [
    listen, ServeCommand.maxConnections, ServeCommand.maxRate, ServeCommand.maxBody,
    ServeCommand.drain, ServeCommand.drainDelay, ServeCommand.readyFile, ServeCommand.tokenFile,
    ServeCommand.insecure,
  ]

  static func isAsked(_ invocation: Invocation) throws(Failure) -> Bool {
    if try invocation.options.value(listen) != nil { return true }
    for flag in flags.dropFirst() where invocation.options.isTyped(flag) {
      throw .usage("\(invocation.options.origin(flag)) is for --listen")
    }
    return false
  }

  static func run(_ invocation: Invocation) throws(Failure) -> ExitStatus {
    try refuseInputs(invocation.options)
    let options = try ServeCommand.serverOptions(invocation, threads: 1)
    var serviceOptions = try ServeCommand.serviceOptions(invocation, options)
    let draining = try ServeCommand.Draining(invocation)
    let messages = invocation.messages
    let sink = StandardOutputSink(invocation.clock)
    let events = try EventServing(
      invocation, try Project.find(invocation), keepsFeatures: false, output: OutputBuffer(sink)
    ) { (failure, isEnd) in
      if failure.status != .success { messages.error(failure.message) }
      if let hint = failure.hint { messages.hint(hint) }
      // Whoever reads stdout has seen enough, or what was accepted cannot be passed on.
      if isEnd { Signals.drain() }
    }
    serviceOptions.events = events.queue
    let chosen = serviceOptions
    let (catalog, meters) = (Catalog([]), Meters())
    let server = try Server(options, clock: invocation.clock) { (state) throws(Failure) in
      Service(catalog, chosen, state: state, meters: meters, clock: invocation.clock)
    }
    try server.start()
    try ServeCommand.announce(server, "", invocation)
    // Nothing is read again here: SIGHUP ends the command as it ends others.
    _ = try Signals.next()
    sink.giveUp(after: draining.delay, draining.time)
    ServeCommand.finish(server, draining, invocation)
    let failure = events.finish(messages)
    report(events, invocation)
    return failure?.status ?? .success
  }

  /// What says where else events would come from.
  private static func refuseInputs(_ options: Options) throws(Failure) {
    guard options.operands.isEmpty else {
      throw .usage("--listen takes events over HTTP, not from \(options.operands[0])")
    }
    let others = [
      EventFlags.from, EventFlags.idle, LogFlags.follow, CommonFlags.maxRejects,
      CommonFlags.strict, EventFlags.window, EventFlags.windows,
    ]
    for flag in others where options.isTyped(flag) {
      throw .usage(
        "\(options.origin(flag)) is for files and stdin, not for --listen",
        hint: "what a request's body is, its Content-Type says; a rejected event is told its sender"
      )
    }
  }

  private static func report(_ events: EventServing, _ invocation: Invocation) {
    let (accepted, repeats, rejected) = events.queue.totals
    guard rejected > 0 || repeats > 0 || invocation.terminal.errorIsTerminal else { return }
    invocation.messages.note(
      "accepted \(accepted.grouped), repeats dropped \(repeats.grouped),"
        + " rejected \(rejected.grouped)")
  }
}
