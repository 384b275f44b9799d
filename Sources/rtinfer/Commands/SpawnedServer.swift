// A server for the length of a measurement: started through the shell, waited for until it takes connections, and stopped
// when it is let go.

import Core
import HTTP

final class SpawnedServer {
  private let command: String
  private let process: ChildProcess

  /// - Parameter listen: passed on as RTINFER_LISTEN, which `rtinfer serve` takes as its address.
  init(_ command: String, listen: String?, _ environment: [String: String]) throws(Failure) {
    self.command = command
    var variables = environment
    if let listen { variables["RTINFER_LISTEN"] = listen }
    do throws(SystemError) {
      process = try ChildProcess(["/bin/sh", "-c", command], environment: variables)
    } catch {
      throw .inputOutput("--spawn: \(error.reason)")
    }
  }

  /// Waits until connections are taken at the address.
  func waitUntilReady(_ endpoint: Endpoint, within patience: TimeSpan, clock: any Clock)
    throws(Failure)
  {
    let deadline = clock.monotonicNanoseconds() + patience.nanoseconds
    while !endpoint.takesConnections {
      if process.hasEnded {
        throw .inputOutput("--spawn: '\(command)' ended before it took connections")
      }
      guard clock.monotonicNanoseconds() < deadline else {
        throw .inputOutput(
          "--spawn: nobody listens at \(endpoint.address.description) after"
            + " \(patience.description)",
          hint: "the address must be the one that the command listens at")
      }
      if Signals.sleep(milliseconds: 10) {
        throw Failure(Signals.drainStatus ?? .interrupted, "--spawn: told to end")
      }
    }
  }

  func stop() { process.stop() }
}
