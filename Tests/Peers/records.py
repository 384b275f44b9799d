#!/usr/bin/env python3
"""How fast lines of JSON become values: rtinfer's record layer beside the tools people use.

Everybody reads the same file (the flights' events, repeated to about 100 MB) on one core, several times in turn;
the best time of each counts, as the noise of a shared machine only ever adds time. Starting up is part of the
command-line tools' time; the libraries are timed inside one process.

    pip install orjson pysimdjson polars duckdb; apt-get install jq miller
    python3 Tests/Peers/records.py [--core 1] [--megabytes 100] [--simdjson ./ondemand]

simdjson itself, its C++ on-demand parser over many documents, is a program of forty lines that this script prints:

    apt-get install g++ libsimdjson-dev
    python3 Tests/Peers/records.py --simdjson-source > /tmp/ondemand.cpp
    g++ -O3 -march=native -std=c++17 /tmp/ondemand.cpp -o /tmp/ondemand -lsimdjson

It reads a file into memory, takes the three members of each line `--runs` times over, and says how long its fastest
pass took; like the libraries, it is timed inside its process.

What is not installed is left out and named. rtinfer's own figures come from
`swift run -c release benchmarks`, which this builds.
"""

import argparse
import importlib.util
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time

PACKAGE = pathlib.Path(__file__).resolve().parents[2]
STREAMS = {
    "300 bytes": ("scheduled", ["id", "carrier", "distance"]),
    "180 bytes": ("departed", ["id", "carrier", "dep_delay"]),
}


def python_json(path, members):
    import json as parser

    take_lines(path, members, parser.loads)


def python_orjson(path, members):
    import orjson

    take_lines(path, members, orjson.loads)


def take_lines(path, members, loads):
    first, second, third = members
    with open(path, "rb") as lines:
        for line in lines:
            row = loads(line)
            row[first], row[second], row[third]


def python_simdjson(path, members):
    import simdjson

    parser = simdjson.Parser()
    first, second, third = members
    with open(path, "rb") as lines:
        for line in lines:
            row = parser.parse(line)
            row[first], row[second], row[third]
            del row  # the parser reuses its memory only when nothing refers to it


def python_polars(path, members):
    import polars

    polars.scan_ndjson(path).select(members).collect()


def python_duckdb(path, members):
    import duckdb

    connection = duckdb.connect()
    connection.execute("set threads to 1")
    columns = ", ".join(f"max({member})" for member in members)
    kinds = ", ".join(f"'{member}': '{kind(member)}'" for member in members)
    connection.execute(
        f"select {columns} from read_json('{path}', format='newline_delimited', columns={{{kinds}}})"
    ).fetchall()


def kind(member):
    return "VARCHAR" if member in ("id", "carrier") else "BIGINT"


SIMDJSON_SOURCE = r"""// ondemand FILE RUNS TEXT-MEMBER TEXT-MEMBER NUMBER-MEMBER: seconds of the fastest pass over all lines.
#include <simdjson.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string_view>

using namespace simdjson;

struct Totals {
  uint64_t records = 0, bytes = 0;
  int64_t sum = 0;
};

static Totals pass(ondemand::parser &parser, const padded_string &text, char **names) {
  Totals totals;
  ondemand::document_stream lines;
  if (parser.iterate_many(text, 1 << 20).get(lines)) exit(3);
  for (auto line : lines) {
    ondemand::object row;
    std::string_view first, second;
    int64_t number = 0;
    if (line.get_object().get(row)) exit(3);
    // In the order in which they stand, as the parser likes best; a number may be null.
    if (row[names[0]].get_string().get(first)) exit(3);
    if (row[names[1]].get_string().get(second)) exit(3);
    if (row[names[2]].get_int64().get(number)) number = 0;
    totals.records += 1;
    totals.bytes += first.size() + second.size();
    totals.sum += number;
  }
  return totals;
}

int main(int count, char **words) {
  if (count != 6) return 2;
  padded_string text;
  if (padded_string::load(words[1]).get(text)) return 4;
  ondemand::parser parser;
  double best = 1e9;
  Totals totals;
  for (int run = 0; run < atoi(words[2]); ++run) {
    auto start = std::chrono::steady_clock::now();
    totals = pass(parser, text, words + 3);
    std::chrono::duration<double> spent = std::chrono::steady_clock::now() - start;
    best = std::min(best, spent.count());
  }
  // The totals keep the compiler from leaving the work out.
  fprintf(stderr, "%llu records, %llu bytes, sum %lld\n", (unsigned long long)totals.records,
          (unsigned long long)totals.bytes, (long long)totals.sum);
  printf("%.9f\n", best);
}
"""


