// Profiles of columns that tests make up.

import Core
import TestSupport

@testable import Measure

enum Profiling {
  /// Lines of JSON as a profile.
  static func profile(
    _ lines: [String], like reference: Profile? = nil, time: String? = nil, every: String? = nil
  ) throws -> Profile {
    let builder = ProfileBuilder(
      .init(), like: reference, time: time, every: every.flatMap { TimeSpan($0) })
    for line in lines {
      try Array(line.utf8).withBytes { (bytes) throws(BadRecord) in
        try builder.add(bytes, padding: 0)
      }
    }
    return builder.finish()
  }

  /// Numbers, without the way over text.
  static func profile(_ columns: [String: [Double]], like reference: Profile? = nil) -> Profile {
    let profile = Profile()
    for (name, values) in columns.sorted(by: { $0.key < $1.key }) {
      let column = ColumnProfile(name, like: reference?[name])
      for value in values { column.add(.number(value), window: nil) }
      column.finish(nil)
      profile.append(column)
      profile.records = max(profile.records, Int64(values.count))
    }
    return profile
  }

  static func text(_ profile: Profile) -> String {
    let output = OutputBuffer(MemorySink())
    profile.append(to: output)
    return output.pending.string
  }

  static func normal(_ count: Int, _ mean: Double, _ random: inout SplitMix64) -> [Double] {
    (0..<count).map { _ in
      mean + NormalDistribution.quantile(Double.random(in: 1e-12..<1, using: &random))
    }
  }
}
