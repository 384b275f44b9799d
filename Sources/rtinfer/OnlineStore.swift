// Which online store features are read from, as `score` and `serve` are told with --online.

import Core
import Decisions
import Events
import Features

struct OnlineStore: Sendable {
  static let flag = Flag(
    "online", .folder, "Take features that a row does not bring from this online store")

  let folder: OnlineFolder
  private let project: Project
  private let clock: any Clock

  /// Nil where no store is named.
  init?(_ invocation: Invocation, _ project: Project?) throws(Failure) {
    guard let path = try invocation.options.value(OnlineStore.flag) else { return nil }
    guard let project else {
      throw .usage(
        "\(invocation.options.origin(OnlineStore.flag)): needs a project that declares the features",
        hint: "rtinfer help project shows how")
    }
    folder = OnlineFolder(path, in: invocation.files)
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
      features, schema: schema, folder: folder, views: opensLater ? [] : nil)
    return OnlineFeatures(reader, type: type, clock: clock)
  }
}
