"""Recompute every feature value by brute force and compare it with what rtinfer wrote.

This is a second opinion, so it shares nothing with rtinfer but the definitions in rtinfer.json. It keeps the
events of a view in one sorted list for each entity key, cuts the window of a question out of the list, and
aggregates that slice with a plain loop: no state is carried from one question to the next, nothing is added to
or taken out of a running value, nothing expires.

  verify.py EVENTS FEATURES                        `rtinfer ingest` and `rtinfer materialize`
  verify.py EVENTS FEATURES --emit watermark       the same, when features are given out behind the watermark
  verify.py --training EVENTS TRAINING             a training set as CSV
  verify.py --self-test                            a tiny example that was computed by hand

What a feature is. An event of the request type (the one the models decide) asks at its own time q. The feature
covers the events of the view's type whose `where` is true and whose entity members equal the request's, at a
time t with lo <= t < q. Here lo is q - window, moved down to a multiple of the hop (counted from 1970) if the
feature has one; without a window there is no lo. The hop is `every`; where that is absent, it is 1 d for a
window of 12 d or more, 1 h from 12 h on, 5 min from 1 h on, and none below. An event with a null in an entity
member counts for nobody; a request with one gets null for the whole view.

  arrival     the events that had arrived before the request did (by offset), in the order of (time, offset)
  watermark   all events of the file, in the order of (time, id, offset); so is a training set

Integers must be equal and written as integers, nulls must be nulls, and other numbers must agree to 1e-12 of
their size. The exit code is 1 if anything differs, is missing, or is too much.
"""
import argparse
import csv
import json
import math
import pathlib
import re
import sys
import tempfile
from bisect import bisect_left
from collections import Counter, defaultdict
from datetime import datetime, timedelta, timezone

import project as projects

TOLERANCE = 1e-12
SHOWN = 10  # differences to name
EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
UNITS = {"ms": 1_000, "s": 1_000_000, "m": 60_000_000, "h": 3_600_000_000, "d": 86_400_000_000}
HOUR, DAY = UNITS["h"], UNITS["d"]


def when(member, test):
    """An expression over one member, which is null where the member is."""
    return lambda event: None if event.get(member) is None else test(event[member])


# The expressions of rtinfer.json that are more than the name of a member, written again by hand.
EXPRESSIONS = {
    "dep_delay < 600": when("dep_delay", lambda delay: delay < 600),
    "arr_delay < 600": when("arr_delay", lambda delay: delay < 600),
    "dep_delay > 15 ? 1.0 : 0.0": when("dep_delay", lambda delay: 1.0 if delay > 15 else 0.0),
    "arr_delay > 15 ? 1 : 0": when("arr_delay", lambda delay: 1 if delay > 15 else 0),
}


def expression(text, fields):
    if text in fields:
        if fields[text].rstrip("?") == "number":  # 5 and 5.0 are one number, and not an integer
            return when(text, float)
        return lambda event: event.get(text)
    if text not in EXPRESSIONS:
        raise SystemExit(f"verify.py does not know the expression `{text}`: write it into EXPRESSIONS")
    return EXPRESSIONS[text]


def microseconds(time):
    return (datetime.fromisoformat(time) - EPOCH) // timedelta(microseconds=1)


def length(text):
    number, unit = re.fullmatch(r"(\d+)(ms|s|m|h|d)", text).groups()
    return int(number) * UNITS[unit]


def hop(every, window):
    if every == "exact" or window is None:
        return None
    if every is not None:
        return length(every)
    for shortest, default in ((12 * DAY, DAY), (12 * HOUR, HOUR), (HOUR, 5 * UNITS["m"])):
        if window >= shortest:
            return default
    return None


def mean(values):
    return sum(values) / len(values) if all_integers(values) else math.fsum(values) / len(values)


def stddev(values):
    n = len(values)
    if n < 2:
        return None
    if all_integers(values):  # exact up to the division
        return math.sqrt((n * sum(x * x for x in values) - sum(values) ** 2) / (n * (n - 1)))
    middle = mean(values)
    return math.sqrt(math.fsum((x - middle) ** 2 for x in values) / (n - 1))


def all_integers(values):
    return all(isinstance(x, int) for x in values)


