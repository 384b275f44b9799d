// One replay of all events through the pipeline, call by call.

import Core
import Decisions
import Events
import Features
import Measure

/// What every pass begins with.
struct Pipeline {
  let invocation: Invocation
  private let project: Project
  private let models: [DeclaredModel]
  private let events: HeldEvents
  private let lines: Int

  init(
    _ invocation: Invocation, _ project: Project, _ models: [DeclaredModel], _ events: HeldEvents
  ) {
    self.invocation = invocation
    self.project = project
    self.models = models
    self.events = events
    lines = events.lineCount
  }

  /// - Parameters:
  ///   - batch: events of a call.
  ///   - meter: is read between the layers; nil: nothing is.
  ///   - onRow: is told of each row of each model; see `PipelineDesk`.
  func pass(
    batch: Int, rejects: Rejects, output: OutputBuffer, meter: PipelineMeter?,
    onRow: ((Bytes, UnsafeBufferPointer<Double>) -> Void)? = nil
  ) throws(Failure) -> PipelinePass {
    let schema = try EventFlags.schema(invocation, project)
    let live = try EventServing.LiveFeatures(invocation, project, schema, rejects)
    var desks: [PipelineDesk] = []
    for model in models {
      guard let online = try live.features(model.definition),
        let type = schema.index(of: model.definition.decides ?? "")
      else { preconditionFailure("a model that decides an event type") }
      // As many as a call can have: each has a decider.
      let desk = try PipelineDesk(model, type: type, online: online, rowsMax: min(batch, lines))
      desk.onRow = onRow
      desks.append(desk)
    }
    let form = try EventFlags.form(invocation.options)
    let intake = EventIntake(
      events.sources(), schema: schema, rejects: rejects, clock: invocation.clock,
      trustsMarks: false, records: form.records, layers: form.layers,
      idle: try invocation.options.span(EventFlags.idle) ?? EventFlags.idleStandard,
      privacy: try EventFlags.privacy(invocation, schema)
    ) { () throws(Failure) in }
    return PipelinePass(
      intake, live, desks, rejects, output, batch: min(batch, lines), meter)
  }
}

/// What layers are measured by: nanoseconds on a clock, or what a counter has counted.
typealias PipelineMeter = () -> UInt64

final class PipelinePass {
  /// Of one call.
  struct Call {
    /// By the meter, as are the layers; all 0 without one.
    var start: UInt64 = 0
    var end: UInt64 = 0
    /// In the order of `Layer.allCases`.
    var layers = [UInt64](repeating: 0, count: Layer.allCases.count)
    var events = 0
    var decided = 0
    /// Asked, and got no decision.
    var refused = 0

    fileprivate mutating func reset() {
      for index in layers.indices { layers[index] = 0 }
      (events, decided, refused) = (0, 0, 0)
    }
  }

  private let intake: EventIntake
  private let live: EventServing.LiveFeatures
  private let desks: [PipelineDesk]
  private let rejects: Rejects
  private let output: OutputBuffer
  private let batch: Int
  private let meter: PipelineMeter?
  private(set) var call = Call()

  fileprivate init(
    _ intake: EventIntake, _ live: EventServing.LiveFeatures, _ desks: [PipelineDesk],
    _ rejects: Rejects, _ output: OutputBuffer, batch: Int, _ meter: PipelineMeter?
  ) {
    self.intake = intake
    self.live = live
    self.desks = desks
    self.rejects = rejects
    self.output = output
    self.batch = batch
    self.meter = meter
  }

  /// Records so far, those that were rejected included.
  var readCount: Int { intake.counts.read }

  @inline(__always) private func now() -> UInt64 { meter?() ?? 0 }

  /// Takes the next events and decides those that ask.
  ///
  /// - Returns: false where there were none.
  func next() throws(Failure) -> Bool {
    if let status = Signals.drainStatus {
      throw Failure(status, "told to end before all passes were made")
    }
    call.reset()
    call.start = now()
    var mark = call.start
    while call.events < batch, let arrival = try intake.next() {
      call.events += 1
      try read(arrival)
      let read = now()
      call.layers[0] += read - mark
      try gather(arrival)
      mark = now()
      call.layers[1] += mark - read
    }
    call.end = mark
    guard call.events > 0 else { return false }
    if desks.contains(where: { $0.count > 0 }) { try decide(from: mark) }
    return true
  }

  private func read(_ arrival: Arrival) throws(Failure) {
    for desk in desks where desk.type == arrival.event.type {
      do throws(BadRecord) {
        try desk.read(arrival.decoder.scanner.line)
      } catch {
        try refuse(arrival, error)
      }
    }
  }

  /// Answers the event first, then lets it count.
  private func gather(_ arrival: Arrival) throws(Failure) {
    for desk in desks where desk.type == arrival.event.type {
      do throws(BadRecord) {
        try desk.gather()
      } catch {
        try refuse(arrival, error)
      }
    }
    live.state.apply(
      type: arrival.event.type, arrival.decoder.scalars, at: arrival.event.time,
      offset: arrival.offset, watermark: arrival.watermark)
  }

  private func refuse(_ arrival: Arrival, _ reason: BadRecord) throws(Failure) {
    call.refused += 1
    try rejects.add(
      reason.reason, source: "offset", line: Int(arrival.offset), byte: 0,
      raw: arrival.decoder.scanner.line)
  }

  private func decide(from gathered: UInt64) throws(Failure) {
    for desk in desks {
      call.decided += desk.count
      desk.judge()
    }
    let judged = now()
    for desk in desks { desk.conclude() }
    let concluded = now()
    call.layers[2] = judged - gathered
    call.layers[3] = concluded - judged
    for desk in desks { desk.write(to: output, layers: call.layers) }
    call.end = now()
    call.layers[4] = call.end - concluded
    if output.count >= Limits.writeBytes { try output.flush() }
  }
}
