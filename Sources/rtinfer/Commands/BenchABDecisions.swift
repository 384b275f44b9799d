// Every decision of every arm as a record, so that a verdict can be looked into, or computed again by somebody else.

import Core
import Decisions
import Events
import Models
import Replay

enum BenchABDecisions {
  static func write(
    _ replay: HistoryReplay, _ worth: [[Double?]], _ plan: BenchABPlan, to path: String
  ) throws(Failure) {
    let output = OutputBuffer(try DescriptorSink.file(path))
    let decoder = EventDecoder(plan.schema)
    for question in replay.times.indices {
      let line = replay.lines[question]
      for (arm, trace) in replay.traces.enumerated() {
        line.withBytes { line in
          let event = decoder.decodeAccepted(line)
          append(event, trace, question, plan, to: output)
        }
        output.append(",\"outcome\":")
        output.append(replay.outcome(question))
        output.append(",\"value\":")
        output.append(worth[arm][question].map { .double($0) } ?? .null)
        output.append(",\"_rt\":{\"variant\":")
        output.appendQuoted(trace.arm.name)
        output.append(",\"features_watermark\":")
        output.appendQuoted(trace.arm.asOf(replay.times[question]))
        output.append("}}")
        try output.endRecord()
      }
    }
    try output.flush()
  }

  private static func append(
    _ event: Event, _ trace: ArmTrace, _ question: Int, _ plan: BenchABPlan,
    to output: OutputBuffer
  ) {
    output.append("{\"kind\":\"decision\",\"id\":")
    output.append(event.id.literal)
    output.append(",\"time\":")
    output.appendQuoted(event.time)
    output.append(",\"score\":")
    switch plan.decider.model.precision {
    case .float32: output.append(Float(trace.scores[question]))
    case .float64: output.append(trace.scores[question])
    }
    output.append(",\"decision\":")
    let rule = Int(trace.rules[question])
    if rule < 0 { output.append("null") } else { output.appendQuoted(plan.decider.decisions[rule]) }
  }
}
