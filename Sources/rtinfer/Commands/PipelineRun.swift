// The passes of bench pipeline, and what is kept of them.

import Core
import Measure

/// What all passes of one batch size came to.
struct PipelineResult {
  let batch: Int
  /// Of one pass.
  var events = 0
  var decided = 0
  var refused = 0
  /// Seconds of each pass that was not timed inside, ascending.
  var passes: [Double] = []
  /// Nanoseconds that an event waited for its decision, which is as long as its call took, and by layer.
  var total = LatencyHistogram(bits: 10)
  var layers = [LatencyHistogram](
    repeating: LatencyHistogram(bits: 10), count: Layer.allCases.count)
  /// Nanoseconds of calls that decided nothing.
  var told = LatencyHistogram(bits: 10)
  /// Nanoseconds of all timed calls, by layer, and how many events those were.
  var sums = [UInt64](repeating: 0, count: Layer.allCases.count)
  var timedEvents = 0
  /// Of an event on the average, by layer; nil where they are not counted.
  fileprivate(set) var instructions: [Double]?

  init(batch: Int) { self.batch = batch }

  /// Events a second, of the fastest pass and of the one in the middle.
  var bestRate: Double { Double(events) / max(passes[0], 1e-9) }
  var rate: Double { Double(events) / max(passes[passes.count / 2], 1e-9) }

  /// Decisions as a peer makes them, with so many at hand: the time of all layers but the features, which it is spared, for
  /// all events, by the decision.
  func own(decided count: Int) -> OwnCalls {
    let batch = min(batch, count)
    let spent = Layer.allCases.indices.filter { Layer.allCases[$0] != .features }
      .reduce(0) { $0 + mean($1) }
    return OwnCalls(
      batch: batch, rows: count / batch * batch, threads: 1, repeats: passes.count,
      median: spent * Double(events) / Double(decided))
  }

  /// Microseconds an event, those that only tell included.
  func mean(_ layer: Int) -> Double { Double(sums[layer]) / 1e3 / Double(max(1, timedEvents)) }

  fileprivate mutating func add(_ call: PipelinePass.Call) {
    for (index, nanoseconds) in call.layers.enumerated() { sums[index] += nanoseconds }
    timedEvents += call.events
    guard call.decided > 0 else {
      if call.refused == 0 { told.record(call.end - call.start) }
      return
    }
    total.record(call.end - call.start, times: call.decided)
    for (index, nanoseconds) in call.layers.enumerated() {
      layers[index].record(nanoseconds, times: call.decided)
    }
  }
}

final class PipelineRun {
  private(set) var results: [PipelineResult] = []
  /// Of the size that is sampled; the time between its passes is cut out.
  private(set) var tally = LoadTally(begin: 0)
  let started: Timestamp
  let epoch: Timestamp
  /// Nanoseconds of one reading of the clock.
  let clockCost: Double
  private let pipeline: Pipeline
  private let clock: any Clock
  private let event: EventCounter.Event
  private let samples: OutputBuffer?
  /// Monotonic nanoseconds: of all between passes, and when the last one ended.
  private var gaps: UInt64 = 0
  private var lastEnd: UInt64?

  /// - Parameter samples: where samples are written; nil: nowhere.
  init(_ pipeline: Pipeline, samples: OutputBuffer?) {
    self.pipeline = pipeline
    clock = pipeline.invocation.clock
    event = pipeline.invocation.counting
    self.samples = samples
    started = clock.now()
    epoch = started + TimeSpan(microseconds: -Int64(clock.monotonicNanoseconds() / 1_000))
    clockCost = PipelineRun.cost(of: clock.monotonicNanoseconds)
  }

  /// The median of some hundred stretches of readings.
  private static func cost(of meter: PipelineMeter) -> Double {
    let readings = 200
    var costs: [Double] = []
    for _ in 0..<101 {
      let start = meter()
      for _ in 1..<readings { _ = meter() }
      costs.append(Double(meter() - start) / Double(readings))
    }
    return costs.sorted()[costs.count / 2]
  }

  // MARK: Passes

  /// A pass that is not measured.
  ///
  /// - Returns: how many records there are.
  func warmUp(batch: Int, rejects: Rejects, decisions: OutputBuffer?) throws(Failure) -> Int {
    let output = decisions ?? PipelineRun.nowhere()
    let pass = try pipeline.pass(batch: batch, rejects: rejects, output: output, meter: time)
    var result = PipelineResult(batch: batch)
    while try pass.next() {
      result.events += pass.call.events
      result.decided += pass.call.decided
      result.refused += pass.call.refused
    }
    try output.flush()
    results.append(result)
    return pass.readCount
  }

