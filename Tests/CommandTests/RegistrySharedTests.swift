// A folder that two machines share, as near as one machine comes to it: one folder seen through two FUSE mounts of bindfs,
// each with caches of its own for names and attributes, the locks handed on to what is below. Processes write through
// both at once. NFS is alike in what matters here: a kernel that remembers what another may have changed, and locks that are
// asked of somebody else.

import Foundation
import TestSupport
import Testing

@Suite struct RegistrySharedTests {
  private static let mount = """
    bindfs --enable-lock-forwarding --multithreaded -o attr_timeout=2,entry_timeout=2 real one &&
    bindfs --enable-lock-forwarding --multithreaded -o attr_timeout=2,entry_timeout=2 real two
    """

  /// Runs a line where the two mounts are, in a name space of its own: they go with it.
  private static func run(_ line: String, in folder: TemporaryFolder) throws -> Child.Outcome {
    try folder.write("\(mount) || exit 99\n\(line)\numount one two\n", "script")
    return try Child.bash(
      "mkdir -p real one two && unshare -m bash script", in: folder.url, home: folder.url,
      seconds: 120)
  }

  private static let canMount: Bool = {
    guard Binary.find("bindfs") != nil, Binary.find("unshare") != nil,
      let folder = try? TemporaryFolder()
    else { return false }
    let tried = try? run(
      "(flock -n 8 && ! flock -n two/l true) 8> one/l && echo shared", in: folder)
    return tried?.output == "shared\n"
  }()

  @Test(.enabled(if: canMount, "bindfs is not installed, or may not mount here"))
  func twoMountsOfOneFolderLoseNothing() throws {
    let folder = try TemporaryFolder()
    let model = Fixtures.root.appending(path: "models/xgboost-json/gblinear/model.json").path()
    let outcome = try Self.run(
      """
      export RTINFER_ACTOR=ann; r="rtinfer registry"
      for n in 1 2 3 4; do $r add m \(model) --registry one/r > out; done
      for n in 1 2 3 4; do for k in 1 2 3 4 5; do
        $r promote m $n a$n-$k --wait 60s --registry one/r > out$n$k || echo "one: $n $k" &
        $r tag m $n --set t$k=$n --wait 60s --registry two/r > out$n$k || echo "two: $n $k" &
      done; done
      for n in 1 2 3 4 5 6 7 8; do
        $r list --registry two/r > listed && $r resolve models:/m@latest --registry one/r > resolved || echo "reader $n"
      done
      wait $(jobs -p)
      for seen in one two real; do $r verify --registry $seen/r | grep -oE '"(lines|problems)":[0-9]+'; done
      """, in: folder)
    #expect(outcome.status == 0)
    let whole = String(repeating: "\"lines\":44\n\"problems\":0\n", count: 3)
    #expect(outcome.output == whole, "\(outcome.output) \(outcome.errors)")
  }
}
