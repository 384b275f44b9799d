#!/usr/bin/env python3
"""How fast drift is found: rtinfer beside Evidently, river and a script of numpy and scipy.

All compare the same two tables of normal numbers, as CSV and as NDJSON, on one core (the process and its children are
pinned to it). rtinfer's times are of whole processes, start and reading included; those of the others include reading,
not importing. river takes one value at a time, so beside it is `drift watch` on a stream of one number a line, the
reading of JSON included. What is not installed, or fails, is left out and named. The most memory that a process took is
told by a small process that starts it, as Linux counts what its parent held as its own.

    pip install numpy scipy 'pandas<3' river evidently
    swift build -c release; python3 Tests/Peers/drift.py [--rows 100000] [--columns 200]
"""

import argparse
import importlib.util
import os
import pathlib
import subprocess
import sys
import tempfile
import time

PACKAGE = pathlib.Path(__file__).resolve().parents[2]
# By rtinfer's name and river's, and how many values: enough that starting a process weighs little.
DETECTORS = [("adwin", "ADWIN", 2_000_000), ("page-hinkley", "PageHinkley", 2_000_000), ("kswin", "KSWIN", 100_000)]


def timed(work):
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


# Starts a command and says how it ended, its seconds and the most memory that it took, in KB.
STARTER = """
import os, sys, time
silence = [(os.POSIX_SPAWN_OPEN, 2, os.devnull, os.O_WRONLY, 0)]
start = time.perf_counter()
child = os.posix_spawn(sys.argv[1], sys.argv[1:], os.environ, file_actions=silence)
_, status, usage = os.wait4(child, 0)
print(os.waitstatus_to_exitcode(status), time.perf_counter() - start, usage.ru_maxrss, file=sys.stderr)
"""


def process(command, output=subprocess.DEVNULL):
    """Seconds and the most memory, in MB, of one process."""
    words = [str(word) for word in command]
    starter = [sys.executable, "-I", "-S", "-c", STARTER, *words]
    told = subprocess.run(starter, stdout=output, stderr=subprocess.PIPE, text=True, check=True).stderr.split()
    if int(told[0]) not in (0, 1):
        raise SystemExit(f"{' '.join(words)}: status {told[0]}")
    return float(told[1]), int(told[2]) / 1024


def make(folder, rows, columns):
    """A reference and a current table of normal numbers, as CSV and, in the same digits, as NDJSON."""
    import numpy

    random = numpy.random.default_rng(1)
    names = [f"c{index}" for index in range(columns)]
    template = "{" + ",".join(f'"{name}":%.4f' for name in names) + "}"
    for name, shift in (("reference", 0), ("current", 0.1)):
        values = random.normal(shift, 1, (rows, columns)).round(4)
        numpy.savetxt(folder / f"{name}.csv", values, "%.4f", ",", header=",".join(names), comments="")
        numpy.savetxt(folder / f"{name}.ndjson", values, template)


def rtinfer(binary, folder, ending):
    """Both steps; the time of the two together, which is what the others do in one."""
    source, profile = folder / f"reference.{ending}", folder / "reference.profile"
    with open(profile, "wb") as output:
        first, memory = process([binary, "drift", "profile", source], output)
    second, more = process([binary, "drift", "check", "--reference", profile, folder / f"current.{ending}"])
    size = source.stat().st_size / 1e6
    print(f"{ending:7} rtinfer profile  {first:8.2f} s  {size / first:5.0f} MB/s  {memory:4.0f} MB of memory")
    print(f"{ending:7} rtinfer check    {second:8.2f} s  {size / second:5.0f} MB/s  {more:4.0f} MB of memory")
    return first + second


def tables(folder, ending):
    import pandas

    def read(name):
        path = folder / f"{name}.{ending}"
        return pandas.read_csv(path) if ending == "csv" else pandas.read_json(path, lines=True)

    return read("reference"), read("current")


def scipy(folder, ending):
    """The least that could be compared: PSI over the reference's deciles, Kolmogorov–Smirnov, Wasserstein."""
    import numpy
    from scipy import stats

    left, right = tables(folder, ending)
    for name in left:
        one, two = left[name].to_numpy(), right[name].to_numpy()
        edges = numpy.quantile(one, numpy.arange(1, 10) / 10)
        p, q = (numpy.bincount(numpy.searchsorted(edges, values), minlength=10) / len(values) for values in (one, two))
        ((q - p) * numpy.log(q / p)).sum()
        stats.ks_2samp(one, two, method="asymp")
        stats.wasserstein_distance(one, two)


def evidently(folder, ending):
    from evidently import Report
    from evidently.presets import DataDriftPreset

    left, right = tables(folder, ending)
    Report([DataDriftPreset()]).run(current_data=right, reference_data=left).dict()


def river(binary, folder):
    import numpy
    from river import drift

    for own, name, count in DETECTORS:
        values = numpy.random.default_rng(2).normal(0.5, 0.1, count).round(4).tolist()
        path = folder / "stream.ndjson"
        path.write_text("".join(f'{{"score":{value}}}\n' for value in values))
        detector = getattr(drift, name)()

        def follow():
            for value in values:
                detector.update(value)

        theirs = timed(follow)
        ours, _ = process([binary, "drift", "watch", "--detector", own, path])
        print(f"river {name:12} {theirs / count * 1e9:7.0f} ns a value, rtinfer {ours / count * 1e9:6.0f}: {theirs / ours:6.1f} times")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--columns", type=int, default=200)
    parser.add_argument("--binary", default=str(PACKAGE / ".build/release/rtinfer"))
    parser.add_argument("--peers", default="scipy,evidently,river", help="which of them, of those that are installed; none, if empty")
    options = parser.parse_args()
    peers = []
    for peer in filter(None, options.peers.split(",")):
        if importlib.util.find_spec(peer):
            peers.append(peer)
        else:
            print(f"{peer} is not installed")
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        make(folder, options.rows, options.columns)
        # Else the tables are still being written while the first of all is measured.
        os.sync()
        for ending in ("csv", "ndjson"):
            own = rtinfer(options.binary, folder, ending)
            for peer, work in (("scipy", scipy), ("evidently", evidently)):
                if peer in peers:
                    try:
                        seconds = timed(lambda: work(folder, ending))
                    except Exception as problem:
                        print(f"{ending:7} {peer} is left out, as it failed: {type(problem).__name__}: {problem}")
                        continue
                    print(f"{ending:7} {peer:16} {seconds:8.2f} s  {seconds / own:6.1f} times rtinfer's two steps")
        if "river" in peers:
            river(options.binary, folder)


if __name__ == "__main__":
    main()