  func measure(batch: Int, repeats: Int, isSampled: Bool) throws(Failure) {
    for _ in 0..<repeats {
      results[results.count - 1].passes.append(try seconds(batch: batch))
      try takeLayers(batch: batch, isSampled: isSampled)
    }
    results[results.count - 1].passes.sort()
    results[results.count - 1].instructions = try instructions(batch: batch)
    if isSampled { tally.finish() }
  }

  /// Of the first events that are decided, so many at most, the text, a line each, and what the model is given.
  func decided(atMost most: Int) throws(Failure) -> (events: OutputBuffer, rows: [Double]) {
    let events = OutputBuffer(MemorySink())
    var rows: [Double] = []
    var count = 0
    let pass = try pipeline.pass(
      batch: 1, rejects: .silent(), output: PipelineRun.nowhere(), meter: nil
    ) { event, inputs in
      events.append(event)
      events.append(UInt8(ascii: "\n"))
      rows += inputs
      count += 1
    }
    while count < most, try pass.next() {}
    return (events, rows)
  }

  private var time: PipelineMeter { clock.monotonicNanoseconds }

  /// Of one pass more, by layer, without what readings of the counter take themselves.
  private func instructions(batch: Int) throws(Failure) -> [Double]? {
    guard let counter = try? EventCounter(event), counter.value() != nil else { return nil }
    let meter = { counter.value() ?? 0 }
    let reading = PipelineRun.cost(of: meter)
    let pass = try pipeline.pass(
      batch: batch, rejects: .silent(), output: PipelineRun.nowhere(), meter: meter)
    var sums = [Double](repeating: 0, count: Layer.allCases.count)
    var (events, calls) = (0, 0)
    while try pass.next() {
      events += pass.call.events
      // Those between which nothing was decided have no layers behind the features.
      calls += pass.call.layers[2] > 0 ? 1 : 0
      for (layer, count) in pass.call.layers.enumerated() { sums[layer] += Double(count) }
    }
    // One in each layer: of an event the first two, of a call the others.
    return sums.enumerated().map { layer, sum in
      max(0, sum - reading * Double(layer < 2 ? events : calls)) / Double(max(1, events))
    }
  }

  private static func nowhere() -> OutputBuffer { OutputBuffer(NoSink()) }

  private func seconds(batch: Int) throws(Failure) -> Double {
    let pass = try pipeline.pass(
      batch: batch, rejects: .silent(), output: PipelineRun.nowhere(), meter: nil)
    let start = clock.monotonicNanoseconds()
    while try pass.next() {}
    return Double(clock.monotonicNanoseconds() - start) / 1e9
  }

  private func takeLayers(batch: Int, isSampled: Bool) throws(Failure) {
    let pass = try pipeline.pass(
      batch: batch, rejects: .silent(), output: PipelineRun.nowhere(), meter: time)
    var taken: [LoadSample] = []
    if isSampled { beginPass() }
    while try pass.next() {
      results[results.count - 1].add(pass.call)
      if isSampled { sample(pass.call, into: &taken) }
    }
    guard isSampled else { return }
    lastEnd = clock.monotonicNanoseconds()
    guard let samples else { return }
    for sample in taken {
      sample.append(to: samples, epoch: epoch, path: nil)
      if samples.count >= Limits.writeBytes { try samples.flush() }
    }
  }

  private func beginPass() {
    let now = clock.monotonicNanoseconds()
    if let lastEnd { gaps += now - lastEnd } else { tally = LoadTally(begin: now) }
  }

  private func sample(_ call: PipelinePass.Call, into taken: inout [LoadSample]) {
    guard call.decided + call.refused > 0 else { return }
    var layers = LayerTiming()
    for (index, nanoseconds) in call.layers.enumerated() { layers[index] = nanoseconds }
    let start = call.start - gaps
    let sample = LoadSample(
      due: start, sent: start, ended: call.end - gaps, status: 200, fault: nil, path: 0,
      layers: layers)
    // Of the events of a call one: all have waited for the same, and say no more of it together.
    if call.decided > 0 { add(sample, into: &taken) }
    var refusal = sample
    refusal.status = 400
    if call.refused > 0 { add(refusal, into: &taken) }
  }

  private func add(_ sample: LoadSample, into taken: inout [LoadSample]) {
    tally.record(sample)
    if samples != nil { taken.append(sample) }
  }
}
