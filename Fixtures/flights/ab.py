"""Replay the week a second time, by brute force, and compare it with what rtinfer bench ab says.

This is a second opinion on the whole way: which events an arm could know, what its features were (see verify.py:
every window is cut out of a sorted list and aggregated by a plain loop), what XGBoost itself makes of them, what
the rules decide, what turned out, and what that was worth.

  ab.py EVENTS DECISIONS RECORDS [--batch-every 1h …] [--publish-delay 0s] [--ingest-delay 0s | p50=200ms,p99=3s]
        [--batch-decides]

EVENTS is what `rtinfer ingest` wrote; DECISIONS is what `rtinfer bench ab EVENTS --decisions DECISIONS` wrote, and
RECORDS its output, with the same intervals and delays. Decisions must be the same, scores must agree to a part in a
million (an exponential that libraries round differently) and the value of each arm must be the same number. The exit
code is 1 if anything differs, is missing, or is too much.
"""
import argparse
import json
import math
import pathlib
import sys
from statistics import NormalDist

import numpy as np
import xgboost

import project as projects
import verify

TOLERANCE = 1e-6  # of scores
SHOWN = 10  # differences to name
MODEL = "late_arrival"

# The project's expressions, written again by hand.
INPUTS = {
    "hour(sched_dep)": lambda event: verify.microseconds(event["sched_dep"]) // verify.HOUR % 24,
    "day_of_week(sched_dep)": lambda event: (verify.microseconds(event["sched_dep"]) // verify.DAY + 4) % 7,
}
RULES = [(0.5, "rebook"), (0.3, "warn"), (-1, "keep")]
MATURES = verify.DAY


def worth(decision, late):
    return {"rebook": 60 if late else -40, "warn": 15 if late else -5, "keep": 0, None: 0}[decision]


def moment(time, every, publish, ingest, waits):
    """As of when an arm knows its features at `time`; `every` is None for real-time."""
    if every is None:
        return time - ingest
    return (-(-time // every) * every if waits else (time - publish) // every * every) - ingest


def decided(time, every, publish, _ingest, waits):
    """When an arm has its decision of what is asked at `time`."""
    return -(-time // every) * every + publish if waits else time


class Delays:
    """How late each event comes in, drawn again by the rule of rtinfer help bench ab."""

    SEED, BITS = 1, (1 << 64) - 1

    def __init__(self, text):
        self.points = []
        for part in text.split(","):
            percent, length = part.split("=")
            score = NormalDist().inv_cdf(float(percent[1:]) / 100)
            self.points.append((score, math.log(verify.length(length))))
        self.longest = 10 * verify.length(text.split("=")[-1])

    def normal(self, text):
        state = 0xCBF29CE484222325 ^ self.SEED  # FNV-1a
        for byte in text.encode():
            state = (state ^ byte) * 0x100000001B3 & self.BITS
        numbers = []
        for _ in range(2):  # SplitMix64
            state = state + 0x9E3779B97F4A7C15 & self.BITS
            mixed = (state ^ state >> 30) * 0xBF58476D1CE4E5B9 & self.BITS
            mixed = (mixed ^ mixed >> 27) * 0x94D049BB133111EB & self.BITS
            numbers.append((mixed ^ mixed >> 31) >> 11)
        first, second = (numbers[0] + 1) * 2.0**-53, numbers[1] * 2.0**-53
        return math.sqrt(-2 * math.log(first)) * math.cos(2 * math.pi * second)

    def of(self, kind, name, time):
        score = self.normal(f"{kind}\n{json.dumps(name)}\n{time}")
        upper = next((place for place in range(1, len(self.points) - 1) if score < self.points[place][0]),
                     len(self.points) - 1)
        (low, start), (high, end) = self.points[upper - 1], self.points[upper]
        delay = math.exp(start + (end - start) / (high - low) * (score - low))
        return math.floor(min(delay, self.longest) + 0.5)

    def let_in(self, view):
        """An event is there from when it has come in; of one time, in that order."""
        for key, rows in view.rows.items():
            late = [(time, time + self.of(view.source, name, time), values) for time, name, _, values in rows]
            view.rows[key] = sorted(late, key=lambda row: row[:2])


def given(event, features, name):
    if name in features:
        return features[name]
    return INPUTS[name](event) if name in INPUTS else event.get(name)


def outcomes(path, asked):
    """By id: when it turned out, and whether the flight came more than a quarter of an hour late; only where that is
    known for good. And how far the events reach."""
    arrivals, latest = {}, 0
    with open(path, encoding="utf-8") as lines:
        for event in map(json.loads, lines):
            time = verify.microseconds(event["time"])
            latest = max(latest, time)
            if event["_rt"]["type"] == "arrived" and event["id"] in asked:
                start = asked[event["id"]]
                if start <= time <= start + MATURES and time < arrivals.get(event["id"], (time + 1,))[0]:
                    arrivals[event["id"]] = (time, event["arr_delay"] > 15)
    return {name: found for name, found in arrivals.items() if asked[name] + MATURES <= latest}, latest


def replay(expected, inputs, booster, arms, drawn):
    """By arm and id: score and decision. Where delays are drawn, who looks sees what had come in before."""
    result = {}
    for name, arm in arms.items():
        ids, rows = [], []
        for event, time in expected.requests.values():
            features = {}
            for view in expected.views:
                known = moment(time, *arm)
                features.update(view.ask(event, known, known if drawn else float("inf")))
            values = {projects.column(key): given(event, features, key) for key in inputs}
            ids.append(event[expected.request["id"]])
            rows.append([np.nan if values[key] is None else values[key] for key in booster.feature_names])
        table = xgboost.DMatrix(np.array(rows, dtype=np.float32), feature_names=booster.feature_names, nthread=1)
        scores = booster.predict(table).tolist()
        result[name] = {key: (score, next(decision for bound, decision in RULES if score >= bound))
                        for key, score in zip(ids, scores)}
    return result


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("events", "decisions", "records"):
        parser.add_argument(name)
    parser.add_argument("--batch-every", nargs="+", default=["1h"], metavar="SPAN")
    parser.add_argument("--publish-delay", default="0s", metavar="SPAN")
    parser.add_argument("--ingest-delay", default="0s", metavar="SPAN")
    parser.add_argument("--batch-decides", action="store_true")
    options = parser.parse_args()

    here = pathlib.Path(__file__).parent
    project = projects.read(here / "rtinfer.json")
    booster = xgboost.Booster({"nthread": 1}, model_file=str(here / project["models"][MODEL]["uri"]))
    drawn = Delays(options.ingest_delay) if "=" in options.ingest_delay else None
    publish, ingest = verify.length(options.publish_delay), 0 if drawn else verify.length(options.ingest_delay)
    arms = {"real-time": (None, 0, ingest, False)}
    for every in options.batch_every:
        arms[f"batch {every}"] = (verify.length(every), publish, ingest, options.batch_decides)

    expected = verify.Expected(project, options.events, "watermark")
    asked = {event["id"]: time for event, time in expected.requests.values()}
    turned_out, latest = outcomes(options.events, asked)
    for view in expected.views if drawn else ():
        drawn.let_in(view)
    answers = replay(expected, project["models"][MODEL]["inputs"], booster, arms, drawn)
    # What waits for a run that has not come is decided in no arm; what comes after the outcome is no decision.
    open_ids = {key for key, time in asked.items() if any(moment(time, *arm) > latest for arm in arms.values())}
    late = {key: value for key, (_, value) in turned_out.items() if key not in open_ids}
    for name, arm in arms.items():
        for key in open_ids:
            del answers[name][key]
        for key in late if arm[3] else ():
            if turned_out[key][0] <= decided(asked[key], *arm):
                answers[name][key] = (answers[name][key][0], None)

    problems, count, furthest = [], 0, 0.0
    left = {(arm, key) for arm in answers for key in answers[arm]}
    with open(options.decisions, encoding="utf-8") as lines:
        for found in map(json.loads, lines):
            arm, key = found["_rt"]["variant"], found["id"]
            row, count = f"{arm}, {key}", count + 1
            if (arm, key) not in left:
                problems.append(f"{row}: not asked, or twice")
                continue
            left.remove((arm, key))
            score, decision = answers[arm][key]
            furthest = max(furthest, abs(score - found["score"]))
            value = worth(decision, late[key]) if key in late else None
            known = verify.microseconds(found["_rt"]["features_watermark"])
            for what, own, other in (
                ("decision", decision, found["decision"]), ("outcome", late.get(key), found["outcome"]),
                ("value", value, found["value"]), ("moment", moment(asked[key], *arms[arm]), known),
            ):
                if own != other:
                    problems.append(f"{row}: the {what} should be {own} and is {other}")
            if not abs(score - found["score"]) <= TOLERANCE:
                problems.append(f"{row}: the score should be {score} and is {found['score']}")
    problems += [f"{arm}, {key}: missing" for arm, key in sorted(left)]

    totals = {arm: sum(worth(answers[arm][key][1], late[key]) for key in late) for arm in answers}
    with open(options.records, encoding="utf-8") as lines:
        records = [json.loads(line) for line in lines]
    found = {record["arm"]: record["value"] for record in records if record["kind"] == "summary"}
    gains = [record["value"] for record in records if record["kind"] == "verdict"]
    if found != totals:
        problems.append(f"the values should be {totals} and are {found}")
    if gains != [totals["real-time"] - totals[arm] for arm in list(arms)[1:]]:
        problems.append(f"the gains are {gains}")

    for text in problems[:SHOWN]:
        print(text)
    values = ", ".join(f"{arm} {total}" for arm, total in totals.items())
    print(f"{count} decisions, {len(late)} outcomes; values: {values}; largest difference of the scores "
          f"{furthest:.1e}; {len(problems)} problems")
    return 1 if problems or not count else 0


if __name__ == "__main__":
    sys.exit(main())