AGGREGATIONS = {
    "count": len,
    "count_distinct": lambda values: len(set(values)),
    "sum": lambda values: sum(values) if all_integers(values) else math.fsum(values),
    "mean": mean,
    "min": min,
    "max": max,
    "stddev": stddev,
    "first": lambda values: values[0],
    "last": lambda values: values[-1],
}


class Feature:
    def __init__(self, name, definition, fields):
        self.name = name
        definition = dict(definition)
        window, every = definition.pop("window", None), definition.pop("every", None)
        (self.kind, text), = definition.items()  # what is left is the aggregation
        if self.kind not in AGGREGATIONS:
            raise SystemExit(f"verify.py does not know the aggregation `{self.kind}` of {name}")
        self.value = (lambda event: 1) if text == "*" else expression(text, fields)
        self.window = None if window is None else length(window)
        self.hop = hop(every, self.window)

    def start(self, asked):
        if self.window is None:
            return -math.inf
        start = asked - self.window
        return start // self.hop * self.hop if self.hop else start

    def of(self, values):
        present = [value for value in values if value is not None]
        if not present:
            return 0 if self.kind in ("count", "count_distinct") else None
        return AGGREGATIONS[self.kind](present)


class View:
    """The events that one view counts: for each key the sorted rows (time, [id,] offset, values)."""

    def __init__(self, name, definition, fields):
        self.entity, self.source = definition["entity"], definition["from"]
        self.where = expression(definition["where"], fields) if "where" in definition else lambda event: True
        self.features = [Feature(f"{name}:{short}", feature, fields)
                         for short, feature in definition["features"].items()]
        self.rows = defaultdict(list)

    def key(self, event):
        key = tuple(event.get(member) for member in self.entity)
        return None if None in key else key

    def add(self, event, place):
        key = self.key(event)
        if key is not None and self.where(event) is True:
            self.rows[key].append((*place, [feature.value(event) for feature in self.features]))

    def sort(self):
        for rows in self.rows.values():
            rows.sort(key=lambda row: row[:-1])

    def ask(self, event, asked, limit):
        """The values for a request at the time `asked`, out of the events with an offset below `limit`."""
        key = self.key(event)
        if key is None:
            return {feature.name: None for feature in self.features}
        rows, answer = self.rows.get(key, []), {}
        end = bisect_left(rows, asked, key=lambda row: row[0])
        for index, feature in enumerate(self.features):
            start = bisect_left(rows, feature.start(asked), key=lambda row: row[0])
            answer[feature.name] = feature.of([row[-1][index] for row in rows[start:end] if row[-2] < limit])
        return answer


def fields_of(event_type):
    return {name: field if isinstance(field, str) else field["type"]
            for name, field in event_type["fields"].items()}


class Expected:
    """What the events of `rtinfer ingest` should give: the requests by offset, and their features."""

    def __init__(self, project, path, emit):
        asking = {model["decides"] for model in project["models"].values()}
        if len(asking) != 1:
            raise SystemExit(f"verify.py needs one type of request, and the models decide {sorted(asking)}")
        self.request_type, = asking
        self.request = project["events"][self.request_type]
        self.emit = emit
        self.views = []
        for name, view in project["features"].items():
            self.views.append(View(name, view, fields_of(project["events"][view["from"]])))
        self.requests = {}
        with open(path, encoding="utf-8") as lines:
            for event in map(read_json, lines):
                self.add(project["events"], event)
        for view in self.views:
            view.sort()

    def add(self, types, event):
        kind, offset = event["_rt"]["type"], event["_rt"]["offset"]
        time = microseconds(event[types[kind]["time"]])
        place = (time, offset) if self.emit == "arrival" else (time, event[types[kind]["id"]], offset)
        for view in self.views:
            if view.source == kind:
                view.add(event, place)
        if kind == self.request_type:
            if offset in self.requests:
                raise SystemExit(f"two events have the offset {offset}")
            self.requests[offset] = (event, time)

    def features(self, offset):
        event, time = self.requests[offset]
        answer = {}
        for view in self.views:
            answer.update(view.ask(event, time, offset if self.emit == "arrival" else math.inf))
        return answer

    def names(self):
        return [feature.name for view in self.views for feature in view.features]


def refuse(constant):
    raise ValueError(f"{constant} is not JSON")


def read_json(line):
    return json.loads(line, parse_constant=refuse)


