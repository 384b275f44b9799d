// serve: decisions over HTTP.

import Core
import Decisions
import HTTP
import Service

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

enum ServeCommand {
  static let listen = Flag(
    "listen", .text("ADDRESS"), "Where to listen: HOST:PORT, [IPv6]:PORT or unix:PATH; port 0: any",
    default: "127.0.0.1:8080")
  static let model = Flag(
    "model", .file,
    "NAME=FILE, models:/…, or one of the project's models by name; several with commas",
    default: "the project's models")
  static let threads = Flag(
    "threads", .text("N"), "Event loops, each on a thread of its own",
    default: "one for each processor")
  static let maxBatch = Flag(
    "max-batch", .text("N"), "Rows that are judged together at most", default: "64")
  static let maxBatchDelay = Flag(
    "max-batch-delay", .text("DURATION"),
    "How long a request may wait for others to be judged with",
    default: "0: it is judged with those that are ready together with it")
  static let maxConnections = Flag(
    "max-connections", .text("N"), "Connections at once; further ones are answered 503",
    default: "10000")
  static let maxRate = Flag(
    "max-rate", .text("N"),
    "Requests a second of one client, and as many at once; further ones are answered 429",
    default: "no limit")
  static let maxBody = Flag(
    "max-body", .text("BYTES"), "Bytes of a request's body, decoded", default: "67108864")
  static let drain = Flag(
    "drain", .text("DURATION"), "After SIGTERM, how long what was begun may take", default: "30s")
  static let drainDelay = Flag(
    "drain-delay", .text("DURATION"),
    "After SIGTERM, how long to serve on with /readyz at 503, before closing", default: "0s")
  static let readyFile = Flag(
    "ready-file", .file, "Write the address there, as one line, once requests are answered")
  static let tokenFile = Flag(
    "token-file", .file, "A file with the bearer token that callers must send")
  static let insecure = Flag(
    "insecure", "Listen beyond this machine without a token")

  static let accessLog = Flag(
    "access-log", .file, "Append a sample record for each request there, but those of probes")
  static let decisions = Flag(
    "decisions", .file, "Append each decision's whole record there, as score writes it")

  static let rotateSize = Flag(
    "rotate-size", .text("SIZE"),
    "Begin the access log and the decision log anew at this size, as in 100MB; FILE.1 is the last",
    default: "never; SIGHUP opens them anew")
  static let rotateKeep = Flag(
    "rotate-keep", .text("N"), "How many old files of each are kept", default: "5")

