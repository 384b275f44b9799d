// ingest log …: a look at the durable log. `verify` reads every byte and judges, `stat` sums up.

import Core
import Events

enum IngestLogCommands {
  static let verify = Command(
    name: "ingest log verify",
    summary: "Check every byte of the durable log",
    story: """
      Reads the log's files from their first byte to their last and checks every checksum, offset and index, \
      without changing anything. Prints a line for each file. Ends with 0 if no event is damaged, with 1 and \
      the places otherwise. A torn tail, as a crash leaves it, and a lost index are told and no damage: the \
      next ingest --log mends them.
      """,
    operands: .none,
    flags: [CommonFlags.project, LogFlags.place, LogFlags.state],
    examples: [.init("rtinfer ingest log verify", "The log of the project around here.")],
    run: verify)

  static let stat = Command(
    name: "ingest log stat",
    summary: "Sum up the durable log",
    story: """
      Prints one line about the log: its files, bytes, events and offsets, between which times they lie, the \
      share that came out of order, which lateness is enough for 50, 99, 99.9 and 100 percent of the events \
      (measured against the latest event before each), and the named consumers. What was rejected as late is \
      in no log: ingest itself says at its end what would have kept it.
      """,
    operands: .none,
    flags: [CommonFlags.project, LogFlags.place, LogFlags.state],
    examples: [.init("rtinfer ingest log stat", "The log of the project around here.")],
    run: stat)

  static let offsets = Command(
    name: "ingest log offsets",
    summary: "Print where each source partition goes on",
    story: """
      Prints a line for each partition of each source that events came from with offsets: the source, the \
      partition and the next offset, behind the last one in the log. kcat -o takes it, so that a restarted \
      kcat begins where the log ends. A consumer group does not know that: kcat commits what it has printed, \
      which may be more than what had reached the disk. Where a group is used, let it begin earlier; what \
      comes again is recognised.
      """,
    operands: .none,
    flags: [CommonFlags.project, LogFlags.place, LogFlags.state],
    examples: [
      .init(
        "rtinfer ingest log offsets | jq -r '[.source, .partition, .next_offset] | @tsv'",
        "As columns."),
      .init(
        "kcat -C -b broker -t t -p 0 -o $(rtinfer ingest log offsets | jq 'select(.source ==\n"
          + "      \"t\" and .partition == 0).next_offset') -J | rtinfer ingest --from kcat --log",
        "Go on with a partition where the log ends."),
    ],
    run: offsets)

  static let all = [verify, stat, offsets]

  // MARK: offsets

  private static func offsets(_ invocation: Invocation) throws(Failure) -> ExitStatus {
    let folder = try LogFlags.folder(invocation, try Project.find(invocation))
    let found = try SourcePartitions(log: folder, files: invocation.files, keepsSummary: false)
    let output = invocation.output
    let ordered = found.partitions.filter { $0.nextOffset > 0 }.sorted {
      ($0.source, $0.number) < ($1.source, $1.number)
    }
    for partition in ordered {
      output.append("{\"kind\":\"source_offset\",\"source\":")
      output.appendQuoted(partition.source)
      output.append(",\"partition\":")
      output.append(partition.number)
      output.append(",\"next_offset\":")
      output.append(partition.nextOffset)
      output.append("}")
      try output.endRecord()
    }
    return .success
  }

  // MARK: verify

  private static func verify(_ invocation: Invocation) throws(Failure) -> ExitStatus {
    let folder = try LogFlags.folder(invocation, try Project.find(invocation))
    let output = invocation.output
    let found = try LogVerification(folder, files: invocation.files) { (segment) throws(Failure) in
      append(segment, to: output)
      try output.endRecord()
    }
    try output.flush()
    let events = found.segments.reduce(0) { $0 + Int($1.events) }
    for segment in found.segments {
      guard let damage = segment.damage else { continue }
      if segment.isTornTail {
        let bytes = (segment.bytes - damage.byte).grouped
        invocation.messages.note(
          "\(damage.segment): a torn tail of \(bytes) bytes at byte \(damage.byte), offset"
            + " \(damage.offset): the next ingest --log cuts it")
      } else {
        invocation.messages.error(damage.failure.message)
      }
    }
    invocation.messages.note(
      "\(events.grouped) events in \(found.segments.count) files,"
        + " \(found.corruption.count) damaged")
    return found.corruption.isEmpty ? .success : .verdictNo
  }

  private static func append(_ segment: LogVerification.Segment, to output: OutputBuffer) {
    output.append("{\"kind\":\"log_file\",\"path\":")
    output.appendQuoted(segment.path)
    let numbers: [(StaticString, Int64)] = [
      (",\"first_offset\":", segment.base), (",\"next_offset\":", segment.next),
      (",\"events\":", segment.events), (",\"batches\":", Int64(segment.batches)),
      (",\"bytes\":", Int64(segment.bytes)),
    ]
    for (key, number) in numbers {
      output.append(key)
      output.append(number)
    }
    output.append(",\"index\":")
    output.appendQuoted(segment.index.rawValue)
    let state =
      segment.damage == nil ? "whole" : segment.isTornTail ? "torn tail" : "damaged"
    output.append(",\"state\":")
    output.appendQuoted(state)
    if let damage = segment.damage {
      output.append(",\"byte\":")
      output.append(Int64(damage.byte))
      output.append(",\"why\":")
      output.appendQuoted(damage.reason)
    }
    output.append("}")
  }

  // MARK: stat

  private static func stat(_ invocation: Invocation) throws(Failure) -> ExitStatus {
    let folder = try LogFlags.folder(invocation, try Project.find(invocation))
    let found = try LogStatistics(folder, files: invocation.files)
    let output = invocation.output
    output.append("{\"kind\":\"log\",\"path\":")
    output.appendQuoted(folder)
    let numbers: [(StaticString, Int64)] = [
      (",\"files\":", Int64(found.files)), (",\"bytes\":", Int64(found.bytes)),
      (",\"events\":", Int64(found.events)), (",\"first_offset\":", found.firstOffset),
      (",\"next_offset\":", found.nextOffset),
    ]
    for (key, number) in numbers {
      output.append(key)
      output.append(number)
    }
    if found.events > 0 {
      let times: [(StaticString, Timestamp)] = [
        (",\"earliest\":", found.eventTimes.earliest), (",\"latest\":", found.eventTimes.latest),
        (",\"first_ingested\":", found.ingestTimes.earliest),
        (",\"last_ingested\":", found.ingestTimes.latest),
      ]
      for (key, time) in times {
        output.append(key)
        output.appendQuoted(time)
      }
      appendLateness(found, to: output)
    }
    output.append(",\"consumers\":{")
    for (number, consumer) in found.consumers.enumerated() {
      if number > 0 { output.append(UInt8(ascii: ",")) }
      output.appendQuoted(consumer.name)
      output.append(UInt8(ascii: ":"))
      output.append(consumer.position.offset)
    }
    output.append("}}")
    try output.endRecord()
    return .success
  }

  private static func appendLateness(_ found: LogStatistics, to output: OutputBuffer) {
    output.append(",\"out_of_order\":")
    output.append(found.lateness.shareOutOfOrder)
    output.append(",\"lateness\":{")
    let shares: [(StaticString, Double)] = [
      ("\"p50\":", 50), (",\"p99\":", 99), (",\"p99.9\":", 99.9), (",\"max\":", 100),
    ]
    for (key, percent) in shares {
      output.append(key)
      output.appendQuoted(found.lateness.lateness(keeping: percent).description)
    }
    output.append("}")
  }
}
