// A Kafka topic through kcat, with the mock cluster that librdkafka brings along, where kcat is installed.

import Foundation
import TestSupport
import Testing

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

@Suite(.enabled(if: Binary.find("kcat") != nil, "kcat is not installed"))
struct KafkaTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private func bash(_ line: String) throws -> Child.Outcome {
    try Child.bash(line, in: folder.url, home: folder.url)
  }

  /// A producer that keeps a mock cluster alive while its input is open, and the cluster's address.
  private func startCluster() throws -> (cluster: Child, address: String) {
    let cluster = try Child(
      [
        Binary.find("kcat")!, "-P", "-b", "replaced:1", "-X", "test.mock.num.brokers=1", "-t", "t",
        "-d", "mock",
      ], in: folder.url, environment: Binary.environment(home: folder.url))
    try #require(cluster.waitForErrors("bootstrap.servers="), "\(cluster.errorsSoFar)")
    let address = try #require(
      cluster.errorsSoFar.firstMatch(of: #/bootstrap.servers=([0-9.:]+)/#)
    ).output.1
    return (cluster, String(address))
  }

  /// A topic is read, its reader dies halfway and begins anew: from the start, from where the log says, in a
  /// group. The log holds each record once.
  @Test func aPartitionThatIsReadAgainIsRecognised() throws {
    let (cluster, address) = try startCluster()
    defer { try? cluster.closeInput() }
    let events = (0..<400).map {
      "k\($0 % 40)|{\"n\":\($0),\"time\":\"2013-01-05T10:00:\(10 + $0 / 10)Z\"}\n"
    }
    try folder.write(events.prefix(200).joined(), "first")
    try folder.write(events.dropFirst(200).joined(), "second")
    let kcat = "kcat -b \(address) -q"
    let ingest = "rtinfer ingest --from kcat --log --quiet --fsync always"
    let consume = "\(kcat) -C -t t -J -e -o beginning"
    let first = try bash(
      "\(kcat) -P -t t -K '|' -l first && \(consume) | head -90 | \(ingest) | wc -l")
    #expect(first.output.trimmingCharacters(in: .whitespaces) == "90\n", "\(first.errors)")
    let whole = try bash("\(kcat) -P -t t -K '|' -l second && \(consume) | \(ingest) | wc -l")
    #expect(whole.output.trimmingCharacters(in: .whitespaces) == "310\n", "\(whole.errors)")
    let offsets = try bash("rtinfer ingest log offsets")
    let next = offsets.output.matches(of: #/"next_offset":([0-9]+)/#).map { Int($0.output.1)! }
    #expect(next.reduce(0, +) == 400, "\(offsets.output)")
    let again = try bash("\(consume) | \(ingest); rtinfer ingest --replay")
    let numbers = again.output.matches(of: #/"n":([0-9]+)/#).map { Int($0.output.1)! }
    #expect(numbers.sorted() == Array(0..<400), "\(again.errors)")
  }

  // MARK: A group that loses a member

  /// One of a group, writing what it reads into `fifo`, whole lines at a time as others write there too. The mock
  /// coordinator takes three seconds for members to join: a session must not end before.
  private func join(_ address: String, _ more: String = "") throws -> Child {
    let line =
      "exec stdbuf -oL kcat -b \(address) -G flights -J -X auto.offset.reset=earliest"
      + " -X session.timeout.ms=3500 -X heartbeat.interval.ms=100 \(more) t > fifo"
    return try Child(
      [Binary.find("bash")!, "-c", line], in: folder.url,
      environment: Binary.environment(home: folder.url))
  }

  /// Two members share four partitions and one log; one dies halfway, before it has committed anything, and the
  /// other is given its partitions, from their beginning.
  @Test(.enabled(if: Binary.find("stdbuf") != nil, "stdbuf is not installed"))
  func whatALostMemberHadReadComesAgainAndIsRecognised() throws {
    let (cluster, address) = try startCluster()
    defer { try? cluster.closeInput() }
    #expect(try bash("mkfifo fifo").status == 0)
    let ingest = try Child(
      [Binary.find("bash")!, "-c", "exec rtinfer ingest --from kcat --log --fsync always < fifo"],
      in: folder.url, environment: Binary.environment(home: folder.url))
    let lost = try join(address, "-X enable.auto.offset.store=false")
    let other = try join(address)
    defer { for child in [lost, other, ingest] where child.isRunning { child.send(SIGKILL) } }
    for member in [lost, other] {
      #expect(member.waitForErrors("assigned: t ["), "\(member.errorsSoFar)")
    }
    func produce(_ numbers: Range<Int>) throws {
      let lines = numbers.map {
        "k\($0 % 40)|{\"n\":\($0),\"time\":\"2013-01-05T10:00:10Z\"}\n"
      }
      try folder.write(lines.joined(), "events")
      let outcome = try bash("kcat -b \(address) -q -P -t t -K '|' -l events")
      #expect(outcome.status == 0, "\(outcome.errors)")
    }

    try produce(0..<200)
    #expect(ingest.waitForLines(200), "\(ingest.errorsSoFar)")
    lost.send(SIGKILL)
    #expect(lost.wait().status == 128 + SIGKILL)
    // In the lost member's partitions these lie behind what it had read: whoever reads them has read that again.
    try produce(200..<400)
    #expect(ingest.waitForLines(400), "\(ingest.errorsSoFar), \(other.errorsSoFar)")
    other.send(SIGTERM)
    _ = other.wait()
    let end = ingest.wait()
    #expect(end.status == 0, "\(end.errors)")

    let log = try bash("rtinfer ingest --replay").output.split(separator: "\n")
    let numbers = log.map { $0.firstMatch(of: #/"n":([0-9]+)/#).flatMap { Int($0.output.1) } ?? -1 }
    #expect(numbers.sorted() == Array(0..<400), "each record once")
    let assigned =
      lost.errorsSoFar.split(separator: "\n").last { $0.contains("assigned: t [") } ?? ""
    let partitions = Set(assigned.matches(of: #/t \[([0-9])\]/#).map(\.output.1))
    let twice = zip(log, numbers).count { line, number in
      let partition = line.firstMatch(of: #/"partition":([0-9])/#)
      return number < 200 && partition.map { partitions.contains($0.output.1) } == true
    }
    let dropped = end.errors.firstMatch(of: #/repeats dropped ([0-9]+)/#)
    #expect(twice > 0 && Int(dropped?.output.1 ?? "0")! >= twice, "\(twice): \(end.errors)")
  }
}
