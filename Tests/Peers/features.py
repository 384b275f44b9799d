#!/usr/bin/env python3
"""How fast events become rows of windowed features: `rtinfer materialize` beside DuckDB and Polars.

Everybody reads the same file of distinct events (payments by about 100,000 cards at 20,000 merchants, both drawn like
Zipf's law, over two days), computes the same ten features as of just before each event, and writes one row an event with
the event's own members: the whole way from NDJSON to NDJSON, on one core, in turn. The best of the runs counts, as the
noise of a shared machine only ever adds time. Windows are exact, since the peers know no others; rtinfer with its
default hops is timed as well.

    pip install duckdb polars
    python3 Tests/Peers/features.py .build/release/rtinfer [--quick] [--events 400000] [--runs 3] [--core 1]

The answers of the peers are compared with rtinfer's, row by row: counts and maxima must be equal, sums and means within
1e-9 of the largest sum of the column (a peer that takes old values back out of a float sum keeps their rounding).
What is not installed is left out and named. The exit status is 1 if answers differ.
"""

import argparse
import hashlib
import importlib.util
import json
import os
import pathlib
import random
import subprocess
import sys
import tempfile
import time

FEATURES = [
    # view, entity member, name, aggregation, window
    ("card", "card", "count_5m", "count", "5m"),
    ("card", "card", "count_1h", "count", "1h"),
    ("card", "card", "sum_1h", "sum", "1h"),
    ("card", "card", "max_1h", "max", "1h"),
    ("card", "card", "sum_24h", "sum", "24h"),
    ("card", "card", "mean_24h", "mean", "24h"),
    ("merchant", "merchant", "count_5m", "count", "5m"),
    ("merchant", "merchant", "mean_1h", "mean", "1h"),
    ("merchant", "merchant", "max_1h", "max", "1h"),
    ("merchant", "merchant", "count_24h", "count", "24h"),
]
START = 1_700_000_000_000_000
SPAN = 2 * 86_400_000_000


def zipf(generator, count):
    """Draws from 0 ..< count with probability about 1 / (rank + 10): the most frequent is about 1 % of all."""
    return int(10 * ((count + 10) / 10) ** generator.random()) - 10


def stamp(microseconds):
    seconds, rest = divmod(microseconds, 1_000_000)
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds)) + f".{rest:06d}Z"


