// POST /events: events in, and an answer once they are kept. The loop hands the request over and goes on; what has
// become of it is sent in the turn after the answer has come.

import Core
import HTTP

extension Service {
  func takeEvents(_ call: Call) throws(Refusal) {
    guard let queue = options.events else {
      throw Refusal(
        .conflict, "this server takes no events: it was started without --events")
    }
    guard !call.request.body.isEmpty || call.request.field(.cloudEventVersion) != nil else {
      throw Refusal(.badRequest, "the body is empty; it holds the events")
    }
    let request = try EventRequest(call.request, number: nextLateCall, replies: lateReplies)
    guard queue.offer(request) else {
      return refuse(
        call, Refusal(.unavailable, "more events wait than there is room for"),
        fields: "Retry-After: 1\r\n")
    }
    answerLater(call)
  }
}
