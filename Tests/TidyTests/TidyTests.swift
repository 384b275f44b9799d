// The house rules, held by a test: which module may import which, how long files and functions may
// be, what sources may not say, how large fixtures may be. A rule that is broken is named with its
// place.

import Foundation
import TestSupport
import Testing

@Suite struct TidyTests {
  private struct Source {
    let path: String
    let module: String
    let text: String
    var lines: [Substring] { text.split(separator: "\n", omittingEmptySubsequences: false) }
  }

  private static func sources(_ folder: String) throws -> [Source] {
    let root = Fixtures.package.appending(path: folder)
    let names =
      FileManager.default.enumerator(atPath: root.path())?.compactMap { $0 as? String } ?? []
    return try names.filter { $0.hasSuffix(".swift") }.sorted().map { name in
      Source(
        path: "\(folder)/\(name)", module: String(name.prefix { $0 != "/" }),
        text: try String(contentsOf: root.appending(path: name), encoding: .utf8))
    }
  }

  /// Lines that match, as "path:line: text".
  private func places(_ sources: [Source], where matches: (Substring) -> Bool) -> [String] {
    sources.flatMap { source in
      source.lines.enumerated().filter { matches($0.element) }
        .map {
          "\(source.path):\($0.offset + 1): \($0.element.trimmingCharacters(in: .whitespaces))"
        }
    }
  }

  // MARK: Arrows

  private static let arrows: [String: Set<String>] = [
    "SystemHeaders": [], "Core": ["SystemHeaders", "Wide"], "Wide": ["SystemHeaders"],
    "Events": ["Core"],
    "Features": ["Core", "Events"], "Models": ["Core", "Wide"],
    "Decisions": ["Core", "Features", "Models"], "HTTP": ["Core", "SystemHeaders"],
    "Service": ["Core", "HTTP", "Decisions", "Events", "Features", "Models", "Measure"],
    "Measure": ["Core"],
    "Replay": ["Core", "Events", "Features", "Decisions", "Measure"],
  ]

  private static let system: Set<String> = ["Glibc", "Darwin", "Synchronization"]

  private func imported(_ line: Substring) -> String? {
    var words = line.split(separator: " ")[...]
    while let first = words.first,
      ["public", "internal", "package", "private", "@testable"].contains(first)
    {
      words = words.dropFirst()
    }
    guard words.first == "import", let name = words.dropFirst().last else { return nil }
    return String(name.prefix { $0 != "." })
  }

  @Test func modulesImportOnlyWhatTheArrowsAllow() throws {
    // One is Python's.
    let sources = try Self.sources("Sources").filter { !$0.path.hasSuffix("PeerScript.swift") }
    #expect(sources.count > 50)
    let modules = Set(Self.arrows.keys)
    var wrong: [String] = []
    for source in sources {
      let allowed =
        source.module == "rtinfer" ? modules : (Self.arrows[source.module] ?? [])
      if source.module != "rtinfer", Self.arrows[source.module] == nil {
        wrong.append("\(source.path): the module \(source.module) has no arrows here")
      }
      for name in source.lines.compactMap(imported)
      where !allowed.contains(name) && !Self.system.contains(name) {
        wrong.append("\(source.path) imports \(name)")
      }
    }
    #expect(wrong.isEmpty, "\(wrong.joined(separator: "\n"))")
  }

