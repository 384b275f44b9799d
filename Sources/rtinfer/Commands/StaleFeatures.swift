// `--stale every=1h,publish=5m`: the features that a batch pipeline would have served, for a training set that is to be
// served so, and for the honest comparison of fresh features with stale ones (`bench ab`, whose arms these are).

import Core
import Replay

extension MaterializeCommand {
  static let stale = Flag(
    "stale", .text("every=SPAN[,publish=SPAN][,delay=SPAN]"),
    "The training set that a batch pipeline would have served: features as of its last published run"
  )

  /// Nil where features are as of each row's own time.
  static func staleArm(_ options: Options) throws(Failure) -> ReplayArm? {
    guard let text = try options.value(stale) else { return nil }
    let origin = options.origin(stale)
    var spans: [String: TimeSpan] = [:]
    for part in text.split(separator: ",", omittingEmptySubsequences: false) {
      let words = part.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      let name = String(words[0])
      guard words.count == 2, staleMembers.contains(name), spans[name] == nil else {
        let isTwice = spans[name] != nil
        let nearest = Spelling.nearest(name, among: staleMembers).map { "did you mean '\($0)'?" }
        throw .usage(
          "\(origin): '\(part)' is \(isTwice ? "there twice" : "none of every=, publish=, delay=")",
          hint: isTwice ? nil : nearest ?? staleHint)
      }
      guard let span = TimeSpan(String(words[1])) else {
        throw .usage("\(origin): '\(words[1])' is not a duration (\(TimeSpan.expectation))")
      }
      spans[name] = span
    }
    guard let interval = spans["every"], interval >= .seconds(1) else {
      throw .usage("\(origin): needs every=SPAN, of 1s or more", hint: staleHint)
    }
    return ReplayArm(
      runs: .every(interval), publishDelay: spans["publish"] ?? .zero,
      ingestDelay: spans["delay"] ?? .zero
    )
  }

  private static let staleMembers = ["every", "publish", "delay"]
  private static let staleHint =
    "--stale every=1h,publish=5m: a run each hour, whose features are served five minutes later"
}
