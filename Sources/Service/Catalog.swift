// The models that are served, shared by all loops. A reload puts a new list in its place; each loop notices before
// its next batch and finishes the one it has with the models it began it with, so that no request waits
// for a model to load and none sees half of one.

public import Core
public import Decisions
public import Models
import Synchronization

/// A model with its declaration, loaded and checked.
public struct ServedModel: Sendable {
  public let definition: ModelDefinition
  public let model: Model
  public let schema: RequestSchema
  /// Makes what looks up features that a request does not bring; nil where there is no online store.
  private let online: (@Sendable () throws(Failure) -> OnlineFeatures)?
  /// What each rule decides.
  let decisionNames: [String]
  public var name: String { definition.name }
  /// The registry's number; a file has none, and the start of its fingerprint tells files apart.
  public let version: String

  /// - Throws: what is wrong with the declaration, so that a loop need not find out.
  public init(
    _ definition: ModelDefinition, model: Model, schema: RequestSchema, version: String? = nil,
    online: (@Sendable () throws(Failure) -> OnlineFeatures)? = nil
  ) throws(Failure) {
    self.version = version ?? "sha256:\(model.fingerprint.prefix(12))"
    self.online = online
    self.definition = definition
    self.model = model
    self.schema = schema
    decisionNames = try Decider(definition, model: model, schema: schema).decisions
  }

  /// One that holds requests against the schema.
  ///
  /// - Parameter other: of the same thread, whose connection to the online store is shared.
  func makeDecider(beside other: Decider? = nil) throws(Failure) -> Decider {
    var features = other?.onlineBeside()
    if features == nil { features = try online?() }
    return try Decider(
      definition, model: model, schema: schema, checksRequests: true, online: features)
  }
}

public final class Catalog: Sendable {
  private struct Listing: Sendable {
    var models: [ServedModel]
    /// Names of those that were taken out.
    var unloaded: [String] = []
  }

  private let list: Mutex<Listing>
  private let number = Atomic<Int>(0)

  public init(_ models: [ServedModel]) { list = Mutex(Listing(models: models)) }

  public var models: [ServedModel] { list.withLock { $0.models } }

  /// Names of models that were taken out and not put back.
  var unloaded: [String] { list.withLock { $0.unloaded } }

  /// Grows by one with each change.
  var generation: Int { number.load(ordering: .acquiring) }

  /// Puts new models in the place of the old, for every loop's next batch.
  public func replace(_ models: [ServedModel]) {
    list.withLock { $0 = Listing(models: models) }
    noteChange()
  }

  /// Puts a model in the place of the one of its name, if that was not taken out meanwhile.
  public func renew(_ model: ServedModel) {
    list.withLock { list in
      guard let place = list.models.firstIndex(where: { $0.name == model.name }) else { return }
      list.models[place] = model
    }
    noteChange()
  }

  /// Puts a model in the place of the one of its name, or beside the others.
  func put(_ model: ServedModel) {
    list.withLock { list in
      list.unloaded.removeAll { $0 == model.name }
      if let place = list.models.firstIndex(where: { $0.name == model.name }) {
        list.models[place] = model
      } else {
        list.models.append(model)
      }
    }
    noteChange()
  }

  /// Takes a model out; false where there is none of the name.
  func remove(_ name: String) -> Bool {
    let isServed = list.withLock { list in
      guard let place = list.models.firstIndex(where: { $0.name == name }) else { return false }
      list.models.remove(at: place)
      list.unloaded.append(name)
      return true
    }
    if isServed { noteChange() }
    return isServed
  }

  private func noteChange() { number.add(1, ordering: .acquiringAndReleasing) }
}
