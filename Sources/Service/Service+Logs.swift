// What is written about each request beside its reply: a `sample` record of how long it took, and the decision's whole
// record, as `score` would have written it.

import Core
import Decisions
import HTTP

extension Service {
  /// Milliseconds and more are known only of what waited for a model.
  func logAccess(
    _ request: Request, _ status: Status, _ layers: LayerNanoseconds?, _ trace: TraceContext?
  ) {
    guard let log = options.accessLog else { return }
    let now = clock.monotonicNanoseconds()
    let total = layers?.total ?? now - min(now, request.arrived)
    let arrived = clock.now() - TimeSpan(microseconds: Int64(total / 1_000))
    logLine.rewind(to: 0)
    logLine.append("{\"kind\":\"sample\",\"due\":")
    logLine.appendQuoted(arrived)
    logLine.append(",\"sent\":")
    logLine.appendQuoted(arrived)
    logLine.append(",\"latency_us\":")
    logLine.appendMicroseconds(nanoseconds: total)
    logLine.append(",\"service_us\":")
    logLine.appendMicroseconds(nanoseconds: total - (layers?.queue ?? 0))
    logLine.append(",\"status\":")
    logLine.append(Int64(status.rawValue))
    logLine.append(",\"path\":")
    logLine.appendQuoted(request.path)
    trace?.appendMembers(to: logLine)
    if let layers { append(layers) }
    logLine.append("}\n")
    log.append(logLine.pending)
  }

  private func append(_ layers: LayerNanoseconds) {
    logLine.append(",\"layers_us\":{\"request\":")
    logLine.appendMicroseconds(nanoseconds: layers.request)
    logLine.append(",\"features\":")
    logLine.appendMicroseconds(nanoseconds: layers.features)
    logLine.append(",\"inference\":")
    logLine.appendMicroseconds(nanoseconds: layers.inference)
    logLine.append(",\"postprocess\":")
    logLine.appendMicroseconds(nanoseconds: layers.postprocess)
    logLine.append(",\"response\":")
    logLine.appendMicroseconds(nanoseconds: layers.response)
    logLine.append("}")
  }

  func logDecision(
    _ decider: Decider, _ kind: RowKind, at desk: Desk, _ layers: LayerNanoseconds,
    _ trace: TraceContext?
  ) {
    guard let log = options.decisionLog else { return }
    let earlier = decider.earlierLayers
    var marks = DecisionMarks(
      model: desk.served.name, version: desk.served.version,
      layers: [
        earlier.request + layers.request, earlier.features + layers.features, layers.inference,
        layers.postprocess,
      ])
    marks.trace = trace?.trace
    logLine.rewind(to: 0)
    decider.openRecord(on: logLine, kind, marks, withMargin: false)
    decider.closeRecord(on: logLine, responseNanoseconds: layers.response)
    logLine.append("\n")
    log.append(logLine.pending)
  }
}

extension Call {
  /// With its body inflated, if it came so; what it becomes counts towards the bound.
  func decoded(bytesMax: Int) throws(Refusal) -> Call {
    guard let coding = request.field(.contentEncoding), !coding.equalsIgnoringCase("identity")
    else { return self }
    let wrapping: Inflate.Wrapping
    if coding.equalsIgnoringCase("gzip") || coding.equalsIgnoringCase("x-gzip") {
      wrapping = .gzip
    } else if coding.equalsIgnoringCase("deflate") {
      // By that name HTTP means zlib's wrapping.
      wrapping = .zlib
    } else {
      throw Refusal(
        .unsupportedMediaType, "a body may be gzip or deflate, not '\(coding.excerpt)'")
    }
    do throws(InflateError) {
      let body = try Inflate.inflate(request.body, wrapping, bytesMax: bytesMax)
      return Call(request: request.with(body: body), connection: connection, route: route)
    } catch {
      switch error {
      case .tooLarge:
        throw Refusal(.contentTooLarge, "the body is larger than \(bytesMax) bytes once inflated")
      case .damaged, .truncated:
        throw Refusal(.badRequest, "the body is no \(coding.string) stream, or a damaged one")
      }
    }
  }
}
