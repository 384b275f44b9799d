# Makes events.ndjson and decisions.ndjson: a switch on the 13th day that makes 19 in 20 decisions right where it had
# been 11, and a share of bad cases that rises for all alike.
import json
import random
from datetime import datetime, timedelta

random.seed(12)
start = datetime(2013, 12, 1)
sites = [("n%d" % i, "north") for i in range(6)] + [("s%d" % i, "south") for i in range(6)]
events, decisions = [], []
for day in range(24):
    for number, (site, region) in enumerate(sites):
        for part in range(3):
            time = start + timedelta(days=day, hours=6 * part + 6, minutes=number)
            name = "%s-%d-%d" % (site, day, part)
            bad = random.random() < 0.3 + 0.01 * day
            switched = region == "north" and day >= 12
            right = random.random() < (0.95 if switched else 0.55)
            stamp = lambda t: t.strftime("%Y-%m-%dT%H:%M:%SZ")
            events.append((time, {"type": "asked", "id": name, "time": stamp(time), "site": site,
                                  "region": region, "amount": random.randint(30, 50)}))
            told = time + timedelta(minutes=50)
            events.append((told, {"type": "known", "id": name, "time": stamp(told), "bad": int(bad)}))
            decision = {"kind": "decision", "id": name, "score": 0.9 if right == bad else 0.1,
                        "decision": "act" if right == bad else "leave"}
            if not switched:
                # One in forty came too late.
                wait = 55 if random.random() < 0.025 else 15
                decision["decided"] = stamp(time + timedelta(minutes=wait))
            decisions.append(decision)
end = start + timedelta(days=24, hours=12)
events.append((end, {"type": "known", "id": "end", "time": end.strftime("%Y-%m-%dT%H:%M:%SZ"), "bad": 0}))
events.sort(key=lambda event: event[0])
for name, lines in (("events", [event for _, event in events]), ("decisions", decisions)):
    with open(name + ".ndjson", "w") as file:
        for line in lines:
            file.write(json.dumps(line, separators=(",", ":")) + "\n")
