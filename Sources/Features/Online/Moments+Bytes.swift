// Moments as bytes: their sums one after another.

import Core

extension Moments2 {
  func write(to bytes: inout StateWriter) {
    for value in [count, mean, squares] { bytes.write(value) }
  }

  init(from bytes: inout StateReader) {
    self.init(count: bytes.read(), mean: bytes.read(), squares: bytes.read())
  }
}

extension Moments4 {
  func write(to bytes: inout StateWriter) {
    for value in [count, mean, squares, cubes, fourths] { bytes.write(value) }
  }

  init(from bytes: inout StateReader) {
    self.init(
      count: bytes.read(), mean: bytes.read(), squares: bytes.read(), cubes: bytes.read(),
      fourths: bytes.read())
  }
}
