#!/usr/bin/env python3
"""How fast the registry is with ten thousand versions, and with a model file of a hundred megabytes.

    python3 Tests/Peers/registry.py .build/release/rtinfer [--versions 10000] [--megabytes 100] [--runs 15]

Every figure is a whole process from its start to its end, the best and the median of so many runs (of three where
one takes long); beside it stands
`rtinfer --version`, which is what a process costs that does nothing. The registry is written here as the program
would write it, a line of the log and a manifest for each version, and then changed once by the program itself; that
`verify` finds nothing wrong with it is part of the run. The large model is a fixture whose trees are repeated.
"""

import argparse
import hashlib
import json
import pathlib
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

PACKAGE = pathlib.Path(__file__).resolve().parents[2]
MODELS = PACKAGE / "Fixtures/models/xgboost-json"


def sha256(data):
    return hashlib.sha256(data).hexdigest()


def compact(value):
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def fill(folder, versions):
    """A registry of one blob and so many versions of five models."""
    blob = (MODELS / "gblinear/model.json").read_bytes()
    digest = sha256(blob)
    (folder / "blobs" / digest[:2]).mkdir(parents=True)
    (folder / "blobs" / digest[:2] / digest).write_bytes(blob)
    (folder / "format").write_text("rtinfer-registry 1\n")
    previous, lines, counts = "0" * 64, [], {}
    for sequence in range(1, versions + 1):
        model = f"model{sequence % 5}"
        number = counts[model] = counts.get(model, 0) + 1
        at = "2026-01-01T%02d:%02d:%02dZ" % (
            sequence // 3600 % 24, sequence // 60 % 60, sequence % 60)
        metrics = {"auc": 0.9 + sequence % 97 / 1000, "p99_us": 400.0 + sequence % 13}
        manifest = (compact({
            "manifest": 1, "model": model, "version": number, "added": at, "by": "cron",
            "file": {"name": "model.json", "sha256": digest, "bytes": len(blob)}, "files": [],
            "format": "xgboost-json", "library": "3.2.0", "objective": "reg:squarederror",
            "inputs": [{"name": f"f{i}", "type": "float"} for i in range(4)], "outputs": 1,
            "classes": 0, "metrics": metrics, "tags": {"team": "ops"}}) + "\n").encode()
        path = folder / "models" / model / "versions" / f"{number}.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(manifest)
        line = compact({
            "kind": "change", "seq": sequence, "at": at, "action": "add", "model": model,
            "version": number, "format": "xgboost-json", "sha256": digest, "bytes": len(blob),
            "manifest": sha256(manifest), "metrics": metrics, "tags": {"team": "ops"},
            "by": "cron", "previous": previous})[:-1]
        previous = sha256(line.encode())
        lines.append(f'{line},"hash":"{previous}"}}\n')
    (folder / "log.ndjson").write_text("".join(lines))
    (folder / "head").write_text(f"{versions} {previous}\n")


def large(path, megabytes):
    """A model of so many bytes: the fixture's trees over and over."""
    model = json.loads((MODELS / "binary-logistic-deep/model.json").read_text())
    inner = model["learner"]["gradient_booster"]["model"]
    texts = [compact(tree) for tree in inner["trees"]]
    count = megabytes * 1_000_000 * len(texts) // sum(map(len, texts))
    inner["trees"] = "TREES"
    inner["tree_info"] = [0] * count
    inner["iteration_indptr"] = list(range(count + 1))
    inner["gbtree_model_param"]["num_trees"] = str(count)
    before, after = compact(model).split('"TREES"')
    with open(path, "w") as file:
        file.write(before + "[")
        for index in range(count):
            tree = json.loads(texts[index % len(texts)])
            tree["id"] = index
            file.write(("," if index else "") + compact(tree))
        file.write("]" + after)


def timed(words, runs):
    """Seconds of so many runs, ascending, and what the last printed."""
    times = []
    for _ in range(runs):
        start = time.perf_counter()
        done = subprocess.run(words, capture_output=True)
        times.append(time.perf_counter() - start)
        if done.returncode != 0:
            sys.exit(f"{words}: {done.stderr.decode()}")
    return sorted(times), done.stdout


def show(what, times, note=""):
    print(f"  {what:42} {times[0] * 1e3:9.2f} {statistics.median(times) * 1e3:9.2f}  {note}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("binary")
    parser.add_argument("--versions", type=int, default=10_000)
    parser.add_argument("--megabytes", type=int, default=100)
    parser.add_argument("--runs", type=int, default=15)
    chosen = parser.parse_args()
    folder = pathlib.Path(tempfile.mkdtemp())
    try:
        registry = ["--registry", str(folder / "registry")]
        fill(folder / "registry", chosen.versions)
        run = lambda *words: [chosen.binary, "registry", *words, *registry]
        timed(run("promote", "model1", "7", "production"), 1)
        timed(run("verify"), 1)
        print(f"{chosen.versions} versions                                    best ms  median ms")
        show("rtinfer --version", timed([chosen.binary, "--version"], chosen.runs)[0])
        for uri in ["models:/model1@production", "models:/model1@latest", "models:/model1/9"]:
            show(f"resolve {uri}", timed(run("resolve", uri), chosen.runs)[0])
        times, output = timed(run("list"), chosen.runs)
        show("list", times, f"{len(output.splitlines())} lines, {len(output) / 1e6:.1f} MB")
        show("list model1", timed(run("list", "model1"), chosen.runs)[0])
        (folder / "registry/index").unlink()
        times, again = timed(run("list"), 3)
        show("list without the index", times, "the same" if again == output else "DIFFERENT")
        show("tag", timed(run("tag", "model1", "7", "--set", "a=b"), 3)[0], "writes it again")
        registry[1] = str(folder / "large")
        large(folder / "model.json", chosen.megabytes)
        size = (folder / "model.json").stat().st_size / 1e6
        print(f"a model file of {size:.0f} MB")
        times, _ = timed(run("add", "large", str(folder / "model.json")), 3)
        show("add: read, hashed, loaded, written, synced", times, f"{size / times[0]:.0f} MB/s")
        times, _ = timed(run("verify"), 3)
        show("verify: read and hashed", times, f"{size / times[0]:.0f} MB/s")
    finally:
        shutil.rmtree(folder)


main()
