# The load generator beside wrk: the same server, the same request, the same number of connections in a closed loop,
# and the processor time that each generator used for a request. Then an open loop's send lag.
#
#     python3 Tests/Peers/load.py .build/release/rtinfer model.json row.json [seconds]
#
# wrk must be on the PATH (apt-get install wrk); without it only our own figures are printed. The server is ours, with one
# thread; all stays on loopback and ends with the script.

import json
import os
import resource
import shutil
import socket
import subprocess
import sys
import tempfile
import time


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
    return done.stdout, spent


def main():
    binary, model, row_file = sys.argv[1:4]
    seconds = int(sys.argv[4]) if len(sys.argv) > 4 else 5
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
            if shutil.which("wrk"):
                script = os.path.join(folder, "post.lua")
                with open(script, "w") as file:
                    file.write('wrk.method = "POST"\n')
                    file.write('wrk.headers["Content-Type"] = "application/json"\n')
                    file.write(f"wrk.body = [==[{row}]==]\n")
                text, spent = timed(
                    ["wrk", "-t1", "-c16", f"-d{seconds}s", "-s", script, url])
                count = int(text.split(" requests in ")[0].split()[-1])
                print(f"wrk closed, 16 connections: {count / seconds:,.0f}/s,"
                      f" {spent / count * 1e6:.2f} us of processor a request")
            common = [binary, "bench", "http", url, rows, "--summary", "--quiet"]
            text, spent = timed(
                common + ["--concurrency", "16", "--warmup", "0s", "--duration", f"{seconds}s"])
            run = json.loads(text)
            print(f"rtinfer closed, 16 clients: {run['per_second']:,.0f}/s,"
                  f" {spent / run['requests'] * 1e6:.2f} us of processor a request")
            for rate in (2_000, 10_000, 20_000):
                text, spent = timed(
                    common + ["--rate", str(rate), "--duration", f"{seconds}s"])
                run = json.loads(text)
                lag, latency = run["lag_us"], run["latency_us"]
                print(f"rtinfer open, {rate:,}/s: {run['per_second']:,.0f}/s, send lag p99"
                      f" {lag['p99']:.0f} us, latency p50 {latency['p50']:.0f} p99"
                      f" {latency['p99']:.0f} us, valid {run['valid']}")
        finally:
            server.terminate()
            server.wait()


if __name__ == "__main__":
    main()