def distance(expected, found):
    """0 for what is equal, the relative difference for numbers that are not integers, else infinity."""
    if isinstance(expected, float) and type(found) in (int, float):
        return 0.0 if expected == found else abs(expected - found) / max(abs(expected), abs(found))
    return 0.0 if type(expected) is type(found) and expected == found else math.inf


class Report:
    def __init__(self, names):
        self.values, self.nulls, self.wrong = Counter(), Counter(), Counter()
        self.largest = dict.fromkeys(names, 0.0)
        self.problems, self.rows = [], 0

    def problem(self, text):
        self.problems.append(text)

    def compare(self, row, expected, found):
        self.rows += 1
        for name in found.keys() - expected.keys():
            self.problem(f"{row}: {name} is not defined")
        for name, value in expected.items():
            if name not in found:
                self.problem(f"{row}: {name} is missing")
                continue
            self.values[name] += 1
            self.nulls[name] += value is None
            off = distance(value, found[name])
            if off <= TOLERANCE:
                self.largest[name] = max(self.largest[name], off)
            else:
                self.wrong[name] += 1
                self.problem(f"{row}: {name} should be {json.dumps(value)} and is {json.dumps(found[name])}")

    def print(self):
        width = max(map(len, self.largest))
        print(f"{'feature':{width}}    values     nulls  largest difference  mismatches")
        for name, largest in self.largest.items():
            print(f"{name:{width}}  {self.values[name]:8}  {self.nulls[name]:8}  {largest:18.1e}  "
                  f"{self.wrong[name]:10}")
        for text in self.problems[:SHOWN]:
            print(text)
        print(f"{self.rows} rows, {sum(self.values.values())} values, {len(self.problems)} problems")
        return 1 if self.problems or not self.rows else 0


def check_features(project, events, features, emit):
    expected = Expected(project, events, emit)
    report = Report(expected.names())
    missing = set(expected.requests)
    with open(features, encoding="utf-8") as lines:
        for found in map(read_json, lines):
            offset = found["_rt"]["offset"]
            row = f"{found['id']} (offset {offset})"
            if found["kind"] != "features" or offset not in missing:
                report.problem(f"{row}: no {expected.request_type} event asks for this row, or one row before did")
                continue
            missing.remove(offset)
            event, time = expected.requests[offset]
            if found["id"] != event[expected.request["id"]] or microseconds(found["time"]) != time:
                report.problem(f"{row}: the id or the time is not the event's")
            for member, value in found["entity"].items():
                if value != event.get(member):
                    report.problem(f"{row}: the entity has another {member} than the event")
            report.compare(row, expected.features(offset), found["features"])
    for offset in sorted(missing):
        report.problem(f"{expected.requests[offset][0][expected.request['id']]} (offset {offset}): no row")
    return report


def from_cell(cell, like):
    """A cell of the CSV as the type that is expected there; as text if it cannot be that."""
    if cell == "":
        return None
    if isinstance(like, int) and re.fullmatch(r"-?\d+", cell):
        return int(cell)
    if isinstance(like, float) and re.fullmatch(r"-?\d[\d.]*([eE][+-]?\d+)?", cell):
        return float(cell)
    return cell


def check_training(project, events, training):
    expected = Expected(project, events, "watermark")
    report = Report(expected.names())
    offsets = {event[expected.request["id"]]: offset for offset, (event, _) in expected.requests.items()}
    if len(offsets) != len(expected.requests):
        raise SystemExit("two requests have one id, so a training set cannot be told apart by it")
    fields = fields_of(expected.request)
    with open(training, encoding="utf-8", newline="") as file:
        for cells in csv.DictReader(file, strict=True):
            row = cells[expected.request["id"]]
            if row not in offsets:
                report.problem(f"{row}: no {expected.request_type} event asks for this row, or one row before did")
                continue
            offset = offsets.pop(row)
            event, time = expected.requests[offset]
            if microseconds(cells[expected.request["time"]]) != time:
                report.problem(f"{row}: the time is not the event's")
            for name, kind in fields.items():
                value, cell = event.get(name), cells.get(name)
                if kind.rstrip("?") == "time" and cell and value is not None:
                    value, cell = microseconds(value), str(microseconds(cell))
                elif kind.rstrip("?") == "number" and value is not None:
                    value = float(value)
                if cell is None or distance(value, from_cell(cell, value)) > TOLERANCE:
                    report.problem(f"{row}: {name} should be {value!r} and is {cell!r}")
            values = expected.features(offset)
            found = {name: from_cell(cells[projects.column(name)], value) for name, value in values.items()
                     if projects.column(name) in cells}
            report.compare(row, values, found)
    for row in sorted(offsets):
        report.problem(f"{row}: no row")
    return report


