#!/usr/bin/env python3
"""How fast the features of one request are read: `rtinfer bench features` beside Redis, SQLite, LMDB and Feast.

A request names five entities (user, card, merchant, device, country) and asks for ten features of each: sums, counts, means,
minima and maxima over half an hour and an hour, in tiles of five minutes. rtinfer's stores, the embedded one and the one in Redis, hold the state of
the windows and finalise it as of the request's time; the peers hold the finished values, which ours gave for that very
time, so they do less. All is read in turn, one request at a time, by one client:

    rtinfer        the embedded store, at rest and while 100,000 rows a second are written; the same rows from Redis
    redis          five HGETALL, or five HMGET of ten fields, in one pipeline; over loopback and over a unix socket; by
                   redis-py, and by a bare socket that sends bytes made beforehand and parses nothing
    lmdb           five gets and the unpacking of ten doubles each
    sqlite         five selects of ten columns by primary key, prepared, in one connection
    feast          get_online_features of fifty features in five views, on its SQLite store
    redis-benchmark  GETs of as many bytes, one client, five and ten commands in a pipeline: what the server gives at most

    pip install lmdb redis feast
    python3 Tests/Peers/stores.py .build/release/rtinfer [--quick] [--entities 20000] [--reads 20000]
    python3 Tests/Peers/stores.py .build/release/rtinfer --keys 10000000

What is not installed is left out and named. One store's row is compared with the stream's; the exit status is 1 if they
differ.
"""

import argparse
import importlib.util
import json
import math
import os
import pathlib
import random
import re
import resource
import shutil
import socket
import sqlite3
import struct
import subprocess
import sys
import tempfile
import time

VIEWS = ["user", "card", "merchant", "device", "country"]
AGGREGATES = [
    (f"{name}_{window}", f'{name}: "{member}", window: "{window}", every: "5m"')
    for window in ("30m", "1h")
    for name, member in (("count", "*"), ("sum", "amount"), ("mean", "amount"), ("min", "amount"), ("max", "amount"))
]
NAMES = [name for name, _ in AGGREGATES]
START = 1_700_006_400
SPAN = 3600
# Of a view's head in Redis.
HEAD_BYTES = 80
# From one of many keys to the next.
KEY_STEP = 7_368_787


def stamp(seconds):
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))


def project():
    fields = ", ".join(f'{view}: "string"' for view in VIEWS)
    views = "\n".join(
        f'    by_{view}: {{ entity: ["{view}"], from: "paid", features: {{ '
        + ", ".join(f"{name}: {{ {text} }}" for name, text in AGGREGATES)
        + " } },"
        for view in VIEWS
    )
    return f"""{{
  events: {{
    paid: {{ id: "id", time: "time", lateness: "1h", fields: {{ {fields}, amount: "number" }} }},
    asked: {{ id: "id", time: "time", lateness: "1h", fields: {{ {fields} }} }},
  }},
  features: {{
{views}
  }},
}}
"""