  static let command = Command(
    name: "serve",
    summary: "Answer requests with decisions, over HTTP",
    story: """
      Answers POST /decide/NAME: the body is what asks for the decision (an event, a plain row, or a features \
      record from materialize), the reply its id, score, label and decision; with ?detail the whole decision \
      record, as score writes it. With Content-Type: application/x-ndjson a body is many, a line each, and so \
      is the reply. Decisions are those of score, bit for bit. The Server-Timing header says where the time \
      went, in milliseconds by layer. A request is held against the event type that the model decides, and \
      answered 400 with every fault at once. X-Request-Timeout-Ms is honoured: 504 once it has passed.

          curl -s localhost:8080/decide/fraud -d '{"amount":12.5}'

      With --online features that a request does not bring come from the store that materialize --online keeps \
      fresh: a folder of this machine, or Redis (rtinfer help online). A Redis that does not answer within \
      --online-deadline stops no decision: the last known row counts, marked stale with its age, else the \
      model's defaults.

      Requests that are ready together are judged together, in one batch, without waiting; --max-batch-delay \
      lets them wait for others.

      The same models answer clients of other servers, with scores and no rules: KServe's and TensorFlow \
      Serving's V1 (/v1/models/NAME:predict), the Open Inference Protocol with Triton's binary tensors \
      (/v2/models/NAME/infer), and MLflow's (/invocations). Rows are arrays in the model's order or objects by \
      name; null is a missing value. A request holds 10,000 rows at most; further ones are answered 413.

      With --events the server takes events at POST /events and keeps the features of the project's views \
      itself: one event, an array, lines (application/x-ndjson) or CloudEvents (structured, binary mode, \
      batch). They are checked as ingest checks them. The reply comes once they are in the log, if there is \
      one (--log, as durable as --fsync says), and in the features: what is asked then sees them. 400 names \
      each rejected event with its reason, 503 with Retry-After asks to come back. When the server starts, the \
      features are made from the log. POST /features/NAME shows what the model would be told of a request.

          curl -s localhost:8080/events -d '{"type":"departed","id":"a1","time":"2013-01-05T10:15:00Z"}'

      --decisions and --access-log never keep a reply waiting: lines that the disk does not take up in time \
      are dropped and counted. Bodies may be compressed with gzip or deflate.

      GET /livez and /readyz are for probes, /metrics for Prometheus, / for \
      people. SIGTERM drains: /readyz says 503, clients are served on for \
      --drain-delay, then what was begun is finished and the command ends with 0. SIGHUP reads the project \
      and the models again and swaps them between two batches; what cannot be read leaves the old in place. It \
      also opens the two logs anew, for whoever moves them away. With --follow the models are read again, too, when \
      an alias that names one (models:/fraud@production) is promoted or rolled back. One model alone is loaded or unloaded with POST \
      /v2/repository/models/NAME/load and …/unload. A request's traceparent (W3C) is answered with the same \
      trace and a span of ours, and stands in both logs.

      --max-rate bounds what each client may send by POST: what is beyond is answered 429, with the seconds to \
      wait in Retry-After. A client is an IPv4 address or the first 64 bits of an IPv6 one, so a proxy is one client, as is a unix \
      socket; a body of many lines is one request. GET is never refused.

      It listens on this machine only, unless there is a token (--token-file) or --insecure is said. \
      rtinfer help serving tells what awkward clients get.
      """,
    operands: .none,
    flags: [
      CommonFlags.project, OnlineStore.flag, OnlineStore.deadline, listen, model,
      RegistryFlags.registry, threads,
      maxBatch, maxBatchDelay,
      maxConnections, maxRate, maxBody,
      drain,
      drainDelay, readyFile, tokenFile, insecure, accessLog, decisions,
      rotateSize, rotateKeep, AliasFollower.flag,
    ] + EventServing.flags,
    examples: [
      .init("rtinfer serve --model fraud=model.json", "A model file; no project needed."),
      .init(
        "rtinfer serve --listen unix:/run/rtinfer.sock --threads 1 --ready-file ready",
        "The project's models, for a proxy on the same machine."),
      .init(
        "rtinfer serve --model fraud=models:/fraud@production --follow",
        "Whatever is promoted decides, within a second or two."),
      .init(
        "rtinfer serve --events --log --fsync always",
        "Events in and decisions out of one process; no event that was answered is lost."),
    ],
    run: run)

  private static func run(_ invocation: Invocation) throws(Failure) -> ExitStatus {
    let options = try serverOptions(invocation)
    var serviceOptions = try serviceOptions(invocation, options)
    let logs = try ServeLogs(invocation)
    serviceOptions.accessLog = logs.access
    serviceOptions.decisionLog = logs.decisions
    let draining = try Draining(invocation)
    Signals.takeReloads()
    let events = try eventServing(invocation)
    let models = try ServedModels(invocation, events?.live)
    let follower = try AliasFollower(invocation, models.aliases)
    let catalog = Catalog(try models.all())
    let meters = Meters()
    serviceOptions.events = events?.queue
    serviceOptions.liveState = events?.live?.state
    let changes = try ModelChanges()
    serviceOptions.changes = changes
    let changer = try WorkerThread {
      changes.run(catalog) { (name) throws(Failure) in
        try ServedModels(invocation, events?.live).model(name)
      }
    }
    let chosen = serviceOptions
    let server = try Server(options, clock: invocation.clock) { (state) throws(Failure) in
      Service(catalog, chosen, state: state, meters: meters, clock: invocation.clock)
    }
    try server.start()
    try announce(server, catalog, invocation)
    try serve(server, catalog, events?.live, logs, follower, invocation)
    finish(server, draining, invocation)
    changes.close()
    changer.join()
    let failure = events?.finish(invocation.messages)
    logs.finish()
    return failure?.status ?? .success
  }

