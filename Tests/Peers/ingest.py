#!/usr/bin/env python3
"""How many events a second come in: rtinfer ingest beside the tools people put in its place.

Everybody reads the same made events, all distinct, of about 150 and 300 bytes, from a file and on one core, several
times in turn; the best time of each counts, as the noise of a shared machine only ever adds time. Starting up is
part of everybody's time. rtinfer checks each event against a schema of five fields, deduplicates by id, marks it,
and where the row says so writes it to the durable log first. What the others do is less, and said in the table.

    swift build -c release --static-swift-stdlib
    python3 Tests/Peers/ingest.py .build/release/rtinfer [--quick] [--core 1] [--events 1000000] [--folder DIR]

The log lies in the folder, so its disk is what the rows of --fsync measure. What is not installed is left out and
named: jq, kcat (it brings a mock broker along), orjson (the Python loop then uses json).
"""

import argparse
import importlib.util
import os
import pathlib
import random
import shutil
import subprocess
import sys
import tempfile
import time

PROJECT = """{
  events: {
    departed: {
      id: "id", dedup: "1h",
      fields: {
        id: "string", carrier: "string", origin: "string",
        dep_delay: { type: "integer", min: -120, max: 3000 }, distance: { type: "integer", min: 1 },
      },
    },
  },
}
"""

LOOP = """
import sys
try:
    from orjson import loads
except ImportError:
    from json import loads
seen = set()
out = sys.stdout.buffer
offset = 0
for line in open(sys.argv[1], "rb"):
    event = loads(line)
    if not (isinstance(event["carrier"], str) and isinstance(event["origin"], str)):
        continue
    if not (-120 <= event["dep_delay"] <= 3000 and event["distance"] >= 1):
        continue
    if event["id"] in seen:
        continue
    seen.add(event["id"])
    out.write(line[:-2] + b',"_rt":{"type":"departed","offset":%d}}\\n' % offset)
    offset += 1
"""

SIZES = {"150 bytes": 150, "300 bytes": 300}


def make_events(path, count, size):
    """Distinct events in order of time but for two seconds, three milliseconds apart."""
    chance = random.Random(7)
    with open(path, "w") as out:
        for number in range(count):
            milliseconds = number * 3 + chance.randint(0, 2_000)
            hour, rest = divmod(milliseconds, 3_600_000)
            minute, rest = divmod(rest, 60_000)
            line = (
                '{"id":"%016x","type":"departed","time":"2013-01-05T%02d:%02d:%02d.%03dZ",'
                '"carrier":"%s","origin":"%s","dep_delay":%d,"distance":%d'
            ) % (
                chance.getrandbits(64), hour, minute, rest // 1_000, rest % 1_000,
                ("UA", "AA", "DL", "B6", "EV")[number % 5], ("EWR", "JFK", "LGA")[number % 3],
                chance.randint(-20, 300), chance.randint(100, 3_000),
            )
            if size > 200:
                line += ',"dest":"SFO","tailnum":"N%05d","flight":%d,"gate":"C%d","temp":%.2f,"wind_speed":%.3f' % (
                    chance.randint(0, 99_999), chance.randint(1, 9_999), chance.randint(1, 99),
                    chance.random() * 40, chance.random() * 30,
                )
            line += ',"note":"'
            out.write(line + "x" * max(0, size - len(line) - 3) + '"}\n')


def rows(rtinfer, events, project, state):
    """Name, command and what must be there before it; a row without a command is told as left out."""

    def ingest(*flags):
        return [rtinfer, "ingest", "--project", project, "--quiet", *flags, events]

    def logged(fsync):
        return ingest("--log", "--state", state, "--fsync", fsync)

    yield "cat", ["cat", events], None
    yield "**rtinfer**, no log", ingest(), None
    yield "**rtinfer**, log, --fsync never", logged("never"), "empty"
    yield "**rtinfer**, log, --fsync interval:100ms", logged("interval:100ms"), "empty"
    yield "**rtinfer**, log, --fsync always", logged("always"), "empty"
    yield "**rtinfer**, --replay", [rtinfer, "ingest", "--replay", "--project", project, "--state", state], "full"
    parser = "orjson" if importlib.util.find_spec("orjson") else "json"
    yield f"Python loop ({parser}: check, dedup; no log)", [sys.executable, "-c", LOOP, events], None
    yield "jq -c (parse and print)", program("jq", "-c", ".", events), None
    yield "kcat -P (into its own mock broker, in memory)", program(
        "kcat", "-P", "-q", "-b", "replaced:1", "-X", "test.mock.num.brokers=1", "-t", "t", "-l", events
    ), None


def program(name, *arguments):
    return [name, *arguments] if shutil.which(name) else None


def seconds(command, before, state, runs):
    best = float("inf")
    for _ in range(runs):
        if before == "empty":
            shutil.rmtree(state, ignore_errors=True)
        start = time.perf_counter()
        done = subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, timeout=300)
        best = min(best, time.perf_counter() - start)
        if done.returncode != 0:
            return None, done.stderr.decode(errors="replace").strip()
    return best, None


def measure(rtinfer, count, size, runs, folder):
    """Events a second by row."""
    events = str(folder / f"events-{size}.ndjson")
    project = folder / "rtinfer.json"
    project.write_text(PROJECT)
    make_events(events, count, size)
    rates = {}
    for name, command, before in rows(rtinfer, events, str(project), str(folder / "state")):
        if command is None:
            print(f"{name}: not installed, left out", file=sys.stderr)
            continue
        best, problem = seconds(command, before, folder / "state", runs)
        if best is None:
            print(f"{name}: left out, it failed: {problem}", file=sys.stderr)
            continue
        rates[name] = count / best
    return rates


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("rtinfer", help="the release build")
    parser.add_argument("--quick", action="store_true", help="50,000 events and one run: does it work?")
    parser.add_argument("--core", type=int, help="run everything on this core")
    parser.add_argument("--events", type=int, default=1_000_000)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--folder", help="where events and log are put (default: a temporary folder)")
    options = parser.parse_args()
    if options.quick:
        options.events, options.runs = 50_000, 1
    if options.core is not None:
        os.sched_setaffinity(0, {options.core})
    rtinfer = str(pathlib.Path(options.rtinfer).resolve())
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        columns = [
            measure(rtinfer, options.events, size, options.runs, pathlib.Path(folder)) for size in SIZES.values()
        ]
    loop = next(name for name in columns[0] if name.startswith("Python"))
    print("| events a second | " + " | ".join(f"{name} | × loop" for name in SIZES) + " |")
    print("|---|" + "---:|" * (2 * len(SIZES)))
    for name in columns[0]:
        cells = []
        for column in columns:
            rate = column.get(name)
            cells += ["–", "–"] if rate is None else [f"{rate:,.0f}", f"{rate / column[loop]:.2f}"]
        print(f"| {name} | " + " | ".join(cells) + " |")


if __name__ == "__main__":
    main()
