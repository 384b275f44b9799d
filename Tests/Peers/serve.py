#!/usr/bin/env python3
"""How fast decisions are served: rtinfer beside servers that do the same, or less, or nothing, in one run.

    apt-get install wrk nginx; pip install xgboost numpy
    swift build -c release
    python3 Tests/Peers/serve.py .build/release/rtinfer [--quick] [--fastapi PYTHON] [--mlserver PYTHON]
        [--bentoml PYTHON] [--hummingbird FOLDER] [--only PART,...] [--folder FOLDER]

The work: a payment comes as JSON; six inputs of the model stand in it, twelve are looked up by its card and its
merchant in a store that `materialize --online` has made of 100,000 events; a model of XGBoost with 300 trees judges
it, three rules decide, the decision goes out. The server has one core, the load the other. Who takes part:

    nginx, hummingbird    throw the request away and return a constant of the size of rtinfer's reply
    rtinfer               all of the work
    fastapi               all of the work, under uvicorn (uvloop, httptools): XGBoost's inplace_predict, and for a store
                          two dictionaries of its own process that hold the same values; its decisions are compared
    mlserver, bentoml     the model alone: all eighteen inputs stand in the request, nothing is looked up or decided

Each of the last three is asked for by the Python that has it (a venv; their packages seldom agree on versions), and
hummingbird by a folder where it is built. Who is left out is named. Four parts:

    most      wrk with 64 connections: requests a second, p50, p99; turns, of which the best counts, as the noise
              of a shared machine only ever slows a server down
    half      an open loop at half of that, nginx and rtinfer
    5000      an open loop of 5,000 requests a second, nginx and rtinfer
    models    an open loop of 5,000 a second on one model of a server that has one, of one that has 200, and on all
              200 in turn

Open loops are `rtinfer bench http`, a latency beginning when the request was due; of their turns the least p99
counts, for the same reason.
"""

import argparse
import json
import os
import pathlib
import random
import re
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.request

FEATURES = {
    "card": {
        "count_5m": ("count", "*", "5m"), "count_1h": ("count", "*", "1h"), "sum_1h": ("sum", "amount", "1h"),
        "max_1h": ("max", "amount", "1h"), "sum_1d": ("sum", "amount", "24h"), "mean_1d": ("mean", "amount", "24h"),
    },
    "merchant": {
        "count_5m": ("count", "*", "5m"), "mean_1h": ("mean", "amount", "1h"), "max_1h": ("max", "amount", "1h"),
        "count_1d": ("count", "*", "24h"), "mean_1d": ("mean", "amount", "24h"), "sum_1d": ("sum", "amount", "24h"),
    },
}
SENT = ["amount", "items", "account_days", "distance_km", "tries", "basket"]
KEPT = [f"{view}:{name}" for view, features in FEATURES.items() for name in features]
RULES = [("score >= 0.8", "block"), ("score >= 0.5 && amount > 100", "review"), (None, "pass")]
EVENTS, REQUESTS, TREES, SPAN = 100_000, 500, 300, 86_400
START = 1_700_000_000
CONNECTIONS, MODELS = 64, 200
BLAS = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}

FASTAPI = """
import json, xgboost, numpy as np
from fastapi import FastAPI, Request
booster = xgboost.Booster(model_file="model.json"); booster.set_param("nthread", 1)
store = json.load(open("store.json")); sent = json.load(open("sent.json"))
cards, merchants = store["card"], store["merchant"]
app = FastAPI()
@app.post("/")
async def decide(request: Request):
    event = await request.json()
    row = [event[name] for name in sent] + cards[event["card"]] + merchants[event["merchant"]]
    score = float(booster.inplace_predict(np.array([row], dtype=np.float32))[0])
    decision = "block" if score >= 0.8 else "review" if score >= 0.5 and event["amount"] > 100 else "pass"
    return {"id": event["id"], "score": score, "decision": decision}
"""

BENTOML = """
import bentoml, xgboost, numpy as np
@bentoml.service(workers=1, traffic={"timeout": 10})
class Scorer:
    def __init__(self):
        self.booster = xgboost.Booster(model_file="model.json"); self.booster.set_param("nthread", 1)
    @bentoml.api
    def predict(self, rows: list[list[float]]) -> list[float]:
        return self.booster.inplace_predict(np.array(rows, dtype=np.float32)).tolist()
"""

