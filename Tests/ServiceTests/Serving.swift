// A service without sockets: requests as text in, replies as text out.

import Core
import Decisions
import Foundation
import Models
import TestSupport

@testable import HTTP
@testable import Service

enum Serving {
  static func model(_ fixture: String) throws -> Model {
    let bytes = try Fixtures.bytes("models/xgboost-json/\(fixture)/model.json")
    return try bytes.withBytes { (bytes) throws(Failure) in
      try ModelLoader.load(bytes, source: fixture)
    }
  }

  /// - Parameter text: the members of the declaration, behind `uri`.
  static func served(
    _ name: String, _ fixture: String, _ text: String = "", schema: RequestSchema = RequestSchema()
  ) throws -> ServedModel {
    let member = try ConfigNode.member("{ \(name): { uri: 'model.json', \(text) } }")
    return try ServedModel(try ModelDefinition(member), model: try model(fixture), schema: schema)
  }

  /// Rows of a fixture, from the start again after the last, as JSON objects by input name.
  static func rows(_ fixture: String, _ count: Int) throws -> [String] {
    let lines = try Fixtures.text("models/xgboost-json/\(fixture)/rows.csv").split(separator: "\n")
    let names = lines[0].split(separator: ",")
    return (0..<count).map { index in
      let line = lines[1 + index % (lines.count - 1)]
      let cells = line.split(separator: ",", omittingEmptySubsequences: false)
      let members = zip(names, cells).map {
        "\"\($0)\":\(Double($1)?.isFinite == true ? $1 : "null")"
      }
      return "{\(members.joined(separator: ","))}"
    }
  }
}

/// A service with any number of clients, whose requests are all ready in one turn.
final class TestService {
  let service: Service
  let catalog: Catalog
  let meters = Meters()
  let state = ServerState(connectionsMax: 100)
  let clock: ManualClock
  private let outbox = Outbox()
  private let dateLine = DateLine()

  init(
    _ models: [ServedModel], clock: ManualClock = ManualClock(Timestamp(microseconds: 0)),
    _ change: (inout ServiceOptions) -> Void = { _ in }
  ) {
    var options = ServiceOptions()
    options.version = "1.2.3"
    change(&options)
    self.clock = clock
    catalog = Catalog(models)
    service = Service(catalog, options, state: state, meters: meters, clock: clock)
  }

  func connect(_ client: ClientAddress = .local) -> Connection {
    Connection(
      slot: 0, outbox: outbox, dateLine: dateLine, bodyBytesMax: Limits.requestBodyBytesMax,
      now: clock.monotonicNanoseconds(), client: client)
  }

  func send(_ bytes: [UInt8], on connection: Connection) {
    var rest = bytes[...]
    while !rest.isEmpty {
      let room = connection.room()
      let count = min(room.count, rest.count)
      room.copyBytes(from: rest.prefix(count))
      rest = rest.dropFirst(count)
      connection.received(count, now: clock.monotonicNanoseconds())
    }
    while let request = connection.nextRequest() { service.handle(request, connection) }
  }

  func send(_ text: String, on connection: Connection) { send(Array(text.utf8), on: connection) }

  /// What has been answered.
  func receive(_ connection: Connection) -> TestReply {
    let bytes = connection.pendingOutput.copy()
    connection.sent(bytes.count, now: clock.monotonicNanoseconds())
    return TestReply(bytes)
  }

  /// One request, all the way.
  func ask(_ head: String, fields: [String] = [], body: [UInt8]) -> TestReply {
    let connection = connect()
    let lines = ["\(head) HTTP/1.1", "Host: a", "Content-Length: \(body.count)"] + fields
    send(Array((lines.joined(separator: "\r\n") + "\r\n\r\n").utf8) + body, on: connection)
    _ = service.endTurn(now: clock.monotonicNanoseconds())
    return receive(connection)
  }

  func ask(_ head: String, fields: [String] = [], _ body: String = "") -> TestReply {
    ask(head, fields: fields, body: Array(body.utf8))
  }
}

struct TestReply {
  let status: Int
  let head: String
  let bytes: [UInt8]
  var body: String { String(decoding: bytes, as: UTF8.self) }

  init(_ reply: [UInt8]) {
    let separator = Array("\r\n\r\n".utf8)
    let end = reply.indices.first { Array(reply[$0...].prefix(4)) == separator } ?? reply.count
    head = String(decoding: reply[..<end], as: UTF8.self)
    bytes = Array(reply[min(end + 4, reply.count)...])
    status = Int(head.split(separator: " ").dropFirst().first ?? "") ?? 0
  }

  func field(_ name: String) -> String? {
    let line = head.split(separator: "\r\n").first { $0.hasPrefix("\(name): ") }
    return line.map { String($0.dropFirst(name.count + 2)) }
  }

  /// The body as Foundation reads it.
  var json: Any? {
    try? JSONSerialization.jsonObject(with: Data(bytes), options: .fragmentsAllowed)
  }
  var object: [String: Any] { json as? [String: Any] ?? [:] }
  var error: String { object["error"] as? String ?? "" }
}
