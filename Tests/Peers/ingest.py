#!/usr/bin/env python3
"""How many events a second come in: rtinfer ingest beside the tools people put in its place.

Everybody reads the same made events, all distinct, of about 150 and 300 bytes, from a file and on one core, several
times in turn; the best time of each counts, as the noise of a shared machine only ever adds time. Starting up is
part of everybody's time. rtinfer checks each event against a schema of five fields, deduplicates by id, marks it,
and where the row says so writes it to the durable log first. What the others do is less, and said in the table.
Redis, NATS and SQLite are described in queues.py. Then an event comes every millisecond, and the table says how long
each takes from stdin to stdout.

    swift build -c release --static-swift-stdlib
    python3 Tests/Peers/ingest.py .build/release/rtinfer [--quick] [--core 1] [--events 1000000] [--folder DIR]

With --core, servers and their clients share that core as rtinfer has no more; --server-core gives servers another one.
The log lies in the folder, so its disk is what the rows of --fsync measure, and of the others that write files.
What is not installed is left out and named: redis-server, nats-server, jq, kcat (it brings a mock broker along),
orjson (the Python loop then uses json).
"""

import argparse
import importlib.util
import os
import pathlib
import random
import select
import shlex
import shutil
import subprocess
import sys
import tempfile
import time

import queues

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

    def piped(fsync):
        return ["bash", "-c", f"cat {shlex.quote(events)} | {shlex.join(logged(fsync)[:-1])}"]

    yield "cat", ["cat", events], None
    yield "**rtinfer**, no log", ingest(), None
    yield "**rtinfer**, log, --fsync never", logged("never"), "empty"
    yield "**rtinfer**, log, --fsync interval:100ms", logged("interval:100ms"), "empty"
    yield "**rtinfer**, log, --fsync always", logged("always"), "empty"
    yield "**rtinfer**, log, --fsync never, from a full pipe", piped("never"), "empty"
    yield "**rtinfer**, log, --fsync always, from a full pipe", piped("always"), "empty"
    yield "**rtinfer**, --replay", [rtinfer, "ingest", "--replay", "--project", project, "--state", state], "full"
    parser = "orjson" if importlib.util.find_spec("orjson") else "json"
    yield f"Python loop ({parser}: check, dedup; no log)", [sys.executable, "-c", LOOP, events], None
    yield "jq -c (parse and print)", program("jq", "-c", ".", events), None
    yield "kcat -P (into its own mock broker, in memory)", program(
        "kcat", "-P", "-q", "-b", "replaced:1", "-X", "test.mock.num.brokers=1", "-t", "t", "-l", events
    ), None


def program(name, *arguments):
    return [name, *arguments] if shutil.which(name) else None


def seconds(command, before, state):
    if before == "empty":
        shutil.rmtree(state, ignore_errors=True)
    start = time.perf_counter()
    done = subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, timeout=300)
    taken = time.perf_counter() - start
    if done.returncode != 0:
        raise queues.Left(done.stderr.decode(errors="replace").strip())
    return taken


def measure(rtinfer, count, size, options, folder):
    """Events a second by row: the best of several turns, in each of which everybody has one go."""
    events = str(folder / f"events-{size}.ndjson")
    project = folder / "rtinfer.json"
    project.write_text(PROJECT)
    make_events(events, count, size)
    turns = {}
    for name, command, before in rows(rtinfer, events, str(project), str(folder / "state")):
        if command is None:
            print(f"{name}: not installed, left out", file=sys.stderr)
        else:
            turns[name] = lambda command=command, before=before: seconds(command, before, folder / "state")
    for name in queues.QUEUES:
        turns[name] = lambda name=name: queues.seconds(name, folder, events, count, options.server_core)
    best = {}
    for _ in range(options.runs):
        for name, turn in list(turns.items()):
            try:
                best[name] = min(turn(), best.get(name, float("inf")))
            except (queues.Left, OSError, subprocess.SubprocessError) as problem:
                print(f"{name}: left out: {problem}", file=sys.stderr)
                del turns[name]
    return {name: count / best[name] for name in turns}


def latencies(rtinfer, folder, flags, count):
    """Sorted milliseconds from the writing of an event to its line, an event being written each millisecond."""
    events = (folder / "events-150.ndjson").read_bytes().splitlines(keepends=True)[:count]
    shutil.rmtree(folder / "state", ignore_errors=True)
    command = [rtinfer, "ingest", "--project", str(folder / "rtinfer.json"), "--quiet", *flags]
    child = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        written, taken, output = [], [], child.stdout.fileno()
        start = time.perf_counter() + 0.2
        while len(taken) < len(events):
            now = time.perf_counter()
            due = start + len(written) / 1_000 if len(written) < len(events) else now + 30
            if now >= due:
                written.append(now)
                os.write(child.stdin.fileno(), events[len(written) - 1])
            elif select.select([output], [], [], due - now)[0]:
                lines = os.read(output, 1 << 16).count(b"\n")
                now = time.perf_counter()
                if lines == 0:
                    raise SystemExit("ingest ended before its input")
                taken += [(now - moment) * 1_000 for moment in written[len(taken) : len(taken) + lines]]
            elif len(written) == len(events):
                raise SystemExit(f"{len(events) - len(taken)} events did not come out")
        return sorted(taken)
    finally:
        child.stdin.close()
        child.kill()
        child.wait()


def print_latencies(rtinfer, folder, count):
    print("\n| milliseconds from stdin to stdout, 1,000 events a second | p50 | p99 | longest |")
    print("|---|---:|---:|---:|")
    log = ["--log", "--state", str(folder / "state"), "--fsync"]
    for name, flags in [
        ("no log", []), ("log, --fsync interval:100ms", log + ["interval:100ms"]), ("log, --fsync always", log + ["always"]),
    ]:
        taken = latencies(rtinfer, folder, flags, count)
        p50, p99 = (taken[len(taken) * percent // 100] for percent in (50, 99))
        print(f"| **rtinfer**, {name} | {p50:.3f} | {p99:.3f} | {taken[-1]:.3f} |")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("rtinfer", help="the release build")
    parser.add_argument("--quick", action="store_true", help="50,000 events and one run: does it work?")
    parser.add_argument("--core", type=int, help="run everything on this core")
    parser.add_argument("--events", type=int, default=1_000_000)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--server-core", type=int, help="run servers on this one instead")
    parser.add_argument("--folder", help="where events and log are put (default: a temporary folder)")
    options = parser.parse_args()
    if options.quick:
        options.events, options.runs = 50_000, 1
    if options.core is not None:
        os.sched_setaffinity(0, {options.core})
    rtinfer = str(pathlib.Path(options.rtinfer).resolve())
    with tempfile.TemporaryDirectory(dir=options.folder) as place:
        folder = pathlib.Path(place)
        columns = [measure(rtinfer, options.events, size, options, folder) for size in SIZES.values()]
        print_rates(columns)
        print_latencies(rtinfer, folder, min(options.events, 10_000))


def print_rates(columns):
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
