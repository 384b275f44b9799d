// --record: what a measurement found out about a registered version goes to its metrics, so that promote --require
// can ask for it.

import Core
import Models

struct RegistryRecord {
  static let record = Flag(
    "record", .text("URI"),
    "Write the figures down as metrics of this version, as in models:/late_arrival/3, for gates")
  static let flags = [record, RegistryFlags.registry]

  private let uri: ModelURI
  private let version: RegistryVersion

  /// Asked before anything is measured, so that a wrong name costs no time; nil without the flag.
  init?(_ invocation: Invocation) throws(Failure) {
    guard let text = try invocation.options.value(RegistryRecord.record) else { return nil }
    uri = try ModelURI(text)
    version = try RegistryFlags.view(invocation).state().version(uri)
  }

  /// - Throws: a usage failure where another file was measured than the version's own.
  func check(_ model: Model, path: String, _ invocation: Invocation) throws(Failure) {
    guard model.fingerprint == version.digest else {
      throw .usage(
        "\(invocation.options.origin(RegistryRecord.record)): \(path) is not the file of"
          + " \(exact): its digest is \(model.fingerprint.prefix(12))…, not"
          + " \(version.digest.prefix(12))…",
        hint: "rtinfer \(invocation.command.name) \(exact) measures that one")
    }
  }

  private var exact: String {
    ModelURI(model: version.model, .version(version.number)).description
  }

  func write(
    _ metrics: [String: Double], source: String, machine: String? = nil, _ invocation: Invocation
  ) throws(Failure) {
    let writer = try RegistryFlags.writer(invocation)
    _ = try writer.measure(
      model: version.model, version: version.number, metrics: metrics, source: source,
      machine: machine, author: try RegistryFlags.author(invocation))
    let names = metrics.keys.sorted().joined(separator: ", ")
    invocation.messages.note("recorded as metrics of \(exact): \(names)")
  }
}