HUMMINGBIRD = {
    "Package.swift": """// swift-tools-version: 6.0
import PackageDescription
let package = Package(
  name: "Constant",
  dependencies: [.package(url: "https://github.com/hummingbird-project/hummingbird.git", from: "2.0.0")],
  targets: [
    .executableTarget(name: "Constant", dependencies: [.product(name: "Hummingbird", package: "hummingbird")])
  ])
""",
    "Sources/Constant/main.swift": """import Hummingbird
let (port, reply) = (Int(CommandLine.arguments[1])!, CommandLine.arguments[2])
let router = Router()
router.post("/") { request, _ -> Response in
  var request = request
  _ = try await request.collectBody(upTo: 1 << 20)
  let body = ResponseBody(byteBuffer: ByteBuffer(string: reply))
  return Response(status: .ok, headers: [.contentType: "application/json"], body: body)
}
try await Application(router: router, configuration: .init(address: .hostname("127.0.0.1", port: port))).runService()
""",
}


def stamp(seconds):
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))


def payment(generator, number, moment):
    def zipf(count):
        return int(10 * ((count + 10) / 10) ** generator.random()) - 10

    return {
        "type": "payment", "id": f"p{number:08d}", "time": stamp(moment), "card": f"c{zipf(20_000):05d}",
        "merchant": f"m{zipf(5_000):04d}", "amount": generator.randrange(100, 100_000) / 100,
        "items": generator.randrange(1, 9), "account_days": generator.randrange(4_000),
        "distance_km": generator.randrange(9_000) / 10, "tries": generator.randrange(1, 5),
        "basket": generator.randrange(50),
    }


def call(url, body=None):
    request = urllib.request.Request(url, body and body.encode(), {"Content-Type": "application/json"})
    return urllib.request.urlopen(request, timeout=10).read().decode()


