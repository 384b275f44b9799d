// A Redis server of a test's own: on a free port of this machine and on a socket in a folder, with nothing kept from
// before. It ends with the test.

import Foundation

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

public final class RedisProcess {
  public static let server = Binary.find("redis-server")
  public static let client = Binary.find("redis-cli")
  public static let missing = "redis-server and redis-cli are not installed"
  public static var isInstalled: Bool { server != nil && client != nil }

  public let port: UInt16
  private let folder: TemporaryFolder
  private let options: [String]
  private var child: Child?

  public var address: String { "redis://127.0.0.1:\(port)" }
  public var socket: String { folder.path("redis-\(port).sock") }

  /// - Parameter options: further ones, as on the command line.
  public init(in folder: TemporaryFolder, _ options: [String] = []) throws {
    self.folder = folder
    self.options = options
    port = try RedisProcess.freePort()
    try start()
  }

  deinit { stop() }

  /// Starts the server, again where it was stopped; without its data unless `options` have it kept.
  public func start() throws {
    let words = [
      RedisProcess.server!, "--port", String(port), "--bind", "127.0.0.1", "--unixsocket", socket,
      "--dir", folder.url.path(), "--save", "", "--appendfilename", "redis-\(port).aof",
      "--dbfilename", "redis-\(port).rdb",
    ]
    let child = try Child(
      words + options, in: folder.url, environment: Binary.environment(home: folder.url),
      seconds: 300)
    self.child = child
    for _ in 0..<1_000 where child.isRunning {
      let answer = try ask("PING")
      if ["PONG", "NOAUTH", "LOADING"].contains(where: { answer.contains($0) }) { return }
      usleep(5_000)
    }
    throw Missing(reason: "redis-server did not start: \(child.outputSoFar)")
  }

  public struct Missing: Error {
    public let reason: String
  }

  public func stop() {
    guard let child else { return }
    child.send(SIGKILL)
    _ = child.wait()
    self.child = nil
  }

  /// It keeps its connections, and says nothing.
  public func pause() { child?.send(SIGSTOP) }
  public func resume() { child?.send(SIGCONT) }

  /// What `redis-cli` prints.
  @discardableResult public func ask(_ words: String...) throws -> String {
    let child = try Child(
      [RedisProcess.client!, "-p", String(port)] + words, stdin: "/dev/null",
      environment: Binary.environment(home: folder.url), seconds: 30)
    let outcome = child.wait()
    return (outcome.output + outcome.errors).trimmingCharacters(in: .whitespacesAndNewlines)
  }

  /// Members of all sets whose keys fit a pattern: entities that a store has listed.
  public func listedCount(_ pattern: String) throws -> Int? {
    let script = """
      local count = 0
      for _, key in ipairs(redis.call('KEYS', ARGV[1])) do
        if redis.call('TYPE', key).ok == 'set' then count = count + redis.call('SCARD', key) end
      end
      return tostring(count)
      """
    return Int(try ask("EVAL", script, "0", pattern))
  }

  /// Keys of one type (`string`, `set`) that fit a pattern.
  public func keyCount(_ type: String, _ pattern: String) throws -> Int? {
    let script = """
      local count = 0
      for _, key in ipairs(redis.call('KEYS', ARGV[2])) do
        if redis.call('TYPE', key).ok == ARGV[1] then count = count + 1 end
      end
      return tostring(count)
      """
    return Int(try ask("EVAL", script, "0", type, pattern))
  }

  /// A port at which nobody listens now.
  public static func freePort() throws -> UInt16 {
    #if canImport(Glibc)
      let descriptor = Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    #else
      let descriptor = Darwin.socket(AF_INET, SOCK_STREAM, 0)
    #endif
    defer { close(descriptor) }
    var name = sockaddr_in()
    name.sin_family = sa_family_t(AF_INET)
    inet_pton(AF_INET, "127.0.0.1", &name.sin_addr)
    var count = socklen_t(MemoryLayout<sockaddr_in>.size)
    let isBound = withUnsafeMutableBytes(of: &name) { bytes in
      let address = bytes.assumingMemoryBound(to: sockaddr.self).baseAddress!
      return bind(descriptor, address, count) == 0 && getsockname(descriptor, address, &count) == 0
    }
    guard isBound else { throw Missing(reason: "no port is free") }
    return UInt16(bigEndian: name.sin_port)
  }
}
