"""Streams as Python's zlib and gzip write them, for the tests of `Inflate`: python3 Fixtures/compressed/make.py"""

import gzip
import pathlib
import random
import zlib

here = pathlib.Path(__file__).parent
random.seed(7)
texts = {
    "empty": b"",
    "short": b'{"amount":12.5}',
    "repeats": b'{"f0":1.5,"f1":-2}\n' * 3000,
    "noise": random.randbytes(20_000),
    "letters": bytes(random.choice(b"aaaaabbbcd\n") for _ in range(70_000)),
}
for name, text in texts.items():
    (here / f"{name}.raw").write_bytes(text)
    for level in (0, 1, 9):
        (here / f"{name}-{level}.zlib").write_bytes(zlib.compress(text, level))
    (here / f"{name}.gz").write_bytes(gzip.compress(text, mtime=0))
fixed = zlib.compressobj(9, zlib.DEFLATED, 15, 9, zlib.Z_FIXED)
(here / "repeats-fixed.zlib").write_bytes(fixed.compress(texts["repeats"]) + fixed.flush())
with open(here / "named.gz", "wb") as file:
    with gzip.GzipFile("a name", "wb", 6, file, mtime=0) as stream:
        stream.write(texts["short"])
(here / "named.raw").write_bytes(texts["short"])
(here / "two.gz").write_bytes(gzip.compress(b"one ", mtime=0) + gzip.compress(b"two", mtime=0))
(here / "two.raw").write_bytes(b"one two")
