#!/usr/bin/env python3
"""How fast drift is found: rtinfer beside numpy with scipy, river and Evidently.

All compare the same two tables of normal numbers on one core, starting up included for rtinfer and reading the CSV included
for all but river, which is timed a value at a time inside its process. What is not installed is left out and named.

    pip install numpy scipy pandas river evidently
    swift build -c release; python3 Tests/Peers/drift.py [--rows 100000] [--columns 200]
"""

import argparse
import importlib.util
import pathlib
import subprocess
import tempfile
import time

PACKAGE = pathlib.Path(__file__).resolve().parents[2]


def timed(work):
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def make(folder, rows, columns):
    import numpy

    random = numpy.random.default_rng(1)
    for name, shift in (("reference", 0), ("current", 0.1)):
        values = random.normal(shift, 1, (rows, columns)).round(4)
        header = ",".join(f"c{index}" for index in range(columns))
        numpy.savetxt(folder / f"{name}.csv", values, "%.4f", ",", header=header, comments="")


def rtinfer(binary, folder):
    profile = folder / "reference.profile"
    with open(profile, "wb") as output:
        first = timed(lambda: subprocess.run([binary, "drift", "profile", folder / "reference.csv"], stdout=output, check=True))
    check = [binary, "drift", "check", "--reference", profile, folder / "current.csv"]
    second = timed(lambda: subprocess.run(check, stdout=subprocess.DEVNULL))
    size = (folder / "reference.csv").stat().st_size
    print(f"rtinfer profile  {first:8.2f} s  {size / first / 1e6:6.0f} MB/s")
    print(f"rtinfer check    {second:8.2f} s")
    return second


def scipy(folder):
    import pandas
    from scipy import stats

    def work():
        left, right = (pandas.read_csv(folder / f"{name}.csv") for name in ("reference", "current"))
        for name in left:
            stats.ks_2samp(left[name], right[name], method="asymp")
            stats.wasserstein_distance(left[name], right[name])

    return timed(work)


def evidently(folder):
    import pandas
    from evidently import Report
    from evidently.presets import DataDriftPreset

    def work():
        left, right = (pandas.read_csv(folder / f"{name}.csv") for name in ("reference", "current"))
        Report([DataDriftPreset()]).run(current_data=right, reference_data=left).dict()

    return timed(work)


def river():
    import numpy
    from river import drift

    values = numpy.random.default_rng(2).normal(0, 1, 100_000).tolist()
    detector = drift.ADWIN()
    seconds = timed(lambda: [detector.update(value) for value in values])
    print(f"river ADWIN      {seconds / len(values) * 1e9:8.0f} ns a value")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--columns", type=int, default=200)
    parser.add_argument("--binary", default=str(PACKAGE / ".build/release/rtinfer"))
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        make(folder, options.rows, options.columns)
        own = rtinfer(options.binary, folder)
        for peer, work in (("scipy", scipy), ("evidently", evidently)):
            if importlib.util.find_spec(peer) is None:
                print(f"{peer} is not installed")
                continue
            seconds = work(folder)
            print(f"{peer:16} {seconds:8.2f} s  {seconds / own:6.1f} times rtinfer's check")
        if importlib.util.find_spec("river"):
            river()
        else:
            print("river is not installed")


if __name__ == "__main__":
    main()
