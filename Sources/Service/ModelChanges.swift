// POST /v2/repository/models/{model}/load and …/unload: Triton's model repository extension. A model is read on a thread of
// its own, beside those that are served, and takes its place between two batches; the caller is answered when it
// has. What is loaded is what the server was started with: a change of its file, or of the version that its
// alias stands for, is taken up; nothing else comes in this way.

public import Core
import HTTP
import Synchronization

public final class ModelChanges: Sendable {
  enum Action: Sendable { case load, unload }

  struct Change: Sendable {
    let name: String
    let action: Action
    /// The loop's own number for it.
    let number: Int
    let replies: LateReplies
  }

  private struct State: Sendable {
    var waiting: [Change] = []
    var isClosed = false
  }

  private let state = Mutex(State())
  private let bell: Doorbell

  public init() throws(Failure) { bell = try Doorbell() }

  /// Takes a change, or says that too many wait.
  func offer(_ change: Change) -> Bool {
    let isTaken = state.withLock { state in
      guard state.waiting.count < Limits.modelChangesWaitingMax, !state.isClosed else {
        return false
      }
      state.waiting.append(change)
      return true
    }
    if isTaken { bell.ring() }
    return isTaken
  }

  /// Nothing more will come.
  public func close() {
    state.withLock { $0.isClosed = true }
    bell.ring()
  }

  /// Makes changes until it is closed.
  ///
  /// - Parameter load: reads a model anew; nil where none of the name was ever declared.
  public func run(_ catalog: Catalog, load: (String) throws(Failure) -> ServedModel?) {
    while true {
      let (changes, isClosed) = state.withLock { state in
        defer { state.waiting = [] }
        return (state.waiting, state.isClosed)
      }
      for change in changes {
        let (status, body) = make(change, catalog, load)
        change.replies.add(.init(number: change.number, status: status, body: body))
        change.replies.wake()
      }
      if isClosed { return }
      if changes.isEmpty { bell.wait(milliseconds: -1) }
    }
  }

  private func make(
    _ change: Change, _ catalog: Catalog, _ load: (String) throws(Failure) -> ServedModel?
  ) -> (Status, [UInt8]) {
    let name = change.name
    guard change.action == .load else {
      guard catalog.remove(name) else {
        return refusal(.notFound, "no model '\(name.prefix(100))' is served")
      }
      return (.ok, [])
    }
    do throws(Failure) {
      guard let model = try load(name) else {
        return refusal(.notFound, "no model '\(name.prefix(100))' is declared")
      }
      catalog.put(model)
      return (.ok, [])
    } catch {
      // What was served is served on.
      return refusal(.badRequest, "not loaded: \(error.message)")
    }
  }

  private func refusal(_ status: Status, _ reason: String) -> (Status, [UInt8]) {
    let body = OutputBuffer(MemorySink(), capacity: 256)
    body.append("{\"error\":")
    body.appendQuoted(reason)
    body.append("}")
    return (status, body.pending.copy())
  }
}
