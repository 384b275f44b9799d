// drift profile and drift merge: what is remembered of records.

import Core
import Measure
import Models

enum DriftProfile {
  static let command = Command(
    name: "drift profile",
    summary: "Summarise records column by column, to compare others with later",
    story: """
      Reads records of any kind (events, features, decisions, CSV or TSV tables) once and prints a profile: one \
      JSON object with, for each column, how many values of which type, nulls, moments, exact counts between \
      about a thousand edges, and categories. Members inside members are columns named by their path, as in \
      features."view:feature". Memory does not grow with the stream: at most 0.4 MB a column.

      A column of at most 1,024 different numbers is kept exactly. Otherwise edges are chosen from the first \
      16,384 values, and the counts between them are exact. The first 2,048 different texts are counted \
      exactly (a text is cut after 128 bytes), the 256 most frequent are written by name.

      Profiles of days or shards merge into that of the whole: rtinfer drift merge.
      """,
    operands: .files,
    flags: DriftInput.flags + [DriftInput.every] + CommonFlags.records,
    examples: [
      .init("rtinfer drift profile january.ndjson > january.profile", "What January looked like."),
      .init(
        "rtinfer drift profile --under inputs --every 1d decisions.ndjson > inputs.profile",
        "What a model was given, with its means by day."),
      .init("rtinfer drift profile training.csv > training.profile", "A training set."),
    ],
    run: run)

  static let merge = Command(
    name: "drift merge",
    summary: "Make one profile of several",
    story: """
      Reads profiles and prints that of all their records together. Counts add up exactly, means and variances agree to \
      the last digits with those of one pass. Counts between edges stay exact where the profiles have the same \
      edges or every value is one (at most 1,024 different numbers each); else they are wrong by less than one bin's, a \
      thousandth of the values.
      """,
    operands: .files,
    flags: [],
    examples: [
      .init("rtinfer drift merge monday.profile tuesday.profile > both.profile", "Two days as one.")
    ],
    run: runMerge)

  private static func run(_ invocation: Invocation) throws(Failure) -> ExitStatus {
    let rejects = try Rejects(invocation)
    let (profile, records) = try DriftInput.profile(
      invocation, invocation.options.operands, rejects)
    profile.append(to: invocation.output)
    try invocation.output.flush()
    return try rejects.finish(total: records)
  }

  private static func runMerge(_ invocation: Invocation) throws(Failure) -> ExitStatus {
    guard let first = invocation.options.operands.first else {
      throw .usage(
        "no profile is named", hint: "rtinfer drift merge monday.profile tuesday.profile")
    }
    let merged = try read(first, invocation)
    for name in invocation.options.operands.dropFirst() {
      try merged.merge(try read(name, invocation))
    }
    merged.append(to: invocation.output)
    try invocation.output.flush()
    return .success
  }

  /// A profile's file, or that of a registered version (`add --profile`).
  static func read(_ name: String, _ invocation: Invocation) throws(Failure) -> Profile {
    var path = name
    if ModelURI.isURI(name) {
      let view = try RegistryFlags.view(invocation)
      guard let file = try view.manifest(try ModelURI(name)).profile else {
        throw .usage(
          "\(name) has no profile", hint: "rtinfer registry add NAME FILE --profile FILE keeps one")
      }
      path = view.path(of: file)
    }
    return try Profile.parse(
      try invocation.files.contents(of: path, bytesMax: Profile.bytesMax), name: name)
  }
}
