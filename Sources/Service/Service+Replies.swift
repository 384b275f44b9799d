// Replies that several routes share. Every refusal is JSON with the one member that all clients read, `error`, and
// has the type `application/json` and nothing more.

import Core
import HTTP

extension Service {
  func answer(_ call: Call, _ status: Status = .ok, json: StaticString) {
    respond(call, status, .json, body: Bytes(json))
  }

  /// With what was written into `body`, and into `fields` from where it was `fieldsFrom`.
  func respond(
    _ call: Call, _ status: Status, _ type: ContentType, fields: Bytes = .empty, body: Bytes
  ) {
    meter.count(call.route.kind, status)
    let trace = trace(call.request)
    send(call.connection, status, type, fields: fields, body: body, trace)
    if !call.route.kind.isUnlogged { logAccess(call.request, status, nil, trace) }
  }

  func refuse(_ call: Call, _ refusal: Refusal, fields: StaticString = "") {
    body.rewind(to: 0)
    body.append("{\"error\":")
    body.appendQuoted(refusal.reason)
    body.append("}")
    respond(call, refusal.status, .json, fields: Bytes(fields), body: body.pending)
  }

  /// 429: its client has sent more than it may.
  ///
  /// - Parameter wait: nanoseconds until it may send again.
  func refuse(_ call: Call, _ rates: ClientRates, wait: UInt64) {
    fields.rewind(to: 0)
    fields.append("Retry-After: ")
    fields.append((wait + 999_999_999) / 1_000_000_000)
    fields.append("\r\n")
    rates.refusal.withBytes {
      respond(call, .tooManyRequests, .json, fields: fields.pending, body: $0)
    }
  }

  /// `Server-Timing: request;dur=0.0041, …⏎` in `fields`: milliseconds, as the header wants them.
  func writeTiming(_ layers: LayerNanoseconds) {
    fields.rewind(to: 0)
    fields.append("Server-Timing: request;dur=")
    appendMilliseconds(layers.request)
    fields.append(", queue;dur=")
    appendMilliseconds(layers.queue)
    fields.append(", features;dur=")
    appendMilliseconds(layers.features)
    fields.append(", inference;dur=")
    appendMilliseconds(layers.inference)
    fields.append(", postprocess;dur=")
    appendMilliseconds(layers.postprocess)
    fields.append(", response;dur=")
    appendMilliseconds(layers.response)
    fields.append("\r\n")
  }

  /// With four decimals: tenths of a microsecond.
  private func appendMilliseconds(_ nanoseconds: UInt64) {
    let units = nanoseconds / 100
    fields.append(units / 10_000)
    fields.append(UInt8(ascii: "."))
    var rest = units % 10_000
    var divisor: UInt64 = 1_000
    while divisor > 0 {
      fields.append(UInt8(ascii: "0") + UInt8(rest / divisor))
      rest %= divisor
      divisor /= 10
    }
  }
}

/// Where one request's time went. `queue` is what is left: waiting for others of the batch, before it and after it.
struct LayerNanoseconds {
  let request: UInt64
  let features: UInt64
  let inference: UInt64
  let postprocess: UInt64
  let response: UInt64
  let total: UInt64

  init(
    _ times: TicketTimes, start: UInt64, judged: UInt64, resumed: UInt64, concluded: UInt64,
    encoded: UInt64
  ) {
    request = times.read &- times.began
    features = times.gathered &- times.read
    inference = judged &- start
    postprocess = concluded &- resumed
    response = encoded &- concluded
    total = encoded &- min(encoded, times.arrived)
  }

  /// Of a row among many, of which only the model's time is known.
  init(inference: UInt64) {
    (request, features, postprocess, response) = (0, 0, 0, 0)
    self.inference = inference
    total = inference
  }

  var queue: UInt64 {
    let work = request + features + inference + postprocess + response
    return total > work ? total - work : 0
  }

  /// In the order of `Layer.allCases`.
  func record(_ counts: inout ModelCounts) {
    counts.layers[0].record(request)
    counts.layers[1].record(features)
    counts.layers[2].record(inference)
    counts.layers[3].record(postprocess)
    counts.layers[4].record(response)
    counts.queue.record(queue)
    counts.total.record(total)
  }
}
