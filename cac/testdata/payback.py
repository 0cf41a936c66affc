#!/usr/bin/env python3
"""Writes payback.json: churn-adjusted paybacks. The closed form ln(1 - cost*churn/profit) / ln(1 - churn) at 50 digits
with mpmath; the whole months by adding up survivors' profit in exact fractions until it reaches the cost. Paybacks of a
projection with churn in two stages and expansion by adding up months at 50 digits."""
import json, os, random
from fractions import Fraction as F
from mpmath import mp, mpf, log

mp.dps = 50
random.seed(1)

def mpq(x):
    return mpf(x.numerator) / x.denominator

def row(cost, profit, churn):
    c, m, q = F(cost), F(profit), F(churn)
    lost = c * q / m
    if lost >= 1:
        return {"months": "0", "whole": "-1"}
    k, left, earned = 0, m, F(0)
    while earned < c:
        earned += left
        left *= 1 - q
        k += 1
        if k > 700:
            return None
    return {"months": mp.nstr(log(1 - mpq(lost)) / log(1 - mpq(q)), 25), "whole": str(k)}

rows = []
while len(rows) < 60:
    profit = "%.2f" % random.uniform(1, 500)
    churn = "%.*f" % (random.randint(2, 6), random.uniform(0.001, 0.6))
    if F(churn) == 0:
        continue
    share = random.choice([random.uniform(0.01, 0.9), random.uniform(0.9, 1.02), random.uniform(0.999, 1)])
    cost = "%.2f" % (float(profit) / float(churn) * share)
    want = row(cost, profit, churn)
    if want:
        rows.append({"name": f"{cost} of {profit} at {churn}", "args": {"cost": cost, "profit": profit, "churn": churn}, "want": want})

def project(cost, profit, early, late, n, growth):
    cost, month, earned = mpf(cost), mpf(profit), mpf(0)
    for t in range(1, 5000):
        if earned + month >= cost:
            return t - 1 + (cost - earned) / month
        earned += month
        month *= (1 - mpf(early if t <= n else late)) * (1 + mpf(growth))
    return None

projections = []
while len(projections) < 20:
    a = {"cost": "%.2f" % random.uniform(100, 9000), "profit": "%.2f" % random.uniform(20, 800), "early": "%.3f" % random.uniform(0, 0.2),
         "late": "%.3f" % random.uniform(0, 0.03), "n": str(random.randint(1, 6)), "growth": "%.3f" % random.uniform(-0.01, 0.02)}
    k = project(a["cost"], a["profit"], a["early"], a["late"], int(a["n"]), a["growth"])
    if k is not None:
        projections.append({"name": "projection %d" % len(projections), "args": a, "want": {"months": mp.nstr(k, 25)}})

here = os.path.dirname(os.path.abspath(__file__))
for name, data, tol in (("payback.json", rows, 1e-13), ("projection.json", projections, 1e-12)):
    with open(os.path.join(here, name), "w") as fh:
        json.dump({"source": "mpmath with 50 digits and exact fractions", "generator": "testdata/payback.py", "tolerance": tol, "rows": data}, fh, indent=1)
        fh.write("\n")
