"""Places that events are put into instead of a log: Redis streams, NATS JetStream and an SQLite table.

Each is given the events the fastest way that it offers to one writer, over loopback, and the clock stops when it has
acknowledged the last one. Whatever can be made beforehand, such as the bytes that a client sends, is made before the
clock starts; so is the server. None of them looks at an event. All are run anew for each turn, with nothing kept.
"""

import contextlib
import json
import os
import shutil
import socket
import sqlite3
import subprocess
import time

ACKNOWLEDGEMENT = b'"seq":'


class Left(Exception):
    """Why a peer is left out."""


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextlib.contextmanager
def server(words, port, core):
    """A server that answers at its port; it ends with the block. Without `core` it shares ours."""
    pin = None if core is None else (lambda: os.sched_setaffinity(0, {core}))
    process = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, preexec_fn=pin)
    try:
        for _ in range(200):
            try:
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
                break
            except OSError:
                if process.poll() is not None:
                    raise Left(f"{words[0]} ended with status {process.returncode}")
                time.sleep(0.05)
        else:
            raise Left(f"{words[0]} does not answer")
        yield
    finally:
        process.terminate()
        try:
            process.wait(timeout=30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def redis(folder, events, core, *options):
    """`redis-cli --pipe` sends all the commands and counts the answers, which is as fast as a client can be."""
    if not (shutil.which("redis-server") and shutil.which("redis-cli")):
        raise Left("not installed")
    commands = folder / "commands.resp"
    with open(events, "rb") as lines, open(commands, "wb") as out:
        for line in lines:
            text = line[:-1]
            out.write(b"*5\r\n$4\r\nXADD\r\n$1\r\ns\r\n$1\r\n*\r\n$1\r\ne\r\n$%d\r\n%s\r\n" % (len(text), text))
    port = free_port()
    words = ["redis-server", "--port", str(port), "--bind", "127.0.0.1", "--dir", str(folder), "--save", "", *options]
    with server(words, port, core), open(commands, "rb") as stdin:
        start = time.perf_counter()
        done = subprocess.run(["redis-cli", "-p", str(port), "--pipe"], stdin=stdin, capture_output=True, timeout=300)
        seconds = time.perf_counter() - start
        length = subprocess.run(["redis-cli", "-p", str(port), "XLEN", "s"], capture_output=True, timeout=60).stdout
    if done.returncode != 0 or b"errors: 0" not in done.stdout:
        raise Left(done.stdout.decode(errors="replace").strip())
    return seconds, int(length)


def nats(folder, events, core, dedup=False, window=4_000):
    """A publisher on a bare socket that has at most `window` events unacknowledged, as the Go client has it.

    With `dedup` the server knows each event's id and drops what comes twice within two minutes.
    """
    if not shutil.which("nats-server"):
        raise Left("not installed")
    blocks, size = [b""], window // 4
    with open(events, "rb") as lines:
        for number, line in enumerate(lines):
            if number % size == 0 and number:
                blocks.append(b"")
            if dedup:
                head = b"NATS/1.0\r\nNats-Msg-Id: %s\r\n\r\n" % line[7:23]
                blocks[-1] += b"HPUB e inbox.1 %d %d\r\n%s%s\r\n" % (len(head), len(head) + len(line) - 1, head, line[:-1])
            else:
                blocks[-1] += b"PUB e inbox.1 %d\r\n%s\r\n" % (len(line) - 1, line[:-1])
    count, port = number + 1, free_port()
    words = ["nats-server", "-a", "127.0.0.1", "-p", str(port), "-js", "-sd", str(folder)]
    with server(words, port, core), socket.create_connection(("127.0.0.1", port), timeout=60) as wire:
        wire.sendall(b'CONNECT {"verbose":false,"pedantic":false,"headers":true}\r\nSUB inbox.* 1\r\n')
        stream = json.dumps({"name": "S", "subjects": ["e"], "storage": "file", "num_replicas": 1}).encode()
        wire.sendall(b"PUB $JS.API.STREAM.CREATE.S inbox.0 %d\r\n%s\r\n" % (len(stream), stream))
        answer = b""
        while b'"did_create":true}' not in answer:
            answer += wire.recv(1 << 16)
            if b'"error"' in answer:
                raise Left(answer.decode(errors="replace"))
        acknowledged, tail = 0, b""
        start = time.perf_counter()
        for number, block in enumerate(blocks + [None] * 4):
            while acknowledged < min(count, (number - 3) * size):
                tail += wire.recv(1 << 20)
                acknowledged += tail.count(ACKNOWLEDGEMENT)
                tail = tail[-(len(ACKNOWLEDGEMENT) - 1):]
            if block is not None:
                wire.sendall(block)
        return time.perf_counter() - start, acknowledged


def sqlite(folder, events, core):
    """A thousand events a transaction, in write-ahead mode, ids unique; the id is cut out of its known place.

    The cache holds everything, and the write-ahead file is folded in every 400 MB only: ids come in no order, so
    that each transaction touches nearly every page of their index.
    """
    base = sqlite3.connect(folder / "events.sqlite", isolation_level=None)
    base.execute("PRAGMA journal_mode=WAL")
    base.execute("PRAGMA synchronous=NORMAL")
    base.execute("PRAGMA cache_size=-262144")
    base.execute("PRAGMA wal_autocheckpoint=100000")
    base.execute("CREATE TABLE events(number INTEGER PRIMARY KEY, id TEXT UNIQUE, line TEXT)")
    start = time.perf_counter()
    with open(events) as lines:
        while batch := [(line[7:23], line) for _, line in zip(range(1_000), lines)]:
            base.execute("BEGIN")
            base.executemany("INSERT OR IGNORE INTO events(id, line) VALUES(?, ?)", batch)
            base.execute("COMMIT")
    seconds = time.perf_counter() - start
    (count,) = base.execute("SELECT count(*) FROM events").fetchone()
    base.close()
    return seconds, count


EVERY_SECOND = ("--appendonly", "yes", "--appendfsync", "everysec")

QUEUES = {
    "Redis XADD, redis-cli --pipe, in memory": lambda *given: redis(*given, "--appendonly", "no"),
    "Redis XADD, redis-cli --pipe, appendfsync everysec": lambda *given: redis(*given, *EVERY_SECOND),
    "NATS JetStream in files": lambda *given: nats(*given),
    "NATS JetStream in files, Nats-Msg-Id (dedup)": lambda *given: nats(*given, dedup=True),
    "SQLite WAL, 1,000 a transaction, unique id": sqlite,
}


def seconds(name, folder, events, count, core):
    """How long a peer takes, in a folder of its own."""
    place = folder / "queue"
    place.mkdir()
    try:
        taken, kept = QUEUES[name](place, events, core)
    finally:
        shutil.rmtree(place, ignore_errors=True)
    if kept != count:
        raise Left(f"it holds {kept} events of {count}")
    return taken