  @Test func thePackageDependsOnNothingAndDeclaresTheSameArrows() throws {
    let text = try String(
      contentsOf: Fixtures.package.appending(path: "Package.swift"), encoding: .utf8)
    #expect(!text.contains(".package("))
    var declared = 0
    for match in text.matches(of: /module\("(\w+)"(?:, \[([^\]]*)\])?\)/) {
      let names = (match.2 ?? "").split(separator: ",").map {
        $0.trimmingCharacters(in: CharacterSet(charactersIn: " \""))
      }
      let allowed = Self.arrows[String(match.1)] ?? []
      #expect(Set(names).subtracting(allowed).isEmpty, "\(match.1) depends on \(names)")
      declared += 1
    }
    #expect(declared >= 6)
  }

  @Test func everyModuleWithSourcesIsInThePackage() throws {
    let text = try String(
      contentsOf: Fixtures.package.appending(path: "Package.swift"), encoding: .utf8)
    let modules = Set(try Self.sources("Sources").map(\.module))
    #expect(modules.allSatisfy { text.contains("\"\($0)\"") })
    let suites = Set(try Self.sources("Tests").map(\.module).filter { $0.hasSuffix("Tests") })
    // A long list of dependencies stands on a line of its own.
    let declared = text.replacing(/tests\(\s+/, with: "tests(")
    #expect(suites.allSatisfy { declared.contains("tests(\"\($0)\"") })
  }

  // MARK: Words

  /// What may not stand in sources, and where it may all the same.
  private static let banned: [(word: String, exempt: String)] = [
    ("print(", ""), ("exit(", "RTInfer.swift"), ("try!", ""), ("fatalError", ""),
    ("TO" + "DO", ""),
    ("FIX" + "ME", ""),
  ]

  @Test(arguments: banned) func sourcesDoNotSay(_ word: String, _ exempt: String) throws {
    let sources = try Self.sources("Sources").filter {
      exempt.isEmpty || !$0.path.hasSuffix(exempt)
    }
    let found = places(sources) { line in
      let code =
        word.hasSuffix("(") || word == "try!" ? line.prefix(upTo: commentStart(line)) : line
      return code.ranges(of: word).contains { range in
        // A whole word: `fingerprint(` is none of `print(`.
        let before = code[..<range.lowerBound].last
        return before == nil || !(before!.isLetter || before! == "_" || before! == ".")
      }
    }
    #expect(found.isEmpty, "\(found.joined(separator: "\n"))")
  }

  private func commentStart(_ line: Substring) -> Substring.Index {
    line.firstRange(of: "//")?.lowerBound ?? line.endIndex
  }

  // MARK: Sizes

  @Test func filesTellOneStory() throws {
    for source in try Self.sources("Sources") + Self.sources("Tests") {
      let count = source.lines.count - 1
      #expect(count <= 500, "\(source.path) has \(count) lines")
    }
  }

  /// A file may open with the imports of its platform, with a doc comment on its one type, or with its story.
  @Test func filesOfSomeLengthOpenWithAComment() throws {
    for source in try Self.sources("Sources") where source.lines.count > 26 {
      #expect(
        Self.unopened.contains(source.path) || source.text.hasPrefix("//"),
        "\(source.path) does not open with its story")
    }
    for path in Self.unopened {
      let source = try Self.sources("Sources").first { $0.path == path }
      #expect(
        source != nil && source?.text.hasPrefix("//") == false, "\(path) is no exception any more")
    }
  }

  /// The ratchet: may only become shorter.
  private static let unopened: Set<String> = [
    "Sources/rtinfer/Commands/Completions.swift",
    "Sources/rtinfer/Commands/Help.swift",
  ]

  /// From the line with `func` or `init` to the line that closes it at the same indent.
  @Test func functionsAreShort() throws {
    var longest = 0
    for source in try Self.sources("Sources") + Self.sources("Tests") {
      let lines = source.lines
      for (start, line) in lines.enumerated() {
        guard
          line.firstMatch(of: /^ *(?:[@a-z]+(?:\([a-z]+\))? )*(?:func |init[?(<]|deinit)/) != nil
        else {
          continue
        }
        let indent = line.prefix { $0 == " " }
        // Without a body it is a protocol's.
        guard line.hasSuffix("{") || line.hasSuffix("("),
          let end = lines[start...].firstIndex(where: { $0 == "\(indent)}" })
        else { continue }
        let length = end - start + 1
        longest = max(longest, length)
        #expect(length <= 70, "\(source.path):\(start + 1): \(length) lines")
      }
    }
    #expect(longest > 20, "the search finds functions")
  }

  @Test func fixturesStaySmall() throws {
    var total = 0
    let names = FileManager.default.enumerator(atPath: Fixtures.root.path())?.compactMap {
      $0 as? String
    }
    for name in try #require(names) {
      let path = Fixtures.root.appending(path: name).path()
      let attributes = try FileManager.default.attributesOfItem(atPath: path)
      guard attributes[.type] as? FileAttributeType == .typeRegular else { continue }
      let size = try #require(attributes[.size] as? Int)
      #expect(size < 5_000_000, "\(name) has \(size) bytes")
      total += size
    }
    #expect(total > 0 && total < 40_000_000, "all fixtures have \(total) bytes")
  }
}