def simdjson_seconds(program, path, members, runs):
    """What the built program says; its members are two texts and a number, as in STREAMS."""
    words = [program, path, str(runs), *members]
    done = subprocess.run(words, check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    return float(done.stdout)


LIBRARIES = {
    "Python json": ("json", python_json),
    "orjson": ("orjson", python_orjson),
    "pysimdjson": ("simdjson", python_simdjson),
    "Polars scan_ndjson": ("polars", python_polars),
    "DuckDB read_json": ("duckdb", python_duckdb),
}


def commands(path, members):
    fields = ", ".join(f".{member}" for member in members)
    return {
        "jq": ["jq", "-c", f"[{fields}]", path],
        "Miller": ["mlr", "--json", "cut", "-f", ",".join(members), path],
    }


def best(runs, body):
    times = []
    for _ in range(runs):
        start = time.perf_counter()
        body()
        times.append(time.perf_counter() - start)
    return min(times)


def own_figures(core):
    """What the benchmarks say, by name."""
    build = ["swift", "build", "-c", "release", "--product", "benchmarks", "--package-path", str(PACKAGE)]
    subprocess.run(build, check=True, stdout=subprocess.DEVNULL)
    run = ["taskset", "-c", str(core), PACKAGE / ".build/release/benchmarks"]
    lines = subprocess.run(run, check=True, stdout=subprocess.PIPE, text=True).stdout.splitlines()
    return {row["what"]: row["gb_per_s"] for row in map(json.loads, lines)}


def measure(file, members, size, runs, folder, simdjson):
    week = (PACKAGE / "Fixtures/flights/week" / f"{file}.ndjson").read_bytes()
    path = os.path.join(folder, f"{file}.ndjson")
    with open(path, "wb") as target:
        for _ in range(size // len(week)):
            target.write(week)
    total = os.path.getsize(path)
    figures = {}
    for peer, (module, body) in LIBRARIES.items():
        if importlib.util.find_spec(module) is None:
            print(f"{peer}: not installed, left out", file=sys.stderr)
            continue
        figures[peer] = total / best(runs, lambda: body(path, members)) / 1e9
    if simdjson:
        figures["simdjson on demand"] = total / simdjson_seconds(simdjson, path, members, runs) / 1e9
    for peer, command in commands(path, members).items():
        if shutil.which(command[0]) is None:
            print(f"{peer}: not installed, left out", file=sys.stderr)
            continue
        run = lambda: subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        figures[peer] = total / best(1, run) / 1e9
    return figures


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--core", type=int, default=1, help="the core everybody is pinned to")
    parser.add_argument("--megabytes", type=int, default=100)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--simdjson", metavar="PROGRAM", help="the built on-demand program, to run beside")
    parser.add_argument("--simdjson-source", action="store_true", help="print its source and end")
    arguments = parser.parse_args()
    if arguments.simdjson_source:
        print(SIMDJSON_SOURCE, end="")
        return
    # Read by Polars when it is imported.
    os.environ["POLARS_MAX_THREADS"] = "1"
    own = own_figures(arguments.core)
    os.sched_setaffinity(0, {arguments.core})
    print("| three members, one core, GB/s | " + " | ".join(STREAMS) + " |")
    print("|---|" + "---|" * len(STREAMS))
    columns = []
    with tempfile.TemporaryDirectory() as folder:
        for file, members in STREAMS.values():
            size = arguments.megabytes * 1_000_000
            columns.append(measure(file, members, size, arguments.runs, folder, arguments.simdjson))
    print("| **rtinfer** | " + " | ".join(f"**{own[f'three members, {name}']:.2f}**" for name in STREAMS) + " |")
    print("| rtinfer, all members | " + " | ".join(f"{own[f'all members, {name}']:.2f}" for name in STREAMS) + " |")
    print("| rtinfer, counting lines | " + " | ".join(f"{own[f'lines, {name}']:.2f}" for name in STREAMS) + " |")
    for peer in columns[0]:
        print(f"| {peer} | " + " | ".join(f"{column[peer]:.3f}" for column in columns) + " |")


if __name__ == "__main__":
    main()