def make_events(path, count, size):
    """Distinct events in order of time; `size` bytes each, more or less."""
    generator = random.Random(size)
    with open(path, "w") as out:
        for index in range(count):
            event = {
                "id": f"p{index:08d}",
                "time": stamp(START + index * SPAN // count + generator.randrange(1000)),
                "card": f"c{zipf(generator, 100_000):06d}",
                "merchant": f"m{zipf(generator, 20_000):05d}",
                "amount": generator.randrange(100, 100_000) / 100,
                "channel": generator.choice(["web", "app", "terminal"]),
                "items": generator.randrange(1, 9),
            }
            if size > 200:
                digest = hashlib.md5(str(index).encode()).hexdigest()
                event |= {
                    "currency": generator.choice(["EUR", "USD", "GBP", "CHF"]),
                    "country": generator.choice(["DE", "FR", "US", "CH", "GB"]),
                    "device": digest[:16],
                    "session": digest[16:],
                    "is_new": generator.random() < 0.1,
                    "address": f"10.{index >> 16 & 255}.{index >> 8 & 255}.{index & 255}",
                    "agent": "Mozilla/5.0 (X11; Linux)",
                }
            out.write(json.dumps(event, separators=(",", ":")) + "\n")


def write_project(folder, every):
    views = {}
    for view, entity, name, aggregation, window in FEATURES:
        column = "*" if aggregation == "count" else "amount"
        feature = {aggregation: column, "window": window} | ({"every": every} if every else {})
        views.setdefault(view, {"entity": [entity], "from": "payment", "features": {}})
        views[view]["features"][name] = feature
    fields = {"card": "string", "merchant": "string", "amount": "number"}
    project = {"events": {"payment": {"id": "id", "time": "time", "fields": fields}}}
    path = pathlib.Path(folder) / f"{every or 'hops'}.json"
    path.write_text(json.dumps(project | {"features": views}))
    return path


def column_name(view, name):
    return f"{view}__{name}"


def run_rtinfer(program, project, events, out):
    with open(out, "wb") as rows:
        subprocess.run(
            [program, "materialize", "--project", project, "--for", "payment", events],
            stdout=rows, check=True)


DUCKDB = """
import duckdb, sys
events, out, features = sys.argv[1], sys.argv[2], eval(sys.argv[3])
c = duckdb.connect()
c.execute("SET threads = 1; SET TimeZone = 'UTC'")
length = {"5m": "5 MINUTES", "1h": "1 HOUR", "24h": "24 HOURS"}
select, windows = [], {}
for view, entity, name, aggregation, window in features:
    w = f"{view}_{window}"
    windows[w] = f'''{w} AS (PARTITION BY {entity} ORDER BY time
        RANGE BETWEEN INTERVAL {length[window]} PRECEDING AND INTERVAL 1 MICROSECOND PRECEDING)'''
    call = "count(*)" if aggregation == "count" else {"mean": "avg"}.get(aggregation, aggregation) + "(amount)"
    select.append(f"{call} OVER {w} AS {view}__{name}")
c.execute(f'''COPY (SELECT *, {", ".join(select)} FROM read_json(?, format = 'newline_delimited')
    WINDOW {", ".join(windows.values())}) TO '{out}' (FORMAT json)''', [events])
"""

POLARS = """
import polars as pl, sys
events, out, features = sys.argv[1], sys.argv[2], eval(sys.argv[3])
frame = pl.read_ndjson(events).with_columns(
    at=pl.col("time").str.to_datetime("%Y-%m-%dT%H:%M:%S%.fZ", time_unit="us"), one=pl.lit(1))
columns = []
for view, entity, name, aggregation, window in features:
    value = pl.col("one" if aggregation == "count" else "amount")
    roll = {"count": value.rolling_sum_by, "sum": value.rolling_sum_by, "mean": value.rolling_mean_by,
            "max": value.rolling_max_by}[aggregation]
    columns.append(roll("at", window, closed="left").over(entity).alias(f"{view}__{name}"))
frame.with_columns(columns).drop("at", "one").write_ndjson(out)
"""


def run_library(source):
    def run(events, out):
        subprocess.run(
            [sys.executable, "-c", source, str(events), str(out), repr(FEATURES)], check=True,
            env=os.environ | {"POLARS_MAX_THREADS": "1"})

    return run


def answers(path):
    """By id: the values of the features."""
    rows = {}
    with open(path) as lines:
        for line in lines:
            row = json.loads(line)
            if row.get("kind") == "features":
                values = [row["features"][f"{view}:{name}"] for view, _, name, _, _ in FEATURES]
            else:
                values = [row[column_name(view, name)] for view, _, name, _, _ in FEATURES]
            rows[row["id"]] = values
    return rows


def differences(ours, theirs):
    if ours.keys() != theirs.keys():
        return ["the rows are not the same"]
    found = []
    for place, (view, _, name, aggregation, _) in enumerate(FEATURES):
        largest = max((abs(row[place] or 0) for row in ours.values()), default=0)
        allowed = 1e-9 * largest if aggregation in ("sum", "mean") else 0
        # The sum of nothing is null here and in SQL, 0 in Polars; its count, as a sum of ones, null in Polars.
        none = 0 if aggregation in ("count", "sum") else None
        apart = [
            (id, row[place], theirs[id][place]) for id, row in ours.items()
            if not equal(row[place], theirs[id][place], allowed, none)
        ]
        if apart:
            found.append(f"{view}:{name}: {len(apart)} differ, as {apart[0]}")
    return found


def equal(left, right, allowed, none):
    left, right = none if left is None else left, none if right is None else right
    return left is right if left is None or right is None else abs(left - right) <= allowed


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("rtinfer")
    parser.add_argument("--quick", action="store_true", help="few events, one run: does it work?")
    parser.add_argument("--events", type=int, default=400_000)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--core", type=int, default=1)
    parser.add_argument("--only", choices=["rtinfer", "duckdb", "polars"])
    arguments = parser.parse_args()
    if arguments.quick:
        arguments.events, arguments.runs = min(arguments.events, 20_000), 1
    os.sched_setaffinity(0, {arguments.core})
    program = str(pathlib.Path(arguments.rtinfer).resolve())
    isAgreed = True
    for size in (150, 300):
        with tempfile.TemporaryDirectory() as folder:
            isAgreed &= measure(arguments, program, pathlib.Path(folder), size)
    sys.exit(0 if isAgreed else 1)


def measure(arguments, program, folder, size):
    events = folder / "events.ndjson"
    make_events(events, arguments.events, size)
    bytes_each = events.stat().st_size / arguments.events
    print(f"{arguments.events:,} events of {bytes_each:.0f} bytes, ten features:")
    exact, hops = write_project(folder, "exact"), write_project(folder, None)
    ways = {
        "rtinfer": lambda out: run_rtinfer(program, exact, events, out),
        "rtinfer, default hops": lambda out: run_rtinfer(program, hops, events, out),
    }
    for name, module, source in (("DuckDB", "duckdb", DUCKDB), ("Polars", "polars", POLARS)):
        if arguments.only not in (None, module):
            continue
        if importlib.util.find_spec(module) is None:
            print(f"  {name} is not installed and left out")
            continue
        ways[name] = lambda out, run=run_library(source): run(events, out)
    best = {name: float("inf") for name in ways}
    for _ in range(arguments.runs):
        for name, way in ways.items():
            start = time.perf_counter()
            way(folder / f"{name}.out")
            best[name] = min(best[name], time.perf_counter() - start)
    for name, seconds in best.items():
        print(f"  {name:22} {arguments.events / seconds / 1e6:6.3f} M events/s"
              f"   rtinfer is {seconds / best['rtinfer']:5.2f} x as fast")
    isAgreed = True
    ours = answers(folder / "rtinfer.out")
    for name in set(ways) & {"DuckDB", "Polars"}:
        found = differences(ours, answers(folder / f"{name}.out"))
        isAgreed &= not found
        print(f"  {name}: " + ("; ".join(found) or "the same answers"))
    return isAgreed


if __name__ == "__main__":
    main()
