#!/usr/bin/env python3
"""Writes uplift.json: stratified difference of means with a Welch-Satterthwaite interval, computed with mpmath at 50
digits from the formulas in the documentation of MatchUplift, the t quantile by root finding on the regularised
incomplete beta function. The single-stratum row is Welch's interval."""
import json, os
from mpmath import mp, mpf, betainc, findroot, sqrt

mp.dps = 50

def t_cdf(x, nu):
    return 1 - betainc(nu / 2, mpf(1) / 2, 0, nu / (nu + x * x), regularized=True) / 2

def t_quantile(p, nu):
    return findroot(lambda x: t_cdf(x, nu) - p, mpf(2))

def mean(x):
    return sum(x) / len(x)

def var(x):
    m = mean(x)
    return sum((v - m) ** 2 for v in x) / (len(x) - 1)

def uplift(strata, level):
    n = sum(len(m) for m, _ in strata)
    est = v = fourth = mpf(0)
    for m, o in strata:
        w = mpf(len(m)) / n
        est += w * (mean(m) - mean(o))
        for g in (m, o):
            part = w * w * var(g) / len(g)
            v += part
            fourth += part * part / (len(g) - 1)
    df = v * v / fourth
    half = sqrt(v) * t_quantile((1 + mpf(level)) / 2, df)
    return {"estimate": est, "std_err": sqrt(v), "df": df, "low": est - half, "high": est + half}

f = lambda xs: [mpf(str(x)) for x in xs]
cases = {
    "welch": ([(f([20, 0, 35, 52.5, 10, 24, 30, 75, 0, 18]), f([12.5, 0, 30, 45, 0, 18, 22.5, 60, 0, 15]))], "0.95"),
    "strata": ([(f([10, 12.5, 9, 14]), f([8, 9.5, 7])), (f([40, 55, 61.25]), f([38, 52, 41, 44, 30.5]))], "0.9"),
}
rows = []
for name, (strata, level) in cases.items():
    rows.append({"name": name, "args": {"level": level}, "want": {k: mp.nstr(v, 25) for k, v in uplift(strata, level).items()}})
out = {"source": "mpmath, 50 digits, formulas of MatchUplift", "generator": "testdata/uplift.py", "tolerance": 1e-13, "rows": rows}
with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "uplift.json"), "w") as fh:
    json.dump(out, fh, indent=1)
    fh.write("\n")