def make(folder, entities, reads):
    """Payments, each by five entities, and then the requests, all as of the end."""
    generator = random.Random(7)
    counts = dict(zip(VIEWS, [entities, entities, max(1, entities // 10), entities, 200]))

    def named():
        return {view: f"{view[0]}{generator.randrange(counts[view]):07d}" for view in VIEWS}

    (folder / "rtinfer.json").write_text(project())
    with open(folder / "events.ndjson", "w") as out, open(folder / "rows.ndjson", "w") as rows:
        total = entities * 5
        for index in range(total):
            event = {"type": "paid", "id": f"p{index}", "time": stamp(START + index * SPAN // total)}
            event.update(named(), amount=generator.randrange(100, 100_000) / 100)
            out.write(json.dumps(event) + "\n")
        for index in range(reads):
            row = {"time": stamp(START + SPAN + 60), **named()}
            out.write(json.dumps({"type": "asked", "id": f"q{index}", **row}) + "\n")
            rows.write(json.dumps(row) + "\n")


def run(command, **options):
    done = subprocess.run(command, capture_output=True, text=True, **options)
    if done.returncode != 0:
        sys.exit(f"{' '.join(map(str, command))}\n{done.stderr}")
    return done.stdout


class Table:
    """What was measured, in microseconds."""

    def __init__(self):
        self.lines = []

    def add(self, name, p50, p99, mean):
        self.lines.append((name, p50, p99, mean))
        print(f"{name:58s} {p50:10.3f} {p99:10.3f} {mean:10.3f}", flush=True)

    def measure(self, name, requests, read):
        """Calls `read` for each request, after a tenth of them for warming up."""
        for request in requests[: max(1, len(requests) // 10)]:
            read(request)
        times = []
        for request in requests:
            start = time.perf_counter_ns()
            read(request)
            times.append(time.perf_counter_ns() - start)
        times.sort()
        rank = lambda share: times[min(len(times) - 1, math.ceil(share * len(times)) - 1)] / 1e3
        self.add(name, rank(0.5), rank(0.99), sum(times) / len(times) / 1e3)


def ours(table, binary, folder, name, store, more=(), rows=("hot", "cold")):
    out = run(
        [binary, "bench", "features", "--for", "asked", "--online", store, "--batch", "1", "--json", *more, "rows.ndjson"],
        cwd=folder,
    )
    for line in out.splitlines():
        record = json.loads(line)
        if record["rows"] not in rows:
            continue
        label = f"rtinfer, {name}, {record['rows']}"
        if "updates_per_s" in record:
            label += f", {record['updates_per_s'] / 1e3:.0f} K updates/s"
        table.add(label, record["call_p50_us"], record["call_p99_us"], record["median_us_per_row"])
        if record["damaged"] or record["unanswered"]:
            sys.exit(f"{label}: {line}")


def answers(binary, folder, store):
    """The finished values, by view and entity, as the stream gave them."""
    out = run([binary, "materialize", "--for", "asked", "--online", store, "events.ndjson"], cwd=folder)
    values = {view: {} for view in VIEWS}
    requests = []
    for line in out.splitlines():
        record = json.loads(line)
        requests.append({view: record["entity"][view] for view in VIEWS})
        for view in VIEWS:
            row = [record["features"].get(f"by_{view}:{name}") for name in NAMES]
            values[view][record["entity"][view]] = [float("nan") if value is None else float(value) for value in row]
    return values, requests


def check(binary, folder, store, values, request):
    for view in VIEWS:
        at = stamp(START + SPAN + 60)
        out = run([binary, "materialize", "get", f"by_{view}", request[view], "--online", store, "--at", at], cwd=folder)
        found = json.loads(out)["features"]
        for name, expected in zip(NAMES, values[view][request[view]]):
            value = found[f"by_{view}:{name}"]
            value = float("nan") if value is None else float(value)
            if value != expected and not (math.isnan(value) and math.isnan(expected)):
                sys.exit(f"{store}: by_{view}:{name} of {request[view]} is {value}, the stream said {expected}")


class RedisServer:
    def __init__(self, folder):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.socket = str(folder / "redis.sock")
        self.process = subprocess.Popen(
            ["redis-server", "--port", str(self.port), "--bind", "127.0.0.1", "--unixsocket", self.socket, "--save", ""],
            cwd=folder, stdout=subprocess.DEVNULL,
        )
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port)).close()
                return
            except OSError:
                time.sleep(0.05)

    def stop(self):
        self.process.terminate()
        self.process.wait()


def command(*words):
    text = b"*%d\r\n" % len(words)
    for word in words:
        word = word.encode()
        text += b"$%d\r\n%s\r\n" % (len(word), word)
    return text


def bare(connection, verb):
    """Sends five commands at once and receives until five replies of ten or twenty strings are in, which are not parsed."""
    lines = 5 * (41 if verb == "HGETALL" else 21)
    fields = [] if verb == "HGETALL" else NAMES

    def read(request):
        connection.sendall(b"".join(command(verb, f"{view}:{request[view]}", *fields) for view in VIEWS))
        seen = 0
        while seen < lines:
            seen += connection.recv(1 << 16).count(b"\r\n")

    return read


def redis_peers(table, folder, server, values, requests):
    if importlib.util.find_spec("redis") is None:
        print("redis (the Python client) is not installed")
        return
    import redis

    loopback = redis.Redis(port=server.port)
    local = redis.Redis(unix_socket_path=server.socket)
    pipeline = loopback.pipeline(transaction=False)
    for view in VIEWS:
        for key, row in values[view].items():
            pipeline.hset(f"{view}:{key}", mapping=dict(zip(NAMES, row)))
        pipeline.execute()

    def by(client, verb):
        def read(request):
            pipeline = client.pipeline(transaction=False)
            for view in VIEWS:
                if verb == "HGETALL":
                    pipeline.hgetall(f"{view}:{request[view]}")
                else:
                    pipeline.hmget(f"{view}:{request[view]}", NAMES)
            return pipeline.execute()

        return read

    tcp = socket.create_connection(("127.0.0.1", server.port))
    tcp.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    unix = socket.socket(socket.AF_UNIX)
    unix.connect(server.socket)
    for verb in ("HGETALL", "HMGET"):
        table.measure(f"redis 5 x {verb}, loopback, redis-py", requests, by(loopback, verb))
        table.measure(f"redis 5 x {verb}, unix socket, redis-py", requests, by(local, verb))
        table.measure(f"redis 5 x {verb}, loopback, bare socket", requests, bare(tcp, verb))
        table.measure(f"redis 5 x {verb}, unix socket, bare socket", requests, bare(unix, verb))


def redis_benchmark(table, server, reads, length):
    """One client: five GETs of as many bytes as our rows have in a pipeline; and ten, as many as a look-up sends, since
    it asks for the head of each view beside the row, of their mean length."""
    for depth, size in ((5, length), (10, (length + HEAD_BYTES) // 2)):
        run(["redis-cli", "-p", str(server.port), "set", "benchmark", "x" * size])
        for name, where in (("loopback", ["-p", str(server.port)]), ("unix socket", ["-s", server.socket])):
            asked = ["-c", "1", "-P", str(depth), "-n", str(reads * depth), "-q", "GET", "benchmark"]
            said = run(["redis-benchmark", *where, *asked]).split("\r")[-1]
            rate = float(re.search(r"([0-9.]+) requests per second", said).group(1))
            label = f"redis-benchmark {depth} x GET of {size} bytes, {name}"
            table.add(label, float("nan"), float("nan"), depth * 1e6 / rate)


def lmdb_peer(table, folder, values, requests):
    if importlib.util.find_spec("lmdb") is None:
        print("lmdb is not installed")
        return
    import lmdb

    layout = struct.Struct(f"{len(NAMES)}d")
    store = lmdb.open(str(folder / "lmdb"), map_size=1 << 32)
    with store.begin(write=True) as writing:
        for view in VIEWS:
            for key, row in values[view].items():
                writing.put(f"{view}:{key}".encode(), layout.pack(*row))

    def read(request):
        with store.begin() as reading:
            return [layout.unpack(reading.get(f"{view}:{request[view]}".encode())) for view in VIEWS]

    table.measure("lmdb, 5 gets", requests, read)


def sqlite_peer(table, folder, values, requests):
    store = sqlite3.connect(folder / "values.sqlite")
    store.execute("pragma journal_mode = wal")
    for view in VIEWS:
        columns = ", ".join(f"{name} real" for name in NAMES)
        store.execute(f"create table {view} (key text primary key, {columns}) without rowid")
        marks = ", ".join("?" * (len(NAMES) + 1))
        rows = [(key, *row) for key, row in values[view].items()]
        store.executemany(f"insert into {view} values ({marks})", rows)
    store.commit()
    asked = [(view, f"select {', '.join(NAMES)} from {view} where key = ?") for view in VIEWS]

    def read(request):
        return [store.execute(text, (request[view],)).fetchone() for view, text in asked]

    table.measure("sqlite, 5 selects", requests, read)


def feast_peer(table, folder, values, requests):
    if importlib.util.find_spec("feast") is None:
        print("feast is not installed")
        return
    import datetime

    import pandas
    from feast import Entity, FeatureStore, FeatureView, Field, FileSource
    from feast.types import Float64
    from feast.value_type import ValueType

    home = folder / "feast"
    home.mkdir()
    (home / "feature_store.yaml").write_text(
        "project: stores\nregistry: registry.db\nprovider: local\nonline_store: {type: sqlite, path: online.db}\n"
        "offline_store: {type: file}\nentity_key_serialization_version: 3\n"
    )
    store = FeatureStore(repo_path=str(home))
    now = datetime.datetime.now(datetime.timezone.utc)
    for view in VIEWS:
        path = str(home / f"{view}.parquet")
        frame = pandas.DataFrame.from_dict(values[view], orient="index", columns=NAMES)
        frame[view] = frame.index
        frame["event_timestamp"] = now
        frame.to_parquet(path)
        entity = Entity(name=view, join_keys=[view], value_type=ValueType.STRING)
        source = FileSource(path=path, timestamp_field="event_timestamp")
        schema = [Field(name=name, dtype=Float64) for name in NAMES]
        declared = FeatureView(
            name=f"by_{view}", entities=[entity], schema=schema, source=source, ttl=datetime.timedelta(days=365))
        store.apply([entity, declared])
        store.write_to_online_store(f"by_{view}", df=frame)
    features = [f"by_{view}:{name}" for view in VIEWS for name in NAMES]

    def read(request):
        return store.get_online_features(features=features, entity_rows=[request], full_feature_names=True).to_dict()

    table.measure("feast get_online_features, sqlite", requests[:500], read)


def many_keys(binary, folder, count, reads):
    """The embedded store alone, of so many keys of one view: its making, its size, its opening, rows read by chance."""
    assert math.gcd(count, KEY_STEP) == 1, "each key once"
    fields = 'user: "string"'
    features = ", ".join(f"{name}: {{ {text} }}" for name, text in AGGREGATES)
    (folder / "rtinfer.json").write_text(f"""{{
  events: {{
    paid: {{ time: "time", fields: {{ {fields}, amount: "number" }} }},
    asked: {{ time: "time", fields: {{ {fields} }} }},
  }},
  features: {{ by_user: {{ entity: ["user"], from: "paid", features: {{ {features} }} }} }},
}}
""")
    stamps = [stamp(START + second) for second in range(SPAN)]
    with open(folder / "events.ndjson", "w") as out:
        for first in range(0, count, 10_000):
            # Each key once, in no order.
            out.write("".join(
                '{"type":"paid","time":"%s","user":"u%09d","amount":%d.5}\n'
                % (stamps[index * SPAN // count], index * KEY_STEP % count, index % 997)
                for index in range(first, min(count, first + 10_000))))
    generator = random.Random(9)
    asked = [generator.randrange(count) for _ in range(reads)]
    with open(folder / "rows.ndjson", "w") as rows:
        for key in asked:
            rows.write('{"time":"%s","user":"u%09d"}\n' % (stamp(START + SPAN + 60), key))
    begun = time.perf_counter()
    run([binary, "materialize", "--for", "asked", "--online", "online", "events.ndjson"], cwd=folder)
    took = time.perf_counter() - begun
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024
    size = sum(path.stat().st_blocks * 512 for path in (folder / "online").rglob("*") if path.is_file())
    plan = json.loads(run([binary, "materialize", "plan"], cwd=folder).splitlines()[0])
    tile = plan["tiles"][0]["bytes"]
    print(f"{count:,} keys of ten features: made in {took:.1f} s, {count / took / 1e6:.2f} M events/s")
    print(f"  store: {size / count:.0f} bytes a key; materialize: {peak / count:.0f} bytes a key in memory,"
          f" {plan['entity_bytes'] + tile + plan['event_bytes']} by its plan (entity, one tile, one event)")
    opened = []
    for key in asked[:20]:
        begun = time.perf_counter()
        run([binary, "materialize", "get", "by_user", f"u{key:09d}", "--online", "online"], cwd=folder)
        opened.append(time.perf_counter() - begun)
    print(f"  start, open and get one row: {sorted(opened)[10] * 1e3:.1f} ms (median of 20)\n")
    print(f"{'microseconds a row of ten features':58s} {'p50':>10s} {'p99':>10s} {'mean':>10s}")
    ours(Table(), binary, folder, f"embedded, {count:,} keys", "online")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("binary")
    parser.add_argument("--quick", action="store_true", help="a tenth of the work")
    parser.add_argument("--entities", type=int, default=20_000)
    parser.add_argument("--reads", type=int, default=20_000)
    parser.add_argument("--keys", type=int, help="only the embedded store, of so many keys of one view")
    options = parser.parse_args()
    if options.quick:
        options.entities, options.reads = options.entities // 10, options.reads // 10
    binary = os.path.abspath(options.binary)
    folder = pathlib.Path(tempfile.mkdtemp(prefix="stores-"))
    server = None
    try:
        if options.keys:
            return many_keys(binary, folder, options.keys, options.reads)
        make(folder, options.entities, options.reads)
        values, requests = answers(binary, folder, "online")
        check(binary, folder, "online", values, requests[0])
        rows = sum(len(rows) for rows in values.values())
        print(f"{len(requests):,} requests for 50 features of 5 entities; {rows:,} rows are asked for\n")
        print(f"{'microseconds a request':58s} {'p50':>10s} {'p99':>10s} {'mean':>10s}")
        table = Table()
        ours(table, binary, folder, "embedded", "online")
        ours(table, binary, folder, "embedded", "online", ["--updates", "100000"])
        lmdb_peer(table, folder, values, requests)
        sqlite_peer(table, folder, values, requests)
        if shutil.which("redis-server"):
            server = RedisServer(folder)
            address = f"redis://127.0.0.1:{server.port}"
            run([binary, "materialize", "--for", "asked", "--online", address, "events.ndjson"], cwd=folder)
            check(binary, folder, address, values, requests[0])
            patience = ["--online-deadline", "1s", "--repeats", "2"]
            ours(table, binary, folder, "redis, loopback", address, patience, rows=("cold",))
            ours(table, binary, folder, "redis, unix socket", f"unix://{server.socket}", patience, rows=("cold",))
            stat = run([binary, "materialize", "stat", "--online", address], cwd=folder).splitlines()
            sizes = [json.loads(line) for line in stat]
            length = sum(view["row_bytes"] for view in sizes) // sum(view["rows"] for view in sizes)
            redis_benchmark(table, server, options.reads, length)
            redis_peers(table, folder, server, values, requests)
        else:
            print("redis-server is not installed")
        feast_peer(table, folder, values, requests)
    finally:
        if server:
            server.stop()
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
