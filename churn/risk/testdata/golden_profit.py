# Computes the expected values of the profit measures by their definitions with 40 digits and writes them beside itself:
#   cd testdata && python3 golden_profit.py
# The maximum over thresholds is taken at every gamma, without a convex hull; the integral over gamma is cut where the best
# threshold changes, which bisection finds.
import json, random
from mpmath import mp, mpf, beta, quad

mp.dps = 40
rng = random.Random(4)

def levels(y, s):
    """Shares of all customers who left and who stayed at or above each score, and nobody."""
    n = mpf(len(y))
    out = [(mpf(0), mpf(0))]
    for t in sorted(set(s), reverse=True):
        out.append((sum(1 for a, b in zip(y, s) if a and b >= t) / n, sum(1 for a, b in zip(y, s) if not a and b >= t) / n))
    return out

def best(points, gamma, v, d, f):
    return max(range(len(points)), key=lambda i: ((gamma * (v - d) - f) * points[i][0] - (d + f) * points[i][1], -i))

def profit(p, gamma, v, d, f):
    return (gamma * (v - d) - f) * p[0] - (d + f) * p[1]

def cuts(points, lo, hi, v, d, f):
    a, b = best(points, lo, v, d, f), best(points, hi, v, d, f)
    if a == b:
        return []
    # Profit is linear in gamma: where the lines of both ends meet, either no other is above, or the interval is cut there.
    pa, pb = points[a], points[b]
    ga = (v - d) * (pb[0] - pa[0])
    meet = (f * (pb[0] - pa[0]) + (d + f) * (pb[1] - pa[1])) / ga
    meet = min(max(meet, lo), hi)
    c = best(points, meet, v, d, f)
    if profit(points[c], meet, v, d, f) - profit(pa, meet, v, d, f) < mpf(10) ** -30:
        return [meet]
    return cuts(points, lo, meet, v, d, f) + cuts(points, meet, hi, v, d, f)

def empc(y, s, v, d, f, al, be):
    points = levels(y, s)
    inner = sorted(set(cuts(points, mpf(0), mpf(1), v, d, f)))
    ends = [mpf(0)] + [c for c in inner if 0 < c < 1] + [mpf(1)]
    h = lambda g: g ** (al - 1) * (1 - g) ** (be - 1) / beta(al, be)
    value = target = mpf(0)
    for lo, hi in zip(ends, ends[1:]):
        p = points[best(points, (lo + hi) / 2, v, d, f)]
        value += quad(lambda g: profit(p, g, v, d, f) * h(g), [lo, (lo + hi) / 2, hi])
        target += (p[0] + p[1]) * quad(h, [lo, (lo + hi) / 2, hi])
    return value, target

rows = []
def row(name, y, s, v=200, d=10, f=1, al=6, be=14, accept="0.3"):
    v, d, f, al, be, accept = mpf(v), mpf(d), mpf(f), mpf(al), mpf(be), mpf(accept)
    e, t = empc(y, s, v, d, f, al, be)
    points = levels(y, s)
    i = best(points, accept, v, d, f)
    args = {"value": v, "incentive": d, "contact": f, "alpha": al, "beta": be, "accept": accept}
    args.update({"y%d" % k: x for k, x in enumerate(y)})
    args.update({"s%d" % k: x for k, x in enumerate(s)})
    want = {"empc": e, "target": t, "mpc": profit(points[i], accept, v, d, f), "mpc_target": points[i][0] + points[i][1]}
    text = lambda m: {k: (x if isinstance(x, int) else mp.nstr(x, 20)) if not isinstance(x, float) else x for k, x in m.items()}
    rows.append({"name": name, "args": text(args), "want": text(want)})

row("worked", [0, 1, 0, 1, 0, 1, 0, 1], [.1, .2, .3, .4, .5, .7, .8, .9])
row("perfect", [0, 1], [.1, .9])
row("reversed", [0, 1], [.9, .1])
for k in range(8):
    n = rng.randrange(12, 40)
    s = [rng.randrange(12) / 10 for _ in range(n)]
    y = [int(rng.random() < .15 + .05 * x * 10 * .8) for x in s]
    y[0], y[1] = 1, 0
    row("random %d" % k, y, s, rng.choice([50, 120, 200, 1000]), rng.choice([0, 5, 20]), rng.choice([0, 1, 4]),
        rng.choice(["1.5", 6, 10]), rng.choice([3, 14, 40]), rng.choice(["0.1", "0.3", "0.55"]))
with open("profit.json", "w") as out:
    json.dump({"source": "mpmath 40 digits, by the definition", "generator": "testdata/golden_profit.py", "tolerance": 1e-12, "rows": rows}, out, indent=1)
    out.write("\n")
