// drift: has the world moved? What is asked is a verb of its own.

import Core

enum DriftCommand {
  static let command = Command(
    name: "drift",
    summary: "Say whether data, features or answers have moved",
    story: """
      A profile remembers what records looked like; other records or profiles are compared with it later. Nothing needs to be \
      declared, and the records themselves are read once.
      """,
    operands: .none,
    flags: [],
    examples: [
      .init("rtinfer drift profile january.ndjson > january.profile", "Remember January."),
      .init(
        "rtinfer drift check --reference january.profile february.ndjson",
        "Is February like it? 0 yes, 1 no, 5 cannot say."),
    ],
    verbs: [
      DriftProfile.command, DriftProfile.merge, DriftCheck.command, DriftWatch.command,
      DriftOutcomes.command, DriftTrigger.command,
    ]
  ) { _ throws(Failure) in
    throw .usage(
      "say what to do", hint: "rtinfer drift profile january.ndjson > january.profile")
  }
}
