// Real clients against the real server: Triton's Python client, synchronous and asynchronous, where it is
// installed.

import Core
import Foundation
import TestSupport
import Testing

private let python = Binary.find("python3")

/// Whether Python has the module.
private func has(_ module: String) -> Bool {
  guard let python, let folder = try? TemporaryFolder() else { return false }
  let outcome = try? Child.bash(
    "\(python) -c 'import \(module)'", in: folder.url, home: folder.url)
  return outcome?.status == 0
}

@Suite struct ClientTests {
  @Test(.enabled(if: has("tritonclient.http"))) func tritonsClientIsServed() throws {
    let server = try ServedProcess(["--model", "m=\(ServedProcess.model("softprob"))"])
    let script = Fixtures.package.appending(path: "Tests/Peers/triton_client.py").path()
    let outcome = try Child.bash(
      "python3 \(script) \(server.address) gzip deflate", in: server.folder.url,
      home: server.folder.url)
    #expect(outcome.output == "ok\n", "\(outcome.errors)")
    #expect(outcome.status == 0)
    #expect(server.stop().status == 0)
  }
}
