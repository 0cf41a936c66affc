"""Writes clumpiness.json and critical.json: clumpiness by its definition with 30 digits, and its critical values by
listing every placement of the events."""
import itertools
import json
import random
from mpmath import mp, mpf, log

mp.dps = 30


def clumpiness(days, n):
    gaps = [b - a for a, b in zip([0] + list(days), list(days) + [n + 1])]
    return 1 + sum(mpf(g) / (n + 1) * log(mpf(g) / (n + 1)) for g in gaps) / log(len(days) + 1)


def row(name, days, n):
    args = {"n": n, "events": len(days)}
    args.update({f"day{i}": d for i, d in enumerate(days)})
    return {"name": name, "args": args, "want": {"h": mp.nstr(clumpiness(days, n), 22)}}


rng = random.Random(7)
rows = [row("A", [1, 6, 11, 16, 21, 26], 30), row("B", [2, 3, 4, 27, 28, 29], 30), row("C", [13, 14, 15, 16, 17, 18], 30),
        row("one event", [4], 10), row("the first day only", [1], 365), row("every day but the last", list(range(1, 10)), 10)]
for k in range(12):
    n = rng.choice([20, 78, 365])
    rows.append(row(f"random {k}", sorted(rng.sample(range(1, n + 1), rng.randint(1, 15))), n))
with open("testdata/clumpiness.json", "w") as f:
    json.dump({"source": "Zhang, Bradlow and Small 2013, H_p by its definition, 30 digits", "generator": "testdata/gen.py",
               "tolerance": 1e-13, "rows": rows}, f, indent=1)


def critical(k, n, alpha):
    term = [mpf(0)] + [mpf(g) / (n + 1) * log(mpf(g) / (n + 1)) for g in range(1, n + 2)]
    counts = {}
    for days in itertools.combinations(range(1, n + 1), k):
        gaps = tuple(sorted(b - a for a, b in zip((0,) + days, days + (n + 1,))))
        counts[gaps] = counts.get(gaps, 0) + 1
    values = sorted((1 + sum(term[g] for g in gaps) / log(k + 1), c) for gaps, c in counts.items())
    total, seen = sum(counts.values()), 0
    for h, c in values:
        seen += c
        if seen >= (1 - mpf(alpha)) * total:
            return h


rows = []
for k, n, alpha in [(6, 30, "0.05"), (6, 30, "0.01"), (3, 20, "0.05"), (2, 52, "0.1"), (5, 25, "0.05"), (1, 40, "0.05"),
                    (4, 30, "0.5"), (12, 20, "0.05")]:
    rows.append({"name": f"{k} of {n} at {alpha}", "args": {"events": k, "n": n, "alpha": float(alpha)},
                 "want": {"h": mp.nstr(critical(k, n, alpha), 22)}})
with open("testdata/critical.json", "w") as f:
    json.dump({"source": "every placement listed, 30 digits", "generator": "testdata/gen.py", "tolerance": 1e-12, "rows": rows}, f, indent=1)
