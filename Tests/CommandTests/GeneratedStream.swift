// Streams as long as a test wants them: taps that tell, questions that ask, and the project that answers them.

import Core
import Foundation
import TestSupport

enum GeneratedStream {
  static let model = Fixtures.root.appending(
    path: "models/xgboost-json/binary-logistic/model.json"
  ).path()

  /// No dedup and short windows: what is remembered does not grow with the stream.
  static let project = """
    {
      events: {
        tap: { id: "id", time: "time", lateness: "5m", fields: { user: "string", f0: "number" } },
        asked: { id: "id", time: "time", fields: { user: "string", f0: "number" } },
      },
      features: {
        taps: {
          entity: ["user"], from: "tap",
          features: {
            n: { count: "*", window: "2m" }, mean: { mean: "f0", window: "2m" },
            max: { max: "f0", window: "2m" },
          },
        },
      },
      models: {
        m: {
          uri: "\(model)", decides: "asked", inputs: ["f0", "taps:n", "taps:mean", "taps:max"],
          rules: [ { if: "score > 0.5", decide: "yes" }, { decide: "no" } ],
        },
      },
    }
    """

  /// One each quarter of a second of event time; every second one asks.
  static func event(_ number: Int) -> String {
    let time = Timestamp("2024-05-01T10:00:00Z").microseconds + Int64(number) * 250_000
    return "{\"type\":\"\(number % 2 == 0 ? "tap" : "asked")\",\"id\":\"e\(10_000_000 + number)\","
      + "\"time\":\"\(Timestamp(microseconds: time).rfc3339)\","
      + "\"user\":\"u\(number % 50)\",\"f0\":\(number % 7).1234567890123,"
      + "\"note\":\"said \\\"yes\\\"\",\"flag\":true,\"tags\":[1,{\"a\":2}]}\n"
  }

  /// A plain row for the model.
  static func row(_ number: Int) -> String {
    "{\"id\":\(number),\"f0\":\(number % 7).1234567890123,\"f1\":\(number % 5),\"f2\":-1.5e-7,\"f3\":null}\n"
  }

  /// A request of a run of bench http.
  static func sample(_ number: Int) -> String {
    let due = Timestamp("2024-05-01T10:00:00Z").microseconds + Int64(number) * 100
    return "{\"kind\":\"sample\",\"due\":\"\(Timestamp(microseconds: due).rfc3339)\","
      + "\"latency_us\":\(300 + number % 97).25,\"service_us\":\(290 + number % 97).25,\"status\":200,"
      + "\"layers_us\":{\"request\":20.5,\"features\":\(90 + number % 53).125,\"inference\":99.5}}\n"
  }

  /// The same row as a line of CSV.
  static func cells(_ number: Int) -> String {
    "\(number),\(number % 7).1234567890123,\(number % 5),-1.5e-7,\n"
  }

  static let header = "id,f0,f1,f2,f3\n"

  static func text(_ count: Int, from first: Int = 0, _ line: (Int) -> String) -> String {
    var text = ""
    for number in first..<first + count { text += line(number) }
    return text
  }

  /// A folder with the project in it.
  static func folder() throws -> TemporaryFolder {
    let folder = try TemporaryFolder()
    try folder.write(project, "rtinfer.json")
    return folder
  }
}
