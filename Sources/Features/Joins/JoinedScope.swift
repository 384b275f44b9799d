// The names in expressions over the records of a join: those of the two events, each behind the name of its stream, as in
// `click.id`. A record holds only the members that some expression reads; they get their slots as they are named.

import Core
import Events

final class JoinedScope {
  let streams: [(name: String, type: Int)]
  private let schema: EventSchema
  /// By slot of the record: whose member it is, and its slot in that event.
  private(set) var members: [(stream: Int, slot: Int)] = []

  init(_ schema: EventSchema, _ streams: [(name: String, type: Int)]) {
    self.schema = schema
    self.streams = streams
  }

  /// The names of records, by slots of a record.
  func record() -> Scope {
    Scope(names: streams.indices.flatMap(names)) { [self] path in
      guard let stream = stream(path), let found = member(path.dropFirst(), of: stream) else {
        return nil
      }
      return Binding(slot: slot(found.slot, of: stream), type: found.type)
    }
  }

  /// The names of one of the streams, by slots of its event.
  func event(_ stream: Int) -> Scope {
    Scope(names: names(stream)) { [self] path in
      self.stream(path) == stream ? member(path.dropFirst(), of: stream) : nil
    }
  }

  /// A member of one of the streams' events.
  func member(_ path: some Sequence<String>, of stream: Int) -> Binding? {
    // Compiling the path alone gives its slot and its type.
    guard
      let expression = try? Expression(
        path.joined(separator: "."), scope: schema.scope(of: streams[stream].type)),
      expression.slots.count == 1
    else { return nil }
    return Binding(slot: expression.slots[0], type: expression.type)
  }

  /// The slot in a record of what an event has in its own.
  func slot(_ slot: Int, of stream: Int) -> Int {
    if let known = members.firstIndex(where: { $0.stream == stream && $0.slot == slot }) {
      return known
    }
    members.append((stream, slot))
    return members.count - 1
  }

  private func stream(_ path: [String]) -> Int? {
    path.count > 1 ? streams.firstIndex { $0.name == path[0] } : nil
  }

  private func names(_ stream: Int) -> [String] {
    let (name, type) = streams[stream]
    let declared = schema.types[type]
    let members =
      declared.fields.map(\.name) + [declared.timeMember] + (declared.idMember.map { [$0] } ?? [])
    return members.map { "\(name).\($0)" }
  }
}
