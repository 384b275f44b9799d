// How often a program asks for memory: a library to be loaded before the C library (LD_PRELOAD), which counts the
// calls of the functions that hand memory out and writes the count to stderr when the program ends.
//
//     swiftc -O -parse-as-library -enforce-exclusivity=unchecked -emit-library counter.swift -o libcounter.so \
//       -Xlinker --defsym=malloc=counted_malloc -Xlinker --defsym=calloc=counted_calloc …
//     LD_PRELOAD=$PWD/libcounter.so rtinfer ingest events.ndjson > /dev/null
//     allocations: 1234
//
// glibc's own libmemusage does the same for programs in C, but not malloc_usable_size, which Swift's runtime
// asks. Memory is given back by the C library's own `free`, which needs no counting. Nothing here may
// allocate, so there are no strings and no arrays.

#if canImport(Glibc)
  import Glibc
#endif

/// Not atomic: what is counted runs on one thread.
nonisolated(unsafe) private var count = 0

@_silgen_name("__libc_malloc") private func allocate(_ size: Int) -> UnsafeMutableRawPointer?
@_silgen_name("__libc_calloc")
private func allocateZeroed(_ count: Int, _ size: Int) -> UnsafeMutableRawPointer?
@_silgen_name("__libc_realloc")
private func reallocate(
  _ memory: UnsafeMutableRawPointer?, _ size: Int
) -> UnsafeMutableRawPointer?
@_silgen_name("__libc_memalign")
private func allocateAligned(_ alignment: Int, _ size: Int) -> UnsafeMutableRawPointer?

private func note() {
  if count == 0 { atexit(report) }
  count += 1
}

@_cdecl("counted_malloc") public func countedMalloc(_ size: Int) -> UnsafeMutableRawPointer? {
  note()
  return allocate(size)
}

@_cdecl("counted_calloc") public func countedCalloc(
  _ count: Int, _ size: Int
) -> UnsafeMutableRawPointer? {
  note()
  return allocateZeroed(count, size)
}

@_cdecl("counted_realloc") public func countedRealloc(
  _ memory: UnsafeMutableRawPointer?, _ size: Int
) -> UnsafeMutableRawPointer? {
  note()
  return reallocate(memory, size)
}

@_cdecl("counted_aligned_alloc") public func countedAlignedAlloc(
  _ alignment: Int, _ size: Int
) -> UnsafeMutableRawPointer? {
  note()
  return allocateAligned(alignment, size)
}

@_cdecl("counted_posix_memalign") public func countedMemalign(
  _ memory: UnsafeMutablePointer<UnsafeMutableRawPointer?>, _ alignment: Int, _ size: Int
) -> Int32 {
  note()
  memory.pointee = allocateAligned(alignment, size)
  return memory.pointee == nil ? ENOMEM : 0
}

private func report() {
  let label: StaticString = "allocations: "
  write(2, label.utf8Start, label.utf8CodeUnitCount)
  var place = 1
  while count / place >= 10 { place *= 10 }
  while place > 0 {
    var digit = UInt8(ascii: "0") + UInt8(count / place % 10)
    write(2, &digit, 1)
    place /= 10
  }
  var lineFeed = UInt8(ascii: "\n")
  write(2, &lineFeed, 1)
}
