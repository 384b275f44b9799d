// Which online store features are read from, as `score` and `serve` are told with --online.

import Core
import Decisions
import Events
import Features

struct OnlineStore: Sendable {
  static let flag = Flag(
    "online", .folder,
    "Take features that a row does not bring from this online store: a folder, redis://… or unix://…"
  )
  static let deadline = Flag(
    "online-deadline", .text("TIME"),
    "Wait so long for a Redis store, then go on with the last known row, or the defaults;"
      + " 5ms for serve, 1s for score")

  let address: OnlineAddress
  private let project: Project
  private let span: TimeSpan
  private let clock: any Clock

  /// Nil where no store is named.
  ///
  /// - Parameter span: how long a look-up waits for a server where no flag says so.
  init?(
    _ invocation: Invocation, _ project: Project?, deadline span: TimeSpan
  ) throws(Failure) {
    let options = invocation.options
    let given = try options.span(OnlineStore.deadline, atLeast: TimeSpan(microseconds: 100))
    guard let text = try options.value(OnlineStore.flag) else {
      guard given == nil else {
        throw .usage("\(options.origin(OnlineStore.deadline)): is for --online redis://…")
      }
      return nil
    }
    guard let project else {
      throw .usage(
        "\(options.origin(OnlineStore.flag)): needs a project that declares the features",
        hint: "rtinfer help project shows how")
    }
    address = try OnlineAddress(
      text, origin: options.origin(OnlineStore.flag), in: invocation.files)
    guard given == nil || address.isServer else {
      throw .usage(
        "\(options.origin(OnlineStore.deadline)): is for redis:// and unix://;"
          + " the folder \(address.name) answers at once")
    }
    self.span = given ?? span
    self.project = project
    clock = invocation.clock
  }

  /// Features for a model, by a reader of its own.
  ///
  /// - Parameter opensLater: whether a store that cannot be opened is tried again with each request.
  func features(
    _ definition: ModelDefinition, opensLater: Bool = false
  ) throws(Failure) -> OnlineFeatures {
    guard let decides = definition.decides else {
      throw .usage(
        "models.\(definition.name): decides no event type, so nothing says which entities a row names",
        hint: "--online needs `decides`")
    }
    let schema = EventSchema(types: try project.eventTypes())
    let features = try project.features(schema)
    guard let type = schema.index(of: decides) else {
      throw .usage("models.\(definition.name).decides: no event type '\(decides)' is declared")
    }
    let reader = try OnlineReader(
      features, schema: schema, at: address, views: opensLater ? [] : nil, deadline: span,
      clock: clock)
    return OnlineFeatures(reader, type: type, clock: clock)
  }
}