def pinned(core, words, **options):
    """A process of the core's own; what it says is not shown but for rtinfer's errors."""
    environment = os.environ | BLAS | options.pop("env", {})
    return subprocess.Popen(
        ["taskset", "-c", str(core), *map(str, words)], env=environment,
        **{"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL} | options)


class Work:
    """The project, its store, its model and the requests, in a folder."""

    def __init__(self, rtinfer, folder):
        self.rtinfer, self.folder = rtinfer, folder
        generator = random.Random(1)
        requests = [payment(generator, EVENTS + number, START + SPAN + 1) for number in range(REQUESTS)]
        # All at one time, so that a card's values are the same for each of them.
        self.requests = [json.dumps(request, separators=(",", ":")) for request in requests]
        (folder / "requests.ndjson").write_text("\n".join(self.requests) + "\n")
        self.write_project(1)
        if (folder / "model.json").exists():
            return
        with open(folder / "events.ndjson", "w") as out:
            for number in range(EVENTS):
                moment = START + number * SPAN // EVENTS
                out.write(json.dumps(payment(generator, number, moment), separators=(",", ":")) + "\n")
        rows = self.run("materialize", "--online", "store", "events.ndjson")
        self.train([json.loads(line) for line in rows.splitlines()[EVENTS * 3 // 4:]])

    def run(self, *words):
        return subprocess.run(
            [self.rtinfer, *words], cwd=self.folder, capture_output=True, text=True, check=True).stdout

    def write_project(self, models):
        fields = {name: "number" for name in SENT} | {"card": "string", "merchant": "string"}
        views = {
            view: {"entity": [view], "from": "payment", "features": {
                name: {aggregation: column, "window": window}
                for name, (aggregation, column, window) in features.items()}}
            for view, features in FEATURES.items()}
        rules = [{"if": test, "decide": word} if test else {"decide": word} for test, word in RULES]
        model = {"uri": "model.json", "decides": "payment", "inputs": SENT + KEPT, "rules": rules}
        project = {
            "events": {"payment": {"id": "id", "time": "time", "fields": fields}}, "features": views,
            "models": {f"m{number}": model for number in range(models)}}
        (self.folder / "rtinfer.json").write_text(json.dumps(project))

    def train(self, rows):
        import numpy as np
        import xgboost

        nan = float("nan")
        table = np.array(
            [[row["request"][name] for name in SENT]
             + [nan if row["features"][name] is None else row["features"][name] for name in KEPT]
             for row in rows], dtype=np.float32)
        noise = np.random.default_rng(1).normal(size=len(table))
        known = np.nan_to_num(table)
        label = known[:, 0] / 500 + known[:, 4] + known[:, 6] / 3 - known[:, 2] / 2_000 + noise > 3.5
        settings = dict(objective="binary:logistic", max_depth=6, tree_method="hist", eta=0.1, nthread=2)
        xgboost.train(settings, xgboost.DMatrix(table, label), TREES).save_model(self.folder / "model.json")

    def write_store(self, address):
        """The values as a peer keeps them, and rows with all of them."""
        store, rows = {view: {} for view in FEATURES}, []
        for text in self.requests:
            request, shown = json.loads(text), json.loads(call(f"{address}/features/m0", text))
            values = shown["inputs"]
            for view, features in FEATURES.items():
                kept = [values[f"{view}:{name}"] for name in features]
                store[view][request[view]] = [float("nan") if value is None else value for value in kept]
            rows.append([values[name] for name in SENT + KEPT])
        (self.folder / "store.json").write_text(json.dumps(store))
        (self.folder / "sent.json").write_text(json.dumps(SENT))
        self.rows = [[0.0 if value is None else value for value in row] for row in rows]


class Server:
    """A server on core 0, and how it is asked."""

    def __init__(self, name, process, url, bodies):
        self.name, self.process, self.url, self.bodies = name, process, url, bodies

    def wait(self, seconds=60):
        """Until it answers as it should."""
        deadline = time.time() + seconds
        while time.time() < deadline and self.process.poll() is None:
            try:
                return call(self.url, self.bodies[0])
            except OSError:
                time.sleep(0.2)
        self.stop()
        return None

    def stop(self):
        self.process.terminate()
        self.process.wait()


def start_rtinfer(work, name="rtinfer"):
    ready = work.folder / f"ready-{random.random()}"
    process = pinned(0, [work.rtinfer, "serve", "--quiet", "--online", "store", "--threads", "1", "--listen",
                         "127.0.0.1:0", "--ready-file", ready], cwd=work.folder, stderr=None)
    while not ready.exists():
        if process.poll() is not None:
            sys.exit("rtinfer serve has ended")
        time.sleep(0.01)
    address = ready.read_text().strip()
    return Server(name, process, f"{address}/decide/m0", work.requests), address


def start_nginx(work, reply):
    folder, port = work.folder, 18081
    (folder / "nginx.conf").write_text(f"""daemon off; worker_processes 1; pid {folder}/nginx.pid;
error_log {folder}/error.log; events {{ worker_connections 1024; }}
http {{ access_log off; keepalive_requests 1000000000; client_body_temp_path {folder}/body;
  proxy_temp_path {folder}/p; fastcgi_temp_path {folder}/f; uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
  server {{ listen 127.0.0.1:{port}; location / {{ default_type application/json; return 200 '{reply}'; }} }} }}
""")
    process = pinned(0, [shutil.which("nginx") or "/usr/sbin/nginx", "-c", folder / "nginx.conf"])
    return Server("nginx", process, f"http://127.0.0.1:{port}/", work.requests)


def start_fastapi(work, python):
    (work.folder / "decide_app.py").write_text(FASTAPI)
    words = [python, "-m", "uvicorn", "decide_app:app", "--port", "18082", "--workers", "1", "--loop", "uvloop",
             "--http", "httptools", "--no-access-log", "--log-level", "warning"]
    return Server("fastapi", pinned(0, words, cwd=work.folder), "http://127.0.0.1:18082/", work.requests)


def start_mlserver(work, python):
    folder = work.folder / "mlserver"
    folder.mkdir(exist_ok=True)
    shutil.copy(work.folder / "model.json", folder)
    (folder / "settings.json").write_text(json.dumps(
        {"host": "127.0.0.1", "http_port": 18083, "grpc_port": 18084, "metrics_port": 18085, "parallel_workers": 0,
         "debug": False, "metrics_endpoint": None}))
    (folder / "model-settings.json").write_text(json.dumps(
        {"name": "m", "implementation": "mlserver_xgboost.XGBoostModel", "parameters": {"uri": "./model.json"}}))
    bodies = [json.dumps({"inputs": [{"name": "x", "shape": [1, 18], "datatype": "FP32", "data": row}]})
              for row in work.rows]
    program = pathlib.Path(python).parent / "mlserver"
    process = pinned(0, [program, "start", "."], cwd=folder)
    return Server("mlserver", process, "http://127.0.0.1:18083/v2/models/m/infer", bodies)


def start_bentoml(work, python):
    (work.folder / "scorer_service.py").write_text(BENTOML)
    words = [python, "-m", "bentoml", "serve", "scorer_service:Scorer", "--port", "18086", "--host", "127.0.0.1"]
    quiet = {"BENTOML_DO_NOT_TRACK": "True", "BENTOML_HOME": str(work.folder / "bentoml")}
    process = pinned(0, words, cwd=work.folder, env=quiet)
    bodies = [json.dumps({"rows": [row]}) for row in work.rows]
    return Server("bentoml", process, "http://127.0.0.1:18086/predict", bodies)


def start_hummingbird(work, folder, reply):
    folder = pathlib.Path(folder)
    program = folder / ".build/release/Constant"
    if not program.exists():
        for path, text in HUMMINGBIRD.items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_text(text)
        subprocess.run(["swift", "build", "-c", "release"], cwd=folder, check=True, stdout=subprocess.DEVNULL)
    return Server("hummingbird", pinned(0, [program, "18087", reply]), "http://127.0.0.1:18087/", work.requests)


# MARK: Load


def most(work, server, seconds):
    """Requests a second, p50 and p99 in milliseconds of a closed loop: one request after another of the server's."""
    lines = ",\n".join(f"[==[{body}]==]" for body in server.bodies)
    path = re.match(r"http://[^/]*(/.*)", server.url)[1]
    script = work.folder / f"{server.name}.lua"
    script.write_text(f"""local bodies, requests, at = {{{lines}}}, {{}}, 0
init = function()
  for i, body in ipairs(bodies) do
    requests[i] = wrk.format("POST", "{path}", {{["Content-Type"] = "application/json"}}, body)
  end
end
request = function() at = at % #requests + 1; return requests[at] end
""")
    output = subprocess.run(
        ["taskset", "-c", "1", "wrk", "-t1", f"-c{CONNECTIONS}", f"-d{seconds}s", "--latency", "-s", script, server.url],
        capture_output=True, text=True, check=True).stdout
    assert "Non-2xx" not in output, output

    def latency(percent):
        value, unit = re.search(rf"{percent}%\s+([0-9.]+)(us|ms|s)", output).groups()
        return float(value) * {"us": 1e-3, "ms": 1, "s": 1e3}[unit]

    return float(re.search(r"Requests/sec:\s+([0-9.]+)", output)[1]), latency(50), latency(99)


def open_loop(work, server, rate, seconds, everywhere=0):
    """The run's summary: latencies in milliseconds from when each request was due."""
    words = ["taskset", "-c", "1", work.rtinfer, "bench", "http"]
    if everywhere:
        path = work.folder / "lines.ndjson"
        path.write_text("".join(
            json.dumps({"method": "POST", "path": f"/decide/m{number % everywhere}", "body": json.loads(body)}) + "\n"
            for number, body in enumerate(work.requests * 2)))
        words += [server.url.removesuffix("/decide/m0"), path, "--request-lines"]
    else:
        words += [server.url, work.folder / "requests.ndjson", "--header", "Content-Type: application/json"]
    words += ["--rate", f"{rate:.0f}", "--duration", f"{seconds}s", "--connections", CONNECTIONS, "--summary", "--json"]
    done = subprocess.run(list(map(str, words)), capture_output=True, text=True)
    run = json.loads(done.stdout)
    assert not run["errors"], run["statuses"]
    return {name: value / 1e3 for name, value in run["latency_us"].items()} | {
        "lag": run["lag_us"]["p99"] / 1e3, "valid": run["valid"]}


def least(results):
    return min(results, key=lambda result: result["p99"])


def compare(work, ours, other):
    """Whether the other one decides as rtinfer does."""
    for body in work.requests:
        mine, theirs = json.loads(call(ours.url, body)), json.loads(call(other.url, body))
        assert mine["decision"] == theirs["decision"], (mine, theirs)
        assert abs(mine["score"] - theirs["score"]) < 1e-6, (mine, theirs)


# MARK: Parts


def start_all(work, ours, options):
    """Who takes part, and who does not and why."""
    reply = call(ours.url, work.requests[0])
    makers = {
        "nginx": lambda _: start_nginx(work, reply), "fastapi": lambda python: start_fastapi(work, python),
        "mlserver": lambda python: start_mlserver(work, python),
        "bentoml": lambda python: start_bentoml(work, python),
        "hummingbird": lambda folder: start_hummingbird(work, folder, reply)}
    servers, absent = {"rtinfer": ours}, []
    for name, make in makers.items():
        wanted = "nginx" if name == "nginx" else getattr(options, name)
        if not wanted or name != "nginx" and "most" not in options.only:
            absent.append(f"{name} (not asked for)")
            continue
        server = make(wanted)
        if server.wait() is None:
            absent.append(f"{name} (does not answer)")
        else:
            servers[name] = server
    if "fastapi" in servers:
        compare(work, ours, servers["fastapi"])
    return servers, absent


def measure_most(work, servers, options):
    best = {}
    for turn in range(options.turns):
        for name, server in servers.items():
            # Those that are far slower need no second look.
            if turn > 0 and name not in ("nginx", "rtinfer", "hummingbird"):
                continue
            result = most(work, server, options.seconds)
            if name not in best or result[0] > best[name][0]:
                best[name] = result
    base = best["nginx"][0]
    print(f"\nmost, {CONNECTIONS} connections\n\n| server | requests/s | p50 ms | p99 ms | beside nginx |")
    print("|---|---:|---:|---:|---:|")
    for name, (rate, p50, p99) in sorted(best.items(), key=lambda item: -item[1][0]):
        print(f"| {name} | {rate:,.0f} | {p50:.2f} | {p99:.2f} | {rate / base:.3f}x |")
    return best


def print_open(title, results):
    print(f"\n{title}\n\n| | p50 ms | p99 ms | p99.9 ms | max ms | send lag p99 ms | valid |")
    print("|---|---:|---:|---:|---:|---:|---|")
    for name, row in results.items():
        print(f"| {name} | {row['p50']:.3f} | {row['p99']:.3f} | {row['p99.9']:.3f} | {row['max']:.2f} |"
              f" {row['lag']:.3f} | {'yes' if row['valid'] else 'no'} |")


def measure_open(work, servers, rates, options, title):
    runs = {name: [] for name in rates}
    for _ in range(options.turns):
        for name, rate in rates.items():
            runs[name].append(open_loop(work, servers[name], rate, options.seconds))
    print_open(title, {f"{name}, {rates[name]:,.0f}/s": least(results) for name, results in runs.items()})


def measure_models(work, options):
    """One server after the other, as two that run at once would share what is measured."""
    runs = {}
    for _ in range(options.turns):
        for models in (1, MODELS):
            work.write_project(models)
            server, _address = start_rtinfer(work)
            runs.setdefault(f"{models} loaded, one asked", []).append(
                open_loop(work, server, 5_000, options.seconds))
            if models > 1:
                runs.setdefault(f"{models} loaded, all asked in turn", []).append(
                    open_loop(work, server, 5_000, options.seconds, everywhere=models))
            server.stop()
    print_open(f"models, 5,000/s, {MODELS} of {TREES} trees each", {name: least(runs[name]) for name in runs})


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("rtinfer", type=os.path.abspath)
    for name in ("fastapi", "mlserver", "bentoml"):
        parser.add_argument(f"--{name}", metavar="PYTHON")
    parser.add_argument("--hummingbird", metavar="FOLDER")
    parser.add_argument("--quick", action="store_true", help="turns of a second: whether it runs, not how fast")
    parser.add_argument("--only", default="most,half,5000,models", help="parts, with commas; half needs most")
    parser.add_argument("--folder", help="keeps the store and the model for the next run")
    options = parser.parse_args()
    options.seconds, options.turns = (1, 1) if options.quick else (4, 3)
    parts = options.only.split(",")
    folder = pathlib.Path(options.folder or tempfile.mkdtemp()).absolute()
    folder.mkdir(parents=True, exist_ok=True)
    work = Work(options.rtinfer, folder)
    ours, address = start_rtinfer(work)
    work.write_store(address)
    servers, absent = start_all(work, ours, options)
    try:
        size = len(work.requests[0])
        print(f"18 inputs, 12 of them from the store, {TREES} trees, {len(RULES)} rules, a request of {size} bytes;")
        print(f"left out: {', '.join(absent) or 'nobody'}")
        if "most" in parts:
            best = measure_most(work, servers, options)
            text = call(f"{address}/metrics")
            resident = int(re.search(r"process_resident_memory_bytes (\d+)", text)[1])
            print(f"\nrtinfer's resident memory then: {resident >> 20} MiB")
            for name in [name for name in servers if name not in ("nginx", "rtinfer")]:
                servers.pop(name).stop()
            if "half" in parts:
                rates = {name: best[name][0] / 2 for name in ("nginx", "rtinfer")}
                measure_open(work, servers, rates, options, "half of its most, an open loop")
        if "5000" in parts:
            measure_open(work, servers, {"nginx": 5_000, "rtinfer": 5_000}, options, "5,000/s, an open loop")
    finally:
        for server in servers.values():
            server.stop()
    if "models" in parts:
        measure_models(work, options)
    if not options.folder:
        shutil.rmtree(folder)


main()
