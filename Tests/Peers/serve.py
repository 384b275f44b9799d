#!/usr/bin/env python3
"""How fast decisions are served: rtinfer beside nginx answering a constant, in one run.

    apt-get install wrk nginx
    swift build -c release
    python3 Tests/Peers/serve.py .build/release/rtinfer MODEL.json [SECONDS]

The server has one core, wrk the other. Both servers get the same request, a POST of one JSON object with the model's
inputs; nginx throws it away and returns a constant of the size of rtinfer's reply, rtinfer parses it, asks the
model and replies. They take turns, several times; the best of each counts, as the noise of a shared machine only
ever slows one down. It prints a table for the README: requests a second, p50 and p99 of a saturated server.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.request

rtinfer, model = os.path.abspath(sys.argv[1]), os.path.abspath(sys.argv[2])
seconds = int(sys.argv[3]) if len(sys.argv) > 3 else 5
connections, turns = 64, 3
folder = tempfile.mkdtemp()


def pinned(core, *words, **options):
    return subprocess.Popen(["taskset", "-c", str(core), *words], **options)


def start_rtinfer():
    ready = f"{folder}/ready"
    process = pinned(0, rtinfer, "serve", "--quiet", "--model", f"m={model}", "--threads", "1",
                     "--listen", "127.0.0.1:0", "--ready-file", ready)
    while not os.path.exists(ready):
        time.sleep(0.01)
    return process, open(ready).read().strip()


def start_nginx(reply):
    port = 18081
    with open(f"{folder}/nginx.conf", "w") as file:
        file.write(f"""daemon off; worker_processes 1; pid {folder}/nginx.pid; error_log {folder}/error.log;
events {{ worker_connections 1024; }}
http {{ access_log off; keepalive_requests 1000000000; client_body_temp_path {folder}/body;
  proxy_temp_path {folder}/p; fastcgi_temp_path {folder}/f; uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
  server {{ listen 127.0.0.1:{port}; location / {{ default_type application/json; return 200 '{reply}'; }} }} }}
""")
    process = pinned(0, shutil.which("nginx") or "/usr/sbin/nginx", "-c", f"{folder}/nginx.conf")
    time.sleep(0.5)
    return process, f"http://127.0.0.1:{port}"


def load(url, script):
    output = subprocess.run(
        ["taskset", "-c", "1", "wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--latency", "-s", script, url],
        capture_output=True, text=True, check=True).stdout
    assert "Non-2xx" not in output, output

    def latency(percent):
        value, unit = re.search(rf"{percent}%\s+([0-9.]+)(us|ms|s)", output).groups()
        return float(value) * {"us": 1e-3, "ms": 1, "s": 1e3}[unit]

    return float(re.search(r"Requests/sec:\s+([0-9.]+)", output)[1]), latency(50), latency(99)


def main():
    server, address = start_rtinfer()
    count = json.load(urllib.request.urlopen(f"{address}/v2/models/m"))["inputs"][0]["shape"][1]
    names = json.load(open(model))["learner"].get("feature_names") or [f"f{i}" for i in range(count)]
    request = json.dumps({name: round((i * 37 % 100) / 10 - 5, 2) for i, name in enumerate(names)})
    reply = urllib.request.urlopen(f"{address}/decide/m", request.encode()).read().decode()
    script = f"{folder}/post.lua"
    with open(script, "w") as file:
        file.write(f"""wrk.method = "POST"; wrk.headers["Content-Type"] = "application/json"; wrk.body = [==[{request}]==]""")
    nginx, constant = start_nginx(reply)
    rows = {"nginx, a constant": f"{constant}/", "rtinfer serve": f"{address}/decide/m"}
    best = {}
    for _ in range(turns):
        for name, url in rows.items():
            result = load(url, script)
            if name not in best or result[0] > best[name][0]:
                best[name] = result
    text = urllib.request.urlopen(f"{address}/metrics").read().decode()
    batches = int(re.search(r"nv_inference_exec_count\{[^}]*\} (\d+)", text)[1])
    judged = int(re.search(r"nv_inference_count\{[^}]*\} (\d+)", text)[1])
    resident = int(re.search(r"process_resident_memory_bytes (\d+)", text)[1])
    for process in (server, nginx):
        process.terminate()
        process.wait()
    print(f"{count} inputs, a request of {len(request)} bytes, {connections} connections, one core each\n")
    print("| server | requests/s | p50 ms | p99 ms | beside nginx |")
    print("|---|---:|---:|---:|---:|")
    base = best["nginx, a constant"][0]
    for name, (rate, p50, p99) in best.items():
        print(f"| {name} | {rate:,.0f} | {p50:.2f} | {p99:.2f} | {rate / base:.2f}x |")
    print(f"\nrows judged together: {judged / batches:.1f} on average; resident: {resident >> 20} MiB after {judged:,} rows")


main()
