// The declarations of commands and flags, held to their rules. Help, completions and parsing all
// come from them, so a slip here would show in several places at once.

import Core
import Testing

@testable import rtinfer

@Suite struct DeclarationTests {
  /// Every command and its verbs.
  static let commands = CommandTable.all.flatMap { [$0] + $0.verbs }

  private static func isWord(_ name: String) -> Bool {
    name.wholeMatch(of: #/[a-z][a-z0-9]*(-[a-z0-9]+)*/#) != nil
  }

  private static func flags(_ command: Command) -> [Flag] {
    command.flags + CommonFlags.everywhere
  }

  /// All flags of all commands; one that several commands share comes several times.
  static let allFlags = commands.flatMap { command in flags(command).map { (command.name, $0) } }

  @Test func namesAreWordsAndUnique() {
    let names = Self.commands.map(\.name) + HelpTopics.all.map(\.name)
    #expect(Set(names).count == names.count)
    for name in names {
      #expect(name.split(separator: " ").allSatisfy { Self.isWord(String($0)) }, "\(name)")
    }
    for command in CommandTable.all {
      #expect(!command.name.contains(" "))
      for verb in command.verbs {
        #expect(verb.name.hasPrefix("\(command.name) ") && verb.verbs.isEmpty, "\(verb.name)")
      }
    }
  }

  @Test func flagsOfACommandAreUnique() {
    for command in Self.commands {
      let flags = Self.flags(command)
      let shorts = flags.compactMap(\.short)
      #expect(Set(flags.map(\.name)).count == flags.count, "\(command.name)")
      #expect(Set(shorts).count == shorts.count, "\(command.name)")
    }
  }

  @Test func flagNamesAreLowerCaseWordsWithDashes() {
    for (command, flag) in Self.allFlags {
      #expect(Self.isWord(flag.name), "\(command) --\(flag.name)")
      #expect(flag.short.map { $0.isASCII && $0.isLetter } ?? true, "\(command) --\(flag.name)")
    }
  }

  @Test func flagsWithValuesHavePlaceholdersAndSwitchesNone() {
    for (command, flag) in Self.allFlags {
      #expect((flag.placeholder == nil) == flag.isSwitch, "\(command) --\(flag.name)")
      #expect(flag.placeholder?.isEmpty != true, "\(command) --\(flag.name)")
    }
  }

  @Test func aFlagOfOneNameTakesTheSameKindOfValueEverywhere() {
    let byName = Dictionary(grouping: Self.allFlags.map(\.1), by: \.name)
    for (name, flags) in byName where !["format", "emit", "time"].contains(name) {
      #expect(flags.allSatisfy { $0.argument == flags[0].argument }, "--\(name)")
    }
  }

  @Test func summariesAreOneLineWithoutAFullStop() {
    let summaries =
      Self.commands.map(\.summary) + HelpTopics.all.map(\.summary)
      + Self.allFlags.map(\.1.summary)
    for summary in summaries {
      #expect(!summary.hasSuffix("."), "\(summary)")
      #expect(!summary.contains("\n"), "\(summary)")
      #expect(summary.first?.isLowercase == false, "\(summary)")
    }
  }

  @Test func everyCommandHasAnExampleThatItsOwnFlagsCanRead() throws {
    for command in Self.commands {
      #expect(!command.examples.isEmpty, "\(command.name)")
      for example in command.examples {
        #expect(example.line.contains("rtinfer \(command.name)"), "\(example.line)")
        for words in Self.invocations(example.line) { try Self.check(words, example.line) }
      }
    }
  }

  /// The words of every `rtinfer …` in a line of shell, up to a pipe, a redirection or a bracket.
  private static func invocations(_ line: String) -> [[String]] {
    line.split(separator: "|").compactMap { part in
      guard let start = part.firstRange(of: "rtinfer ") else { return nil }
      let command = part[start.upperBound...].prefix { !"<>)&;".contains($0) }
      return command.split(separator: " ").map(String.init)
    }
  }

  private static func check(_ words: [String], _ line: String) throws {
    let (command, rest) = try #require(
      try Command.find(words, among: CommandTable.all), "\(line)")
    #expect(throws: Never.self, "\(line)") {
      _ = try Options(rest, for: command, environment: [:])
    }
  }

  @Test func theCheckOfExamplesWouldFindAnUnknownFlag() throws {
    #expect(Self.invocations("cat x | rtinfer ingest --strct < y") == [["ingest", "--strct"]])
    let ingest = try #require(Self.commands.first { $0.name == "ingest" })
    #expect(throws: Failure.self) {
      _ = try Options(["--strct"], for: ingest, environment: [:])
    }
  }

  @Test func helpFitsAHundredColumns() {
    let pages =
      Self.commands.map(Help.page) + HelpTopics.all.map(\.text)
      + [Help.overview(commands: CommandTable.all, topics: HelpTopics.all)]
    for line in pages.flatMap({ $0.split(separator: "\n") }) {
      #expect(line.count <= 100, "\(line)")
      #expect(line.last != " ", "\(line)")
    }
  }

  @Test func everyPageEndsItsLastLine() {
    for page in Self.commands.map(Help.page) + HelpTopics.all.map(\.text) {
      #expect(page.hasSuffix("\n") && !page.hasSuffix("\n\n"), "\(page.prefix(40))")
    }
  }

  @Test func theOverviewNamesEveryCommandAndTopic() {
    let overview = Help.overview(commands: CommandTable.all, topics: HelpTopics.all)
    for name in CommandTable.all.map(\.name) + HelpTopics.all.map(\.name) {
      #expect(overview.contains("\n  \(name) "), "\(name)")
    }
  }
}
