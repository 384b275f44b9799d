// The completion scripts, loaded by the shells they are for. That the files in `completions/` are
// what the binary prints is said by the golden cases `completions/*-file-is-up-to-date`, and here
// in one sentence.

import Core
import Foundation
import TestSupport
import Testing

extension Trait where Self == ConditionTrait {
  fileprivate static func needs(_ shell: String) -> Self {
    .enabled(if: Binary.find(shell) != nil, "\(shell) is not installed")
  }
}

@Suite struct CompletionTests {
  private static let folder = Fixtures.package.appending(path: "completions")

  /// What is offered behind a line that is typed as far as it goes.
  struct Question: Sendable, CustomStringConvertible {
    let line: String
    let answers: [String]
    var description: String { line }
  }

  static let questions = [
    Question(line: "rtinfer ing", answers: ["ingest"]),
    Question(line: "rtinfer ingest --max-re", answers: ["--max-rejects"]),
    Question(line: "rtinfer score --m", answers: ["--model", "--margin", "--max-rejects"]),
    Question(line: "rtinfer ingest --time-unit rf", answers: ["rfc3339"]),
    Question(line: "rtinfer completions z", answers: ["zsh"]),
    Question(line: "rtinfer ingest Pack", answers: ["Package.swift"]),
    Question(line: "rtinfer ingest --rejects Pack", answers: ["Package.swift"]),
  ]

  private func run(_ line: String) throws -> Child.Outcome {
    let home = try TemporaryFolder()
    return try Child.bash(line, in: Fixtures.package, home: home.url, seconds: 30)
  }

  @Test(arguments: Shell.allCases) func theFileIsWhatTheBinaryPrints(_ shell: Shell) throws {
    let file = try String(
      contentsOf: Self.folder.appending(path: shell.fileName), encoding: .utf8)
    #expect(try run("rtinfer completions \(shell.rawValue)").output == file)
  }

  // MARK: bash

  @Test(.needs("bash"), arguments: questions) func bashCompletes(_ question: Question) throws {
    let words = question.line.split(separator: " ")
    let outcome = try run(
      """
      source completions/rtinfer.bash
      COMP_WORDS=(\(question.line)); COMP_CWORD=\(words.count - 1)
      _rtinfer; printf '%s\\n' "${COMPREPLY[@]}"
      """)
    #expect(Set(outcome.output.split(separator: "\n").map(String.init)) == Set(question.answers))
    #expect(outcome.errors == "")
  }

  @Test(.needs("bash")) func bashOffersNothingForFreeText() throws {
    let outcome = try run(
      """
      source completions/rtinfer.bash
      COMP_WORDS=(rtinfer ingest --id ''); COMP_CWORD=3
      _rtinfer; echo "${#COMPREPLY[@]}"; complete -p rtinfer
      """)
    #expect(outcome.output == "0\ncomplete -F _rtinfer rtinfer\n")
  }

  // MARK: fish

  @Test(.needs("fish"), arguments: questions) func fishCompletes(_ question: Question) throws {
    let outcome = try run(
      "fish --no-config -c 'source completions/rtinfer.fish; complete -C \"\(question.line)\"'")
    let offered = outcome.output.split(separator: "\n").map { line in
      String(line.prefix { $0 != "\t" })
    }
    #expect(Set(offered) == Set(question.answers))
    #expect(outcome.errors == "")
  }

  // MARK: zsh

  @Test(.needs("zsh")) func zshReadsTheScript() throws {
    let outcome = try run(
      """
      zsh -n completions/_rtinfer && zsh -f -c '
        fpath=($PWD/completions $fpath); autoload -Uz compinit; compinit -u -D
        print -r -- $_comps[rtinfer]'
      """)
    #expect(outcome.output == "_rtinfer\n")
    #expect(outcome.errors == "")
  }

  /// A real line editor on a pseudo-terminal: what is typed, a tab, and what then stands in the
  /// line.
  @Test(.needs("zsh"), arguments: questions.filter { $0.answers.count == 1 })
  func zshCompletes(_ question: Question) throws {
    let script = """
      zmodload zsh/zpty || exit 9
      zpty z "zsh -f -i"
      zpty -w z "PS1=; fpath=($PWD/completions \\$fpath); autoload -Uz compinit; compinit -u -D"
      zpty -w z "buffer() { print -r -- \\"<<\\$BUFFER>>\\" }"
      zpty -w z "zle -N buffer; bindkey \\"^X\\" buffer"
      zpty -w z "print REA\\"\\"DY"
      zpty -r -m z seen "*READY*"
      zpty -n -w z "$1"$'\\t'$'\\x18'
      zpty -r -m z seen "*<<*>>*"
      print -r -- ${${seen##*<<}%%>>*}
      zpty -d z
      """
    let home = try TemporaryFolder()
    try home.write(script, "capture.zsh")
    let outcome = try Child.bash(
      "TERM=dumb zsh -f \"$HOME/capture.zsh\" '\(question.line)'", in: Fixtures.package,
      home: home.url, seconds: 20)
    let typed = question.line.split(separator: " ").dropLast().joined(separator: " ")
    let line = outcome.output.trimmingCharacters(in: .whitespacesAndNewlines)
    #expect(line == "\(typed) \(question.answers[0])", "\(outcome)")
  }
}
