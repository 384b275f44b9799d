// The events of a server: `serve --events`, which also keeps the features that its models ask for, and `ingest --listen`,
// which passes them on.

import Core
import Decisions
import Events
import Features
import Service

struct EventServing {
  static let events = Flag(
    "events", "Take events at POST /events, and keep the features of the project's views from them")

  static let flags =
    [events] + EventFlags.declared + LogFlags.writing
    + [
      MaterializeCommand.table, EventFlags.privateKey, EventFlags.dedupMemory, CommonFlags.rejects,
    ]

  let queue: EventQueue
  /// Nil where nothing asks for features.
  let live: LiveFeatures?
  private let taker: EventTaker
  private let thread: WorkerThread
  private let ids: NewestIds

  /// The features of `serve --events`.
  struct LiveFeatures: Sendable {
    let state: LiveState
    private let types: [String]
    /// What the project file says of events and features.
    private let declaration: String
    private let clock: any Clock

    init(
      _ invocation: Invocation, _ project: Project, _ schema: EventSchema, _ rejects: Rejects
    ) throws(Failure) {
      let definitions = try project.features(schema)
      guard !definitions.names.isEmpty else {
        throw .usage(
          "\(project.shownName): declares no features, so events tell nothing",
          hint: "rtinfer ingest --listen takes events without them")
      }
      let tables = try TableFiles(invocation, definitions, rejects)
      state = LiveState(definitions, schema: schema, tables: tables.all)
      types = schema.types.map(\.name)
      declaration = LiveFeatures.declaration(project)
      clock = invocation.clock
    }

    /// Features for a model; nil where it decides no event type, and so names no entity.
    func features(_ definition: ModelDefinition) throws(Failure) -> OnlineFeatures? {
      guard let decides = definition.decides else { return nil }
      guard let type = types.firstIndex(of: decides) else {
        throw .usage("models.\(definition.name).decides: no event type '\(decides)' is declared")
      }
      return OnlineFeatures(LiveReader(state), type: type, clock: clock)
    }

    private static func declaration(_ project: Project) -> String {
      ["events", "features"].map { section in
        project.members(section).map { "\($0.key):\($0.node.json())" }.joined(separator: ",")
      }.joined(separator: ";")
    }

    /// What is kept cannot become something else while the server runs.
    func check(_ project: Project) throws(Failure) {
      guard LiveFeatures.declaration(project) == declaration else {
        throw .usage(
          "\(project.shownName): its events or features are not those that are kept",
          hint: "serve --events follows such a change when it is started anew")
      }
    }
  }

  /// - Parameters:
  ///   - keepsFeatures: of the project's views, for models.
  ///   - output: where accepted events go.
  ///   - onFailure: told when events cannot be kept, for now or for good.
  init(
    _ invocation: Invocation, _ project: Project?, keepsFeatures: Bool, output: OutputBuffer,
    onFailure: @escaping (_ failure: Failure, _ isEnd: Bool) -> Void
  ) throws(Failure) {
    let schema = try EventFlags.schema(invocation, project)
    let privacy = try EventFlags.privacy(invocation, schema)
    let rejects = try Rejects(invocation)
    var live: LiveFeatures?
    if keepsFeatures, let project {
      live = try LiveFeatures(invocation, project, schema, rejects)
    }
    let applier = live.map { EventApplier($0.state, schema: schema) }
    let log = try LogFlags.open(invocation, project)
    if let log, let applier {
      let count = try applier.catchUp(log.path, files: invocation.files)
      if count > 0 {
        invocation.messages.note("features from \(count.grouped) events of \(log.path)")
      }
    }
    let queue = try EventQueue()
    let (folder, bytesMax) = try EventFlags.idMemory(invocation)
    let ids = NewestIds()
    let taker = try EventTaker(
      queue, schema: schema, rejects: rejects, applier: applier, clock: invocation.clock,
      makeWay: { () throws(Failure) in
        let memory = SpillMemory(folder: folder, bytesMax: bytesMax)
        ids.memory = memory
        let intake = EventIntake(
          handedOverAs: "/events", schema: schema, rejects: rejects, clock: invocation.clock,
          layers: .layers([.cloudevents]), privacy: privacy, idMemory: memory)
        guard let log else { return EventWay(intake, to: PlainOutput(output), log: nil) }
        try intake.resume(
          log.path, nextOffset: log.nextOffset, schema: schema, files: invocation.files)
        if let applier { _ = try applier.catchUp(log.path, files: invocation.files) }
        return EventWay(intake, to: LoggedOutput(log, output), log: log)
      }, onFailure: onFailure)
    self.queue = queue
    self.live = live
    self.taker = taker
    self.ids = ids
    thread = try WorkerThread(taker.run)
  }

  /// Takes in what is left, and leaves the log in order.
  ///
  /// - Returns: what has kept events from being taken in the end; `onFailure` was told.
  func finish(_ messages: Messages) -> Failure? {
    queue.close()
    thread.join()
    if let memory = ids.memory, let note = EventFlags.note(memory) { messages.note(note) }
    return taker.ending
  }

  /// Where the ids lie that the newest way remembers: set by the thread that makes it, looked at once that has ended.
  private final class NewestIds: @unchecked Sendable {
    var memory: SpillMemory?
  }

  /// Flags that mean nothing without `--events`.
  static func refuseFlags(_ options: Options) throws(Failure) {
    for flag in flags.dropFirst() where options.isTyped(flag) {
      throw .usage("\(options.origin(flag)) is for --events")
    }
  }
}

/// Where events go that nobody reads.
final class NoSink: ByteSink {
  func write(_ bytes: Bytes) throws(Failure) {}
}
