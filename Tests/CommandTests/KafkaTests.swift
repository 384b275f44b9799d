// A Kafka topic through kcat, with the mock cluster that librdkafka brings along, where kcat is installed.

import Foundation
import TestSupport
import Testing

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
}
