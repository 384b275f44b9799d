// Whom a run sends to and what, and the server that was started for it.

import Core
import HTTP

final class LoadTarget {
  let source: RequestSource
  let client: ClientOptions
  private let server: SpawnedServer?

  init(_ url: String, file: String?, _ invocation: Invocation) throws(Failure) {
    let options = invocation.options
    client = try LoadFlags.client(options)
    let command = try options.value(LoadFlags.spawn)
    var (url, listen): (String, String?) = (url, nil)
    if url.hasPrefix("/") {
      guard command != nil else {
        throw .usage(
          "'\(url)' is only a path: say whom to ask", hint: "http://127.0.0.1:8080\(url)")
      }
      let address = try Endpoint.freeLoopback().description
      listen = String(address.dropFirst(7))
      url = address + url
    }
    let endpoint = try Endpoint(url, origin: "URL")
    source = try RequestSource(endpoint, file: file, invocation)
    guard let command else {
      server = nil
      return
    }
    guard !endpoint.takesConnections else {
      throw .inputOutput(
        "--spawn: somebody listens at \(endpoint.address.description) already",
        hint: "leave --spawn out to measure that server")
    }
    let server = try SpawnedServer(command, listen: listen, invocation.environment)
    self.server = server
    do throws(Failure) {
      try server.waitUntilReady(endpoint, within: .seconds(30), clock: invocation.clock)
    } catch {
      server.stop()
      throw error
    }
  }

  func stop() { server?.stop() }
}