SELF_PROJECT = """
{ // two views: windows with and without a hop, a condition, a null entity, ties and a late event
  events: {
    ask: { id: "id", time: "time", fields: { origin: "string", tailnum: "string?" } },
    departed: { id: "id", time: "time", fields: { origin: "string", tailnum: "string?",
                                                  dep_delay: { type: "integer?" }, fuel: "number?" } },
  },
  features: {
    airport: {
      entity: ["origin"], from: "departed", where: "dep_delay < 600",
      features: {
        n_30m: { count: "*", window: "30m" },          /* exact: shorter than an hour */
        n_1h: { count: "*", window: "1h" },            /* a hop of five minutes */
        n_1h_exact: { count: "*", window: "1h", every: "exact" },
        n_20m_hop: { count: "*", window: "20m", every: "30m" },
        sum_1h: { sum: "dep_delay", window: "1h" },
        spread_1h: { stddev: "dep_delay", window: "1h", },
        fuel_1h: { mean: "fuel", window: "1h" },
        planes: { count_distinct: "tailnum" },
        share: { mean: "dep_delay > 15 ? 1.0 : 0.0" },
      },
    },
    aircraft: {
      entity: ["tailnum"], from: "departed",
      features: {
        n: { count: "*" }, known: { count: "dep_delay" },
        first: { first: "dep_delay" }, last: { last: "dep_delay" },
        low: { min: "fuel" }, high: { max: "dep_delay" },
      },
    },
  },
  models: { m: { decides: "ask" } },
}
"""
# id, time on one day, origin, tailnum, delay, fuel; in the order of arrival, so that the place is the offset
SELF_EVENTS = [
    ("d0", "09:59:59.999999", "A", "N1", 100, 9),    # just before the hour of the question at 11:02
    ("d1", "10:00:00", "A", "N1", 10, 1),            # only the hop has it
    ("d2", "10:02:00", "A", None, 20, None),         # the first moment of the exact hour; no aircraft
    ("z3", "10:30:00", "A", "N2", 40, 2),            # a tie by time with a4, which arrives later
    ("a4", "10:30:00", "A", "N2", None, 4),          # no delay, so `where` is null
    ("d5", "10:45:00", "A", "N2", 700, 8),           # `where` is false
    ("d6", "10:45:00", "B", "N2", 30, None),         # another airport, a tie with d5
    ("q7", "11:02:00", "A", "N2", None, None),       # asks
    ("d8", "11:02:00", "A", "N2", 1, 1),             # at the time of the question: too late
    ("d9", "10:31:00", "A", "N2", 50, 3),            # late: arrives after the question
    ("q10", "11:02:00", "A", None, None, None),      # asks without an aircraft
    ("b11", "10:45:00", "B", "N2", -5, None),        # late as well, a third for 10:45
]
NO_AIRCRAFT = dict.fromkeys(["aircraft:" + name for name in ("n", "known", "first", "last", "low", "high")])


def airport(n30, n1h, exact, hopped, total, spread, fuel, planes, share):
    return {"airport:n_30m": n30, "airport:n_1h": n1h, "airport:n_1h_exact": exact, "airport:n_20m_hop": hopped,
            "airport:sum_1h": total, "airport:spread_1h": spread, "airport:fuel_1h": fuel,
            "airport:planes": planes, "airport:share": share}


def aircraft(n, known, first, last, low, high):
    return dict(zip(NO_AIRCRAFT, (n, known, first, last, low, high)))


