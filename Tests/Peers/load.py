# The load generator beside wrk (and hey, where it is installed): the same server, the same request, the same number of
# connections in a closed loop, and the processor time that each generator used for a request. Then an open loop's send
# lag at several rates. Then a server that stands still for one second in every ten, where arithmetic says what users
# meet: whoever comes x before the stall's end waits x, so a share (1 - x)/10 waits longer than x; the p99 is 0.9 s, the
# p95 0.5 s.
#
#     python3 Tests/Peers/load.py .build/release/rtinfer model.json row.json [seconds] [closed|open|stall ...]
#
# wrk and hey must be on the PATH (apt-get install wrk hey); what is not there is passed over. The server is ours, with one
# thread; it is stopped and continued by signals. All stays on loopback and ends with the script.

import json
import os
import re
import resource
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time

CONNECTIONS = 16
STALL, PERIOD = 1.0, 10.0


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def timed(words, **options):
    """What the command wrote, and the processor seconds that it used."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(words, capture_output=True, text=True, timeout=120, **options)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    spent = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    if not done.stdout:
        sys.exit(f"{words[0]} wrote nothing: {done.stderr}")
    return done.stdout, spent


def wrk(folder, url, row, seconds):
    """Text and processor seconds of a closed loop."""
    script = os.path.join(folder, "post.lua")
    with open(script, "w") as file:
        file.write('wrk.method = "POST"\n')
        file.write('wrk.headers["Content-Type"] = "application/json"\n')
        file.write(f"wrk.body = [==[{row}]==]\n")
    return timed(
        ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{seconds}s", "--latency", "-s", script, url])


def closed(rtinfer, folder, url, row, seconds):
    print(f"closed loop, {CONNECTIONS} connections: requests a second, processor time a request")
    ours = []
    for _ in range(2):
        if shutil.which("wrk"):
            text, spent = wrk(folder, url, row, seconds)
            count = int(re.search(r"(\d+) requests in", text)[1])
            print(f"  wrk      {count / seconds:10,.0f}/s {spent / count * 1e6:8.2f} us")
        if shutil.which("hey"):
            text, spent = timed(
                ["hey", "-z", f"{seconds}s", "-c", str(CONNECTIONS), "-m", "POST",
                 "-T", "application/json", "-d", row, url])
            rate = float(re.search(r"Requests/sec:\s+([\d.]+)", text)[1])
            print(f"  hey      {rate:10,.0f}/s {spent / (rate * seconds) * 1e6:8.2f} us")
        text, spent = timed(rtinfer + [
            "--concurrency", str(CONNECTIONS), "--warmup", "0s", "--duration", f"{seconds}s"])
        run = json.loads(text)
        ours.append(spent / run["requests"])
        print(f"  rtinfer  {run['per_second']:10,.0f}/s {ours[-1] * 1e6:8.2f} us")


def open_loop(rtinfer, seconds):
    print("open loop: send lag p50, p99; latency p50, p99; processor time a request")
    for arrivals in ("poisson", "constant"):
        for rate in (2_000, 10_000, 20_000):
            text, spent = timed(rtinfer + [
                "--rate", str(rate), "--arrivals", arrivals, "--duration", f"{seconds}s"])
            run = json.loads(text)
            lag, latency = run["lag_us"], run["latency_us"]
            sent = run["requests"] * (seconds + 1) / seconds
            print(f"  {arrivals:9} {rate:7,}/s: {run['per_second']:9,.0f}/s"
                  f"  lag {lag['p50']:6.1f} {lag['p99']:7.1f} us"
                  f"  latency {latency['p50']:7.0f} {latency['p99']:8.0f} us"
                  f"  {spent / sent * 1e6:6.2f} us  valid {run['valid']}")


def stalling(server, ended):
    """Stands still in the last second of every ten."""
    while not ended.wait(PERIOD - STALL):
        server.send_signal(signal.SIGSTOP)
        time.sleep(STALL)
        server.send_signal(signal.SIGCONT)


def stall(rtinfer, server, folder, url, row, seconds):
    seconds = max(20, seconds // 10 * 10)
    print(f"a server that stands still for 1 s in every 10, {seconds} s: p50, p90, p95, p99, max")
    print("  arithmetic             0       0   0.500   0.900   1.000 s")
    for name, words in (
        ("rtinfer open, 1000/s", ["--rate", "1000"]),
        (f"rtinfer closed, {CONNECTIONS}", ["--concurrency", str(CONNECTIONS)]),
        ("wrk closed, 16", None),
    ):
        if words is None and not shutil.which("wrk"):
            continue
        ended = threading.Event()
        staller = threading.Thread(target=stalling, args=(server, ended))
        staller.start()
        if words is None:
            text, _ = wrk(folder, url, row, seconds)
            found = dict(re.findall(r"^\s+(\d+)%\s+(\S+)$", text, re.MULTILINE))
            most = re.search(r"Latency\s+\S+\s+\S+\s+(\S+)", text)[1]
            print(f"  {name:20} p50 {found['50']}, p90 {found['90']}, p99 {found['99']}, max {most}")
        else:
            text, _ = timed(
                rtinfer + words + ["--warmup", "0s", "--duration", f"{seconds}s"])
            found = json.loads(text)["latency_us"]
            shown = (found[key] / 1e6 for key in ("p50", "p90", "p95", "p99", "max"))
            print(f"  {name:20}" + " ".join(f"{value:7.3f}" for value in shown) + " s")
        ended.set()
        staller.join()


def main():
    binary, model, row_file = sys.argv[1:4]
    seconds = int(sys.argv[4]) if len(sys.argv) > 4 else 5
    parts = sys.argv[5:] or ["closed", "open", "stall"]
    row = open(row_file).readline().strip()
    port = free_port()
    url = f"http://127.0.0.1:{port}/decide/m"
    with tempfile.TemporaryDirectory() as folder:
        ready = os.path.join(folder, "ready")
        server = subprocess.Popen(
            [binary, "serve", "--quiet", "--model", f"m={model}", "--threads", "1",
             "--listen", f"127.0.0.1:{port}", "--ready-file", ready])
        try:
            while not os.path.exists(ready):
                if server.poll() is not None:
                    sys.exit("the server ended")
                time.sleep(0.01)
            rows = os.path.join(folder, "rows.ndjson")
            with open(rows, "w") as file:
                file.write(row + "\n")
            rtinfer = [binary, "bench", "http", url, rows, "--summary", "--quiet"]
            if "closed" in parts:
                closed(rtinfer, folder, url, row, seconds)
            if "open" in parts:
                open_loop(rtinfer, seconds)
            if "stall" in parts:
                stall(rtinfer, server, folder, url, row, seconds)
        finally:
            server.send_signal(signal.SIGCONT)
            server.terminate()
            server.wait()


if __name__ == "__main__":
    main()
