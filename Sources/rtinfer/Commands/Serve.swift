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
    "model", .file, "NAME=FILE, or one of the project's models by name; several with commas",
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

      Requests that are ready together are judged together, in one batch, without waiting; --max-batch-delay \
      lets them wait for others.

      The same models answer clients of other servers, with scores and no rules: KServe's and TensorFlow \
      Serving's V1 (/v1/models/NAME:predict), the Open Inference Protocol with Triton's binary tensors \
      (/v2/models/NAME/infer), and MLflow's (/invocations). Rows are arrays in the model's order or objects by \
      name; null is a missing value. A request holds 10,000 rows at most; further ones are answered 413.

      --decisions and --access-log never keep a reply waiting: lines that the disk does not take up in time \
      are dropped and counted. Bodies may be compressed with gzip or deflate.

      GET /livez and /readyz are for probes, /metrics for Prometheus, / for \
      people. SIGTERM drains: /readyz says 503, clients are served on for \
      --drain-delay, then what was begun is finished and the command ends with 0. SIGHUP reads the project \
      and the models again and swaps them between two batches; what cannot be read leaves the old in place.

      It listens on this machine only, unless there is a token (--token-file) or --insecure is said. \
      rtinfer help serving tells what awkward clients get.
      """,
    operands: .none,
    flags: [
      CommonFlags.project, OnlineStore.flag, listen, model, RegistryFlags.registry, threads,
      maxBatch, maxBatchDelay,
      maxConnections, maxBody,
      drain,
      drainDelay, readyFile, tokenFile, insecure, accessLog, decisions,
    ],
    examples: [
      .init("rtinfer serve --model fraud=model.json", "A model file; no project needed."),
      .init(
        "rtinfer serve --listen unix:/run/rtinfer.sock --threads 1 --ready-file ready",
        "The project's models, for a proxy on the same machine."),
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
    let catalog = Catalog(try models(invocation))
    let meters = Meters()
    let chosen = serviceOptions
    let server = try Server(options, clock: invocation.clock) { (state) throws(Failure) in
      Service(catalog, chosen, state: state, meters: meters, clock: invocation.clock)
    }
    try server.start()
    try announce(server, catalog, invocation)
    while try Signals.next() == .reload {
      reload(catalog, invocation)
      server.wake()
    }
    finish(server, draining, invocation)
    logs.finish()
    return .success
  }

  // MARK: Options

  private static func serverOptions(_ invocation: Invocation) throws(Failure) -> ServerOptions {
    let options = invocation.options
    let address = try ListenAddress(
      try options.value(listen) ?? "127.0.0.1:8080", origin: options.origin(listen))
    let processors = max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN)))
    var result = ServerOptions(
      address: address,
      threads: try options.integer(threads, in: 1...256) ?? Int(processors))
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

  private static func serviceOptions(
    _ invocation: Invocation, _ server: ServerOptions
  ) throws(Failure) -> ServiceOptions {
    let options = invocation.options
    var result = ServiceOptions()
    result.version = RTInfer.version
    result.bodyBytesMax = server.bodyBytesMax
    result.batchRowsMax =
      try options.integer(maxBatch, in: 1...Limits.batchRowsMax) ?? result.batchRowsMax
    result.batchDelay = try options.span(maxBatchDelay) ?? result.batchDelay
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
  private struct Draining {
    let delay: TimeSpan
    let time: TimeSpan

    init(_ invocation: Invocation) throws(Failure) {
      delay = try invocation.options.span(drainDelay) ?? .zero
      time = try invocation.options.span(drain) ?? .seconds(30)
    }
  }

  // MARK: Models

  private static func models(_ invocation: Invocation) throws(Failure) -> [ServedModel] {
    let project = try Project.find(invocation)
    let definitions = try project?.models() ?? []
    var declared: [DeclaredModel] = []
    if let named = try invocation.options.value(model) {
      for part in named.split(separator: ",", omittingEmptySubsequences: false) {
        declared.append(try declaredModel(String(part), definitions, project, invocation))
      }
    } else if let project {
      for definition in definitions {
        declared.append(try DeclaredModel(definition, project, invocation))
      }
    }
    guard !declared.isEmpty else {
      throw .usage(
        "no model: the project file declares none and --model is not given",
        hint: "rtinfer serve --model fraud=model.json")
    }
    let store = try OnlineStore(invocation, project)
    var served: [ServedModel] = []
    for model in declared {
      guard !served.contains(where: { $0.name == model.definition.name }) else {
        throw .usage("--model: '\(model.definition.name)' is named twice")
      }
      served.append(try servedModel(model, store))
    }
    return served
  }

  private static func servedModel(
    _ declared: DeclaredModel, _ store: OnlineStore?
  ) throws(Failure) -> ServedModel {
    let definition = declared.definition
    guard let store, definition.isDeclared else {
      return try ServedModel(
        definition, model: declared.model, schema: declared.schema, version: declared.version)
    }
    // A store that is not there is a mistake now; later it must not stop what is served.
    _ = try store.features(definition)
    return try ServedModel(
      definition, model: declared.model, schema: declared.schema, version: declared.version
    ) { () throws(Failure) in try store.features(definition, opensLater: true) }
  }

  /// `NAME=FILE`, or the name of one of the project's models.
  private static func declaredModel(
    _ text: String, _ definitions: [ModelDefinition], _ project: Project?, _ invocation: Invocation
  ) throws(Failure) -> DeclaredModel {
    let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
    if parts.count == 2, !parts[0].isEmpty, !parts[1].isEmpty, !parts[0].contains("/") {
      let definition = ModelDefinition(name: String(parts[0]), uri: String(parts[1]))
      return try DeclaredModel(definition, nil, invocation)
    }
    let origin = invocation.options.origin(model)
    guard parts.count == 1 else {
      throw .usage("\(origin): '\(text)' is not NAME=FILE", hint: "as in --model fraud=model.json")
    }
    guard let project, let definition = definitions.first(where: { $0.name == text }) else {
      let nearest = Spelling.nearest(text, among: definitions.map(\.name))
      throw .usage(
        "\(origin): '\(text)' is neither NAME=FILE nor a model of the project",
        hint: nearest.map { "did you mean '\($0)'?" } ?? "as in --model fraud=model.json")
    }
    return try DeclaredModel(definition, project, invocation)
  }

  /// Everything new, or everything as it was.
  private static func reload(_ catalog: Catalog, _ invocation: Invocation) {
    do throws(Failure) {
      let models = try models(invocation)
      catalog.replace(models)
      invocation.messages.note("read again: \(describe(models))")
    } catch {
      invocation.messages.error("not read again: \(error.message)")
      if let hint = error.hint { invocation.messages.hint(hint) }
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
    let address = server.address.description
    invocation.messages.note("listening on \(address): \(describe(catalog.models))")
    guard let path = try invocation.options.value(readyFile) else { return }
    try Array("\(address)\n".utf8).withBytes { (bytes) throws(Failure) in
      try AtomicFile.write(bytes, to: path, in: invocation.files)
    }
  }

  private static func finish(_ server: Server, _ draining: Draining, _ invocation: Invocation) {
    if draining.delay > .zero {
      server.withdraw()
      usleep(UInt32(clamping: draining.delay.microseconds))
    }
    server.close(within: draining.time)
    if let path = try? invocation.options.value(readyFile) { try? invocation.files.remove(path) }
  }
}
