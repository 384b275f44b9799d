// Changes of rows among the events: a view adds up what comes and can take nothing back, so an updated row
// would count twice and a deleted one still. Better no answer than a wrong one.

import Core
import Events
import Features

struct ChangeRefusal {
  private let schema: EventSchema
  /// By event type: the views that it tells something.
  private let views: [[String]]

  init(_ schema: EventSchema, _ views: [FeatureView]) {
    self.schema = schema
    self.views = schema.types.indices.map { type in
      views.filter { $0.reads(type) }.map(\.name)
    }
  }

  func check(_ arrival: Arrival) throws(Failure) {
    let event = arrival.event
    guard let operation = event.operation, !operation.onlyAdds, !views[event.type].isEmpty else {
      return
    }
    let names = views[event.type]
    let list = names.map { "'\($0)'" }.joined(separator: ", ")
    throw .badData(
      "the event with offset \(arrival.offset) is a row's \(operation.rawValue)"
        + " (\(schema.types[event.type].name)): the view\(names.count == 1 ? "" : "s") \(list)"
        + " can take nothing back",
      hint: "leave changes out, as with jq -c 'select(._rt.op != \"update\" and"
        + " ._rt.op != \"delete\")', or keep an event of its own for each change")
  }
}
