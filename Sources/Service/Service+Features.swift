// POST /features/{model}: what the model would be told of a request, by the code that decides, for people.

import Core
import Decisions
import HTTP

extension Service {
  func showFeatures(_ call: Call) throws(Refusal) {
    guard let desk = desk(call.route.model) else { throw unknownModel(call.route.model) }
    guard !call.request.body.isEmpty else {
      throw Refusal(.badRequest, "the body is empty; it holds what asks for the decision")
    }
    // The seat is needed for this row.
    if !desk.tickets.isEmpty { judge(desk) }
    let decider = desk.seat(0)
    do throws(BadRecord) {
      let kind = try decider.read(call.request.body, padding: Request.padding)
      try decider.check(kind)
      try decider.gather(kind)
      body.rewind(to: 0)
      decider.appendGathered(
        to: body, kind, model: desk.served.name, version: desk.served.version)
      respond(call, .ok, .json, body: body.pending)
    } catch {
      refuse(call, error, decider, at: desk)
    }
  }
}