  // MARK: Options

  /// - Parameter fixed: how many loops; nil: as --threads says.
  static func serverOptions(
    _ invocation: Invocation, threads fixed: Int? = nil
  ) throws(Failure) -> ServerOptions {
    let options = invocation.options
    let address = try ListenAddress(
      try options.value(listen) ?? "127.0.0.1:8080", origin: options.origin(listen))
    let processors = max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN)))
    let asked = try options.integer(threads, in: 1...256)
    var result = ServerOptions(address: address, threads: fixed ?? asked ?? Int(processors))
    result.connectionsMax =
      try options.integer(maxConnections, in: 1...1_000_000) ?? result.connectionsMax
    result.bodyBytesMax =
      try options.integer(maxBody, in: 1...(1 << 30)) ?? result.bodyBytesMax
    raiseDescriptorLimit(to: result.connectionsMax + 64)
    return result
  }

  /// As many descriptors as connections are allowed, if the system lets us.
  private static func raiseDescriptorLimit(to count: Int) {
    var limit = rlimit()
    #if canImport(Glibc)
      let resource = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
    #else
      let resource = RLIMIT_NOFILE
    #endif
    guard getrlimit(resource, &limit) == 0, limit.rlim_cur < rlim_t(count) else { return }
    limit.rlim_cur = min(limit.rlim_max, rlim_t(count))
    setrlimit(resource, &limit)
  }

  static func serviceOptions(
    _ invocation: Invocation, _ server: ServerOptions
  ) throws(Failure) -> ServiceOptions {
    let options = invocation.options
    var result = ServiceOptions()
    result.version = RTInfer.version
    result.bodyBytesMax = server.bodyBytesMax
    result.batchRowsMax =
      try options.integer(maxBatch, in: 1...Limits.batchRowsMax) ?? result.batchRowsMax
    result.batchDelay = try options.span(maxBatchDelay) ?? result.batchDelay
    result.rates = try options.number(maxRate, in: 0.001...1_000_000).map { ClientRates($0) }
    if let path = try options.value(tokenFile) {
      let bytes = try invocation.files.contents(of: path, bytesMax: 4 << 10)
      let token = bytes.withBytes { $0.trimmed.copy() }
      guard !token.isEmpty else { throw .usage("\(options.origin(tokenFile)): \(path) is empty") }
      result.token = token
    }
    guard server.address.isLoopback || result.token != nil || options.isOn(insecure) else {
      throw .usage(
        "\(options.origin(listen)): \(server.address.description) is open to other machines",
        hint: "give a token with --token-file FILE, or say --insecure")
    }
    return result
  }

  /// What happens after SIGTERM.
  struct Draining {
    let delay: TimeSpan
    let time: TimeSpan

    init(_ invocation: Invocation) throws(Failure) {
      delay = try invocation.options.span(drainDelay) ?? .zero
      time = try invocation.options.span(drain) ?? .seconds(30)
    }
  }

  // MARK: Models

  /// What `--events` asks for.
  private static func eventServing(_ invocation: Invocation) throws(Failure) -> EventServing? {
    let options = invocation.options
    guard options.isOn(EventServing.events) else {
      try EventServing.refuseFlags(options)
      return nil
    }
    guard try options.value(OnlineStore.flag) == nil else {
      throw .usage(
        "\(options.origin(OnlineStore.flag)): --events keeps the features in this process",
        hint: "without --events they are taken from the store")
    }
    let messages = invocation.messages
    return try EventServing(
      invocation, try Project.require(invocation), keepsFeatures: true,
      output: OutputBuffer(NoSink())
    ) { (failure, _) in
      messages.error("events cannot be kept: \(failure.message)")
      if let hint = failure.hint { messages.hint(hint) }
    }
  }

  /// Until a signal ends it.
  private static func serve(
    _ server: Server, _ catalog: Catalog, _ live: EventServing.LiveFeatures?, _ logs: ServeLogs,
    _ follower: AliasFollower?, _ invocation: Invocation
  ) throws(Failure) {
    var follower = follower
    let pause = follower == nil ? nil : AliasFollower.pause
    while true {
      switch try Signals.next(within: pause) {
      case .drain: return
      case .reload:
        logs.reopen()
        // The project may name others now.
        let next = try? AliasFollower(invocation, ServedModels(invocation, live).aliases)
        if reload(catalog, live, invocation), let next { follower = next }
        server.wake()
      case nil:
        follower?.look { (name) throws(Failure) in
          try renew(name, catalog, live, invocation)
          server.wake()
        } onTrouble: {
          invocation.messages.refuse($0)
        }
      }
    }
  }

  /// One model anew; what an operator has unloaded stays so.
  private static func renew(
    _ name: String, _ catalog: Catalog, _ live: EventServing.LiveFeatures?, _ invocation: Invocation
  ) throws(Failure) {
    guard catalog.models.contains(where: { $0.name == name }),
      let model = try ServedModels(invocation, live).model(name)
    else { return }
    catalog.renew(model)
    invocation.messages.note("read again: \(describe([model]))")
  }

  /// Everything new, or everything as it was: then false.
  private static func reload(
    _ catalog: Catalog, _ live: EventServing.LiveFeatures?, _ invocation: Invocation
  ) -> Bool {
    do throws(Failure) {
      let models = try ServedModels(invocation, live).all()
      catalog.replace(models)
      invocation.messages.note("read again: \(describe(models))")
      return true
    } catch {
      invocation.messages.refuse(error)
      return false
    }
  }

  private static func describe(_ models: [ServedModel]) -> String {
    let shown = models.prefix(5).map { "\($0.name) (\($0.version))" }.joined(separator: ", ")
    return models.count > 5 ? "\(shown) and \(models.count - 5) more" : shown
  }

  // MARK: Beginning and end

  private static func announce(
    _ server: Server, _ catalog: Catalog, _ invocation: Invocation
  ) throws(Failure) {
    try announce(server, ": \(describe(catalog.models))", invocation)
  }

  /// - Parameter what: of it, behind the address.
  static func announce(
    _ server: Server, _ what: String, _ invocation: Invocation
  ) throws(Failure) {
    let address = server.address.description
    invocation.messages.note("listening on \(address)\(what)")
    guard let path = try invocation.options.value(readyFile) else { return }
    try Array("\(address)\n".utf8).withBytes { (bytes) throws(Failure) in
      try AtomicFile.write(bytes, to: path, in: invocation.files)
    }
  }

  /// Whatever signals come meanwhile.
  private static func sleep(_ span: TimeSpan, _ clock: any Clock) {
    let end = clock.monotonicNanoseconds() + span.nanoseconds
    while case let now = clock.monotonicNanoseconds(), now < end {
      usleep(UInt32(min((end - now + 999) / 1_000, 1_000_000)))
    }
  }

  static func finish(_ server: Server, _ draining: Draining, _ invocation: Invocation) {
    if draining.delay > .zero {
      server.withdraw()
      sleep(draining.delay, invocation.clock)
    }
    server.close(within: draining.time)
    if let path = try? invocation.options.value(readyFile) { try? invocation.files.remove(path) }
  }
}

extension Messages {
  /// What is served stays as it was.
  fileprivate func refuse(_ failure: Failure) {
    error("not read again: \(failure.message)")
    if let hint = failure.hint { self.hint(hint) }
  }
}
