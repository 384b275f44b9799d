// The keys that one look-up asks for, each with the view that it is of: one behind another in memory that stays, since a
// look-up allocates nothing.

import Core

final class AskedKeys {
  private var storage = UnsafeMutablePointer<UInt8>.allocate(capacity: 256)
  private var capacity = 256
  private var used = 0
  private var places: [(view: Int, start: Int, count: Int)] = []

  deinit { storage.deallocate() }

  var count: Int { places.count }

  /// Which view the key is of; by the order of asking.
  func view(_ index: Int) -> Int { places[index].view }

  /// Valid until the next key is added.
  func key(_ index: Int) -> Bytes {
    let place = places[index]
    return Bytes(base: UnsafePointer(storage + place.start), count: place.count)
  }

  func removeAll() {
    places.removeAll(keepingCapacity: true)
    used = 0
  }

  func append(_ view: Int, _ key: Bytes) {
    if used + key.count > capacity { grow(used + key.count) }
    (storage + used).update(from: key.base, count: key.count)
    places.append((view, used, key.count))
    used += key.count
  }

  private func grow(_ needed: Int) {
    capacity = needed * 2
    storage = storage.moved(used, toRoomFor: capacity)
  }
}
