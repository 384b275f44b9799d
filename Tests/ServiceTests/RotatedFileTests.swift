import Core
import Foundation
import TestSupport
import Testing

@testable import Service

@Suite struct RotatedFileTests {
  private func write(_ text: String, to file: RotatedFile) throws {
    try Array(text.utf8).withBytes { (bytes) throws(SystemError) in try file.write(bytes) }
  }

  /// No line is lost or split, however the writes fall.
  @Test func aFileIsBegunAnewAtItsBound() throws {
    let folder = try TemporaryFolder()
    let path = folder.path("log")
    let file = try RotatedFile(path, files: RealFileSystem(), bytesMax: 30, keptMax: 3)
    let lines = (10..<22).map { "line \($0)\n" }
    try write(lines[0..<2].joined(), to: file)
    try write(lines[2..<9].joined(), to: file)
    for line in lines[9...] { try write(line, to: file) }
    let texts = try ["log.3", "log.2", "log.1", "log"].map(folder.text)
    #expect(texts == stride(from: 0, to: 12, by: 3).map { lines[$0..<$0 + 3].joined() })
    // The oldest makes room.
    try write("next one\n", to: file)
    #expect(try folder.text("log.3") == lines[3..<6].joined())
    #expect(try folder.text("log") == "next one\n")
    #expect(!FileManager.default.fileExists(atPath: folder.path("log.4")))
  }

  @Test func aLongLineHasAFileOfItsOwn() throws {
    let folder = try TemporaryFolder()
    let file = try RotatedFile(
      folder.path("log"), files: RealFileSystem(), bytesMax: 10, keptMax: 5)
    let long = String(repeating: "x", count: 50) + "\n"
    try write("a\n\(long)b\n", to: file)
    #expect(try ["log.2", "log.1", "log"].map(folder.text) == ["a\n", long, "b\n"])
    // Another run goes on where this one was.
    let again = try RotatedFile(
      folder.path("log"), files: RealFileSystem(), bytesMax: 10, keptMax: 5)
    try write("123456\n", to: again)
    try write("c\n", to: again)
    #expect(try ["log.1", "log"].map(folder.text) == ["b\n123456\n", "c\n"])
  }

  @Test func whatIsMovedAwayIsBegunAnew() throws {
    let folder = try TemporaryFolder()
    let path = folder.path("log")
    let file = try RotatedFile(path, files: RealFileSystem(), bytesMax: nil, keptMax: 1)
    try write("old\n", to: file)
    try FileManager.default.moveItem(atPath: path, toPath: folder.path("moved"))
    try write("still old\n", to: file)
    try file.reopen()
    try write("new\n", to: file)
    #expect(try folder.text("moved") == "old\nstill old\n")
    #expect(try folder.text("log") == "new\n")
  }
}
