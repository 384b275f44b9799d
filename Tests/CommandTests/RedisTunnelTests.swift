// The way to a Redis server over TLS as `rtinfer help online` describes it: through stunnel, which checks the server's
// certificate.

import Core
import Foundation
import TestSupport
import Testing

private let stunnel = Binary.find("stunnel")

@Suite(
  .serialized,
  .enabled(
    if: RedisProcess.isInstalled && stunnel != nil
      && Binary.find("openssl") != nil,
    "redis-server, stunnel and openssl are not all installed"))
struct RedisTunnelTests {
  private let folder: TemporaryFolder
  private let redis: RedisProcess
  private let securePort: UInt16

  init() throws {
    folder = try GeneratedStream.folder()
    try folder.write(GeneratedStream.text(400, GeneratedStream.event), "raw.ndjson")
    let made = try Child.bash(
      "openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost"
        + " -addext subjectAltName=DNS:localhost -keyout key.pem -out cert.pem",
      in: folder.url, home: folder.url)
    try #require(made.status == 0, "\(made.errors)")
    securePort = try RedisProcess.freePort()
    redis = try RedisProcess(
      in: folder,
      [
        "--tls-port", String(securePort), "--tls-cert-file", folder.path("cert.pem"),
        "--tls-key-file", folder.path("key.pem"), "--tls-ca-cert-file", folder.path("cert.pem"),
        "--tls-auth-clients", "no",
      ])
  }

  /// The recipe of the help.
  ///
  /// - Parameter host: the name that the certificate must bear.
  private func tunnel(to host: String) throws -> (child: Child, port: UInt16) {
    let port = try RedisProcess.freePort()
    try folder.write(
      """
      foreground = yes
      pid =
      [redis]
      client = yes
      accept = 127.0.0.1:\(port)
      connect = 127.0.0.1:\(securePort)
      CAfile = \(folder.path("cert.pem"))
      verifyChain = yes
      checkHost = \(host)

      """, "stunnel.conf")
    let child = try Child(
      [stunnel!, folder.path("stunnel.conf")], in: folder.url,
      environment: Binary.environment(home: folder.url), seconds: 110)
    let waited = try Child.bash(
      "for n in $(seq 200); do (exec 3<>/dev/tcp/127.0.0.1/\(port)) 2>/dev/null && exit; sleep 0.05; done; exit 1",
      in: folder.url, home: folder.url)
    try #require(waited.status == 0, "stunnel does not listen: \(child.outputSoFar)")
    return (child, port)
  }

  private func materialize(_ store: String) throws -> Child.Outcome {
    try Child.bash(
      "rtinfer materialize --online '\(store)' raw.ndjson | sed 's/,\"_rt\".*//'; exit ${PIPESTATUS[0]}",
      in: folder.url, home: folder.url, seconds: 110)
  }

  @Test func givesWhatAFolderGives() throws {
    let (child, port) = try tunnel(to: "localhost")
    defer { child.send(SIGKILL) }
    let ofFolder = try materialize("online")
    let ofServer = try materialize("redis://127.0.0.1:\(port)")
    #expect(ofServer.status == 0, "\(ofServer.errors)")
    #expect(!ofServer.output.isEmpty && ofServer.output == ofFolder.output)
    // It has come to the server, and the server's own port says so.
    let words = "taps u2 --at 2024-05-01T10:01:40Z --online"
    let direct = try Child.bash(
      "rtinfer materialize get \(words) \(redis.address)", in: folder.url, home: folder.url)
    let tunnelled = try Child.bash(
      "rtinfer materialize get \(words) redis://127.0.0.1:\(port)", in: folder.url,
      home: folder.url)
    #expect(direct.status == 0 && direct.output == tunnelled.output, "\(tunnelled.errors)")
  }

  @Test func aServerOfAnotherNameIsNotSpokenTo() throws {
    let (child, port) = try tunnel(to: "redis.example.com")
    defer { child.send(SIGKILL) }
    let outcome = try materialize("redis://127.0.0.1:\(port)")
    #expect(outcome.status == 4 && outcome.output.isEmpty, "\(outcome.errors)")
    #expect(try redis.ask("DBSIZE").hasSuffix("0"))
  }
}
