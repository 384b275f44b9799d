// GET /: what the server does, for people. One page that needs nothing else; it reads /metrics once a second, so that its
// figures are those of the metrics, and draws them as SVG.

import Core
import HTTP

extension Service {
  func livePage(_ call: Call) {
    fields.rewind(to: 0)
    fields.append("Content-Security-Policy: default-src 'none'; style-src 'unsafe-inline'; ")
    fields.append("script-src 'unsafe-inline'; connect-src 'self'; img-src data:\r\n")
    respond(call, .ok, .html, fields: fields.pending, body: Bytes(LivePage.html))
  }
}

enum LivePage {
  static let html: StaticString = """
    <!doctype html>
    <html lang="en"><head><meta charset="utf-8"><title>rtinfer serve</title>
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <link rel="icon" href="data:,">
    <style>
    :root { color-scheme: light dark; --ink: #1c1e21; --faint: #6b7280; --line: #d7dbe0; --back: #fff;
      --request: #4e79a7; --features: #59a14f; --inference: #e15759; --postprocess: #b07aa1;
      --response: #f28e2b; --queue: #9c9c9c; }
    @media (prefers-color-scheme: dark) { :root { --ink: #e6e8ea; --faint: #9aa3ad; --line: #3a3f45;
      --back: #16181b; } }
    body { margin: 0 auto; max-width: 60rem; padding: 1rem; color: var(--ink); background: var(--back);
      font: 15px/1.4 system-ui, sans-serif; }
    h1 { font-size: 1.2rem; } h2 { font-size: 1rem; margin: 1.5rem 0 .3rem; }
    .faint { color: var(--faint); } .wide { overflow-x: auto; }
    table { border-collapse: collapse; } th, td { padding: .15rem .8rem .15rem 0; text-align: right;
      font-variant-numeric: tabular-nums; white-space: nowrap; } th { color: var(--faint);
      font-weight: normal; } th:first-child, td:first-child { text-align: left; }
    svg { display: block; width: 100%; height: 8rem; border-bottom: 1px solid var(--line); }
    .key span { margin-right: .9rem; white-space: nowrap; } .key i { display: inline-block;
      width: .7rem; height: .7rem; margin-right: .3rem; }
    </style></head><body>
    <h1>rtinfer serve <span class="faint" id="state">…</span></h1>
    <h2>Decisions and predictions a second</h2><svg id="rate" viewBox="0 0 120 100"
      preserveAspectRatio="none"></svg><div class="faint" id="rateNote"></div>
    <h2>Mean microseconds of a request, by layer</h2><svg id="layers" viewBox="0 0 120 100"
      preserveAspectRatio="none"></svg><div class="key faint" id="key"></div>
    <h2>Models</h2><div class="wide"><table id="models"></table></div>
    <h2>Decisions</h2><div class="wide"><table id="decisions"></table></div>
    <div id="told" hidden><h2>Events</h2><div class="wide"><table id="events"></table></div></div>
    <h2>Requests</h2><div class="wide"><table id="requests"></table></div>
    <h2>Process</h2><div class="wide"><table id="process"></table></div>
    <script>
    "use strict";
    const names = ["request", "features", "inference", "postprocess", "response", "queue"];
    const points = []; let last = null;
    const $ = id => document.getElementById(id);
    function parse(text) {
      const samples = [];
      for (const line of text.split("\\n")) {
        if (!line || line[0] === "#") continue;
        const space = line.lastIndexOf(" "), brace = line.indexOf("{");
        const name = line.slice(0, brace < 0 ? space : brace), labels = {};
        if (brace >= 0) for (const m of line.slice(brace, space).matchAll(/(\\w+)="((?:[^"\\\\]|\\\\.)*)"/g))
          labels[m[1]] = JSON.parse('"' + m[2] + '"');
        samples.push({ name, labels, value: Number(line.slice(space + 1)) });
      }
      return samples;
    }
    const find = (samples, name, labels = {}) => samples.filter(s => s.name === name
      && Object.keys(labels).every(k => s.labels[k] === labels[k]));
    const sum = list => list.reduce((total, s) => total + s.value, 0);
    function table(id, head, rows) {
      const element = $(id); element.textContent = "";
      for (const [index, cells] of [head, ...rows].entries()) {
        const row = element.insertRow();
        for (const cell of cells) {
          const place = document.createElement(index ? "td" : "th");
          place.textContent = typeof cell === "number" ? cell.toLocaleString("en") : cell;
          row.appendChild(place);
        }
      }
    }
    function area(svg, series, colors) {
      const top = Math.max(1e-9, ...points.map((_, i) => series.reduce((t, s) => t + s[i], 0)));
      svg.textContent = "";
      const base = points.map(() => 0), x = i => 120 - points.length + i + 1;
      series.forEach((values, n) => {
        const upper = values.map((v, i) => base[i] + v);
        const path = upper.map((v, i) => `${x(i)},${100 - 95 * v / top}`)
          .concat(base.map((v, i) => `${x(i)},${100 - 95 * v / top}`).reverse());
        const shape = document.createElementNS("http://www.w3.org/2000/svg", "polygon");
        shape.setAttribute("points", path.join(" ")); shape.style.fill = `var(--${colors[n]})`;
        svg.appendChild(shape); upper.forEach((v, i) => base[i] = v);
      });
      return top;
    }
    /* The upper bound of the bucket that holds the percentile. */
    function percentile(samples, model, share) {
      const buckets = find(samples, "rtinfer_request_duration_seconds_bucket", { model });
      const all = buckets.length ? buckets[buckets.length - 1].value : 0;
      const bucket = buckets.find(b => all && b.value >= share * all);
      if (!bucket) return "–";
      return bucket.labels.le === "+Inf" ? "> 1 s" : "≤ " + Number(bucket.labels.le) * 1e6 + " µs";
    }
    function show(samples, now) {
      const count = sum(find(samples, "nv_inference_request_success"));
      const layers = names.map(layer => sum(find(samples, "rtinfer_layer_duration_seconds_sum", { layer })));
      const timed = sum(find(samples, "rtinfer_request_duration_seconds_count"));
      if (last) {
        const seconds = Math.max(.001, (now - last.now) / 1000), done = timed - last.timed;
        points.push({ rate: Math.max(0, count - last.count) / seconds,
          layers: layers.map((v, i) => done > 0 ? (v - last.layers[i]) * 1e6 / done : 0) });
        if (points.length > 120) points.shift();
        const most = area($("rate"), [points.map(p => p.rate)], ["request"]);
        const slowest = area($("layers"), names.map((_, i) => points.map(p => p.layers[i])), names);
        const latest = points[points.length - 1];
        $("rateNote").textContent = Math.round(latest.rate).toLocaleString("en") + " a second now, "
          + Math.round(most).toLocaleString("en") + " at most in the last two minutes; " + count.toLocaleString("en") + " in all";
        $("key").textContent = "";
        names.forEach((name, i) => {
          const item = document.createElement("span"), mark = document.createElement("i");
          mark.style.background = `var(--${name})`; item.append(mark, `${name} ${latest.layers[i].toFixed(1)}`);
          $("key").append(item);
        });
        $("key").append(`top of the picture: ${slowest.toFixed(1)}`);
      }
      last = { now, count, layers, timed };
      table("models", ["model", "version", "rows", "batches", "refused", "p50", "p99"],
        find(samples, "rtinfer_model_info").map(s => { const model = s.labels.model; return [model,
          s.labels.version, sum(find(samples, "rtinfer_rows_total", { model })),
          sum(find(samples, "nv_inference_exec_count", { model })),
          sum(find(samples, "rtinfer_requests_refused_total", { model })),
          percentile(samples, model, .5), percentile(samples, model, .99)]; }));
      table("decisions", ["model", "decision", "count"], find(samples, "rtinfer_decisions_total")
        .map(s => [s.labels.model, s.labels.decision, s.value]));
      const told = find(samples, "rtinfer_events_total");
      $("told").hidden = !told.length;
      const until = sum(find(samples, "rtinfer_feature_watermark_seconds"));
      table("events", ["what", "now"], told.map(s => [s.labels.result, s.value]).concat([
        ["entities", sum(find(samples, "rtinfer_feature_entities"))],
        ["features true up to", until ? new Date(until * 1000).toISOString() : "–"]]));
      table("requests", ["route", "status", "count"], find(samples, "rtinfer_http_requests_total")
        .map(s => [s.labels.route, s.labels.code, s.value]));
      table("process", ["what", "now"], [
        ["connections", sum(find(samples, "rtinfer_http_connections"))],
        ["in flight", sum(find(samples, "rtinfer_http_requests_in_flight"))],
        ["processor seconds", Math.round(sum(find(samples, "process_cpu_seconds_total")) * 10) / 10],
        ["memory, MiB", Math.round(sum(find(samples, "process_resident_memory_bytes")) / 1048576)]]);
    }
    async function turn() {
      try {
        const reply = await fetch("/metrics", { cache: "no-store" });
        if (!reply.ok) throw new Error(reply.status);
        show(parse(await reply.text()), performance.now()); $("state").textContent = "answers";
      } catch (error) { $("state").textContent = "does not answer"; }
      setTimeout(turn, 1000);
    }
    turn();
    </script></body></html>

    """
}
