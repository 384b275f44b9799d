// Short ways to say what nearly every test needs: the error that a call ends with, a section of a
// project file, text as borrowed bytes, a folder that is gone afterwards.

public import Core
import Foundation

/// The error that `body` throws, nil if it throws none.
public func failure<Problem: Error>(_ body: () throws(Problem) -> Void) -> Problem? {
  do throws(Problem) {
    try body()
    return nil
  } catch {
    return error
  }
}

/// The error's message, or "" where none was thrown.
public func message(_ body: () throws(Failure) -> Void) -> String { failure(body)?.message ?? "" }

extension ConfigNode {
  /// A tree as the project file "test.json" would give it.
  public static func parse(_ text: String) throws(Failure) -> ConfigNode {
    try JSON5Parser.parse(Array(text.utf8), file: "test.json")
  }

  /// The members of an object.
  public static func members(_ text: String) throws(Failure) -> [Member] {
    try parse(text).members()
  }

  /// The one member of an object, as sections are declared.
  public static func member(_ text: String) throws(Failure) -> Member {
    let members = try parse(text).members()
    precondition(members.count == 1, "the object has one member")
    return members[0]
  }
}

extension Bytes {
  /// Text that stays for as long as the tests run.
  public init(lasting text: String) { self.init(owning: text) }
}

extension [UInt8] {
  public init(_ text: String) { self = Array(text.utf8) }
  public var text: String { String(decoding: self, as: UTF8.self) }
}

extension Timestamp {
  /// For times that are written in tests.
  public init(_ text: String) { self = Timestamp(rfc3339: Bytes(owning: text))! }
}

/// A command's surroundings in memory, with what it writes.
public struct TestRun {
  public let invocation: Invocation
  public let output = MemorySink()
  public let messages = MemorySink()

  /// - Parameter words: the command line behind the command's name.
  public init(
    _ words: [String] = [], flags: [Flag] = CommonFlags.records,
    environment: [String: String] = [:], clock: any Clock = ManualClock(Timestamp(microseconds: 0))
  ) throws(Failure) {
    let command = Command(
      name: "test", summary: "", story: "", operands: .files, flags: flags, examples: [],
      run: { _ throws(Failure) in .success })
    let options = try Options(words, for: command, environment: environment)
    invocation = Invocation(
      command: command, options: options, output: OutputBuffer(output),
      messages: Messages(messages, command: "test", isQuiet: false),
      terminal: Terminal(input: false, output: false, error: false, environment: environment),
      environment: environment, workingFolder: "/", clock: clock, files: RealFileSystem())
  }
}
