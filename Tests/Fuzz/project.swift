// Project files: any bytes are parsed or refused; fields are declared or refused.

@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ data: UnsafePointer<UInt8>, _ count: Int) -> CInt {
  let bytes = Array(UnsafeBufferPointer(start: data, count: count))
  guard let root = try? JSON5Parser.parse(bytes, file: "fuzz"), let members = try? root.members()
  else { return 0 }
  for member in members {
    _ = try? Field(member)
    _ = try? member.node.span()
    _ = try? member.node.allow(["type", "min"])
  }
  return 0
}