# q7 at arrival sees d1, d2, z3 in its hour of 10:00 to 11:02 and d0 before it. 30 min before 11:02 is 10:32, and
# 20 min before it is 10:42, which the hop moves to 10:30. 10, 20, 40 have the sum 70 and the variance 700/3.
# With d9: 10, 20, 40, 50 have the sum 120 and the variance 1000/3.
BEHIND = airport(0, 4, 3, 2, 120, math.sqrt(1000 / 3), 2.0, 2, 0.8)
SELF_FEATURES = {
    "arrival": {
        7: airport(0, 3, 2, 1, 70, math.sqrt(700 / 3), 1.5, 2, 0.75) | aircraft(4, 3, 40, 30, 2.0, 700),
        10: BEHIND | NO_AIRCRAFT,
    },
    "watermark": {
        # by (time, id): a4 without a delay, z3, d9, then b11, d5, d6 at 10:45
        7: BEHIND | aircraft(6, 5, 40, 30, 2.0, 700),
        10: BEHIND | NO_AIRCRAFT,
    },
}


def self_test():
    project = projects.parse(SELF_PROJECT)
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        events, features, training = (folder / name for name in ("events", "features", "training"))
        times = {}
        with open(events, "w") as file:
            for offset, (name, clock, origin, tailnum, delay, fuel) in enumerate(SELF_EVENTS):
                kind = "ask" if name.startswith("q") else "departed"
                event = {"id": name, "time": f"2013-12-04T{clock}Z", "origin": origin, "tailnum": tailnum,
                         "dep_delay": delay, "fuel": fuel, "_rt": {"type": kind, "offset": offset}}
                times[offset] = event["time"]
                file.write(json.dumps(event) + "\n")

        def problems(emit, rows):
            with open(features, "w") as file:
                for offset, values in rows.items():
                    file.write(json.dumps({"kind": "features", "id": SELF_EVENTS[offset][0],
                                           "time": times[offset], "entity": {"origin": "A"},
                                           "features": values, "_rt": {"offset": offset}}) + "\n")
            return check_features(project, events, features, emit).problems

        for emit, rows in SELF_FEATURES.items():
            assert problems(emit, rows) == [], problems(emit, rows)
            spoiled = {name: 0 if value is None else value * (1 + 1e-9) if isinstance(value, float) else None
                       for name, value in rows[7].items()}
            assert len(problems(emit, rows | {7: spoiled})) == len(spoiled)
            assert len(problems(emit, rows | {7: rows[7] | {"airport:n_1h": float(rows[7]["airport:n_1h"])}})) == 1
            assert len(problems(emit, {7: rows[7]})) == 1                                 # no row for q10
            assert len(problems(emit, {7: {"airport:new": 1} | rows[7], 10: rows[10]})) == 1
        assert problems("arrival", SELF_FEATURES["watermark"]) != []

        def training_problems(rows):
            with open(training, "w", newline="") as file:
                table = csv.writer(file)
                table.writerow(["id", "time", "origin", "tailnum", *map(projects.column, rows[7])])
                for offset, values in rows.items():
                    name, _, origin, tailnum, _, _ = SELF_EVENTS[offset]
                    table.writerow([name, times[offset], origin, tailnum, *values.values()])
            return check_training(project, events, training).problems

        rows = SELF_FEATURES["watermark"]
        assert training_problems(rows) == [], training_problems(rows)
        assert len(training_problems({7: rows[7] | {"airport:n_1h": 4.0}, 10: rows[10]})) == 1
        assert len(training_problems({7: rows[7]})) == 1
    print("self-test passed")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("events", metavar="EVENTS", nargs="?", help="what `rtinfer ingest` wrote")
    parser.add_argument("values", metavar="FEATURES", nargs="?", help="what is checked")
    parser.add_argument("--emit", choices=("arrival", "watermark"), default="arrival",
                        help="when rtinfer gave the features out (default: %(default)s)")
    parser.add_argument("--training", action="store_true", help="FEATURES is a training set as CSV")
    parser.add_argument("--project", default=pathlib.Path(__file__).with_name("rtinfer.json"),
                        help="the definitions (default: rtinfer.json beside this script)")
    parser.add_argument("--self-test", action="store_true", help="check this script itself")
    options = parser.parse_args()
    if options.self_test:
        return self_test()
    if options.values is None:
        parser.error("EVENTS and FEATURES are needed")
    project = projects.read(options.project)
    if options.training:
        return check_training(project, options.events, options.values).print()
    return check_features(project, options.events, options.values, options.emit).print()


if __name__ == "__main__":
    sys.exit(main())
