#!/usr/bin/env python3
"""How long `rtinfer budget check` takes for many samples, as serve's access log and bench http write them.

    swift build -c release
    python3 Tests/Peers/budget.py .build/release/rtinfer [--samples 10000000] [--folder DIR]

Samples are made anew (some 205 bytes each, latencies log-normal with a tail, five layers), read from a file by one
process, several times; the best counts. There is no peer that gives intervals and looks at layers; `cat` to nowhere and
`wc -l` say what reading alone costs.
"""

import argparse
import os
import pathlib
import random
import subprocess
import tempfile
import time

BUDGET = "p50 < 1ms && p99 < 50ms && inference.p99 < 20ms && features.p99 < 15ms && errors < 1%"


def make(path, count):
    generator = random.Random(1)
    block = 200_000
    # Distinct within a block, due times in all: to make ten million by Python would take longer than to read them.
    tails = []
    for _ in range(min(block, count)):
        latency = int(1e3 * generator.lognormvariate(5.2, 0.6))
        layers = [int(latency * share) for share in (0.08, 0.3, 0.41, 0.05, 0.06)]
        times = ",".join(f'"{name}":{value / 1000}' for name, value in zip(
            ("request", "features", "inference", "postprocess", "response"), layers))
        tails.append(f'Z","latency_us":{latency / 1000},"service_us":{latency / 1000 - 12.5:.3f},"status":200,'
                     f'"layers_us":{{{times}}}}}\n')
    with open(path, "w") as out:
        for start in range(0, count, block):
            second = start // block * 20
            head = time.strftime('{"kind":"sample","due":"%Y-%m-%dT%H:%M:', time.gmtime(1_790_000_000 + second // 60 * 60))
            seconds = second % 60
            out.writelines(
                f"{head}{seconds + index // 10_000:02d}.{index % 10_000:04d}{tail}"
                for index, tail in enumerate(tails[:count - start]))


def best(runs, command):
    times = []
    for _ in range(runs):
        start = time.perf_counter()
        done = subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        times.append(time.perf_counter() - start)
        if done.returncode not in (0, 1):
            raise SystemExit(f"{command}: status {done.returncode}")
    return min(times)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("binary")
    parser.add_argument("--samples", type=int, default=10_000_000)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--folder")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=arguments.folder) as folder:
        path = pathlib.Path(folder) / "samples.ndjson"
        make(path, arguments.samples)
        size = path.stat().st_size
        print(f"{arguments.samples:,} samples, {size / 1e9:.2f} GB, {os.cpu_count()} cores")
        for name, command in [
            ("rtinfer budget check", [arguments.binary, "budget", "check", "--budget", BUDGET, path]),
            ("wc -l", ["wc", "-l", path]), ("cat", ["cat", path]),
        ]:
            seconds = best(arguments.runs, command)
            print(f"  {name:22} {seconds:7.2f} s  {size / seconds / 1e9:6.2f} GB/s")


if __name__ == "__main__":
    main()
