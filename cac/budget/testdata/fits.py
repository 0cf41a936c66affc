#!/usr/bin/env python3
"""Writes fits.json: non-linear least squares of the response curves by scipy.optimize.least_squares (method lm, analytic
scaling left to it, xtol = ftol = gtol = 1e-15) from several starts, polished by Newton's method in 40-digit arithmetic with
mpmath. Standard errors are those of nls in R and curve_fit in scipy: s^2 (J'WJ)^-1 with s^2 = RSS/(n-k); the intervals use
Student's t on the logarithm of each parameter (the logit for the elasticity of a power)."""
import json, os
import numpy as np
from scipy.optimize import least_squares
from scipy import stats
from mpmath import mp, mpf, matrix, log, exp, sqrt, diff, lu_solve

mp.dps = 40

curves = {
    "power": (lambda x, a, b: a * x**b if x > 0 else mpf(0) * a, 2),
    "log": (lambda x, a, c: a * log(1 + x / c), 2),
    "negexp": (lambda x, a, k: a * (1 - exp(-k * x)), 2),
    "michaelis-menten": (lambda x, a, c: a * x / (c + x), 2),
    "hill": (lambda x, a, c, s: a * x**s / (c**s + x**s) if x > 0 else mpf(0) * a, 3),
}
sets = {
    "smooth": ([5, 10, 20, 40, 60, 80, 120, 160], [21, 35, 58, 85, 97, 112, 121, 131], None),
    "weighted": ([0, 100, 250, 400, 700, 1000, 1500], [1, 14, 27, 33, 44, 47, 53], [1, 2, 1, 4, 1, 0.5, 3]),
    "bent": ([10, 20, 30, 40, 50, 60, 80, 100, 150, 200], [1.2, 5.1, 16, 33, 52, 61, 79, 90, 95, 99], None),
}
starts = {
    "power": [(1, .5), (10, .3)], "log": [(50, 50), (30, 300)], "negexp": [(100, .01), (50, .002)],
    "michaelis-menten": [(150, 50), (70, 400)], "hill": [(130, 40, 1.2), (60, 300, 1.1), (100, 50, 3)],
}

def fit(kind, xs, ys, ws):
    f, k = curves[kind]
    best = None
    for s in starts[kind]:
        def res(u):
            th = [mpf(float(np.exp(v))) for v in u]
            return np.array([float(mp.sqrt(w) * (y - f(mpf(x), *th))) for x, y, w in zip(xs, ys, ws)])
        try:
            r = least_squares(res, np.log(s), xtol=1e-15, ftol=1e-15, gtol=1e-15, max_nfev=4000)
        except Exception:
            continue
        if best is None or r.cost < best.cost:
            best = r
    theta = matrix([exp(mpf(float(v))) for v in best.x])
    def grad_f(x, th):
        return [diff(lambda *t: f(mpf(x), *t), tuple(th), tuple(1 if j == i else 0 for j in range(k))) for i in range(k)]
    def half_grad(*th):
        out = [mpf(0)] * k
        for x, y, w in zip(xs, ys, ws):
            g = grad_f(x, th)
            d = mpf(y) - f(mpf(x), *th)
            for i in range(k):
                out[i] -= w * g[i] * d
        return out
    for _ in range(6):  # Newton with a numeric Hessian of the exact gradient
        g = half_grad(*theta)
        H = matrix(k, k)
        for j in range(k):
            h = theta[j] * mpf(10) ** -15
            up = theta.copy(); up[j] += h
            dn = theta.copy(); dn[j] -= h
            a, b = half_grad(*up), half_grad(*dn)
            for i in range(k):
                H[i, j] = (a[i] - b[i]) / (2 * h)
        theta = theta - lu_solve(H, matrix(g))
    rss = sum(w * (mpf(y) - f(mpf(x), *theta)) ** 2 for x, y, w in zip(xs, ys, ws))
    J = matrix(k, k)
    for x, w in zip(xs, ws):
        g = grad_f(x, theta)
        for i in range(k):
            for j in range(k):
                J[i, j] += w * g[i] * g[j]
    n = len(xs)
    cov = J**-1 * (rss / (n - k))
    t = mpf(float(stats.t.ppf(0.975, n - k)))
    mean = sum(w * y for w, y in zip(ws, ys)) / sum(ws)
    tss = sum(w * (y - mean) ** 2 for w, y in zip(ws, ys))
    out = {"rss": rss, "sigma": sqrt(rss / (n - k)), "r_squared": 1 - rss / tss}
    for i in range(k):
        v, se = theta[i], sqrt(cov[i, i])
        out["p%d" % i], out["se%d" % i] = v, se
        if kind == "power" and i == 1:
            d, odds = t * se / (v * (1 - v)), v / (1 - v)
            out["lo1"], out["hi1"] = odds * exp(-d) / (1 + odds * exp(-d)), odds * exp(d) / (1 + odds * exp(d))
        else:
            out["lo%d" % i], out["hi%d" % i] = v * exp(-t * se / v), v * exp(t * se / v)
    x0 = mpf(90)
    g = grad_f(x0, theta)
    var = sum(g[i] * cov[i, j] * g[j] for i in range(k) for j in range(k))
    r = f(x0, *theta)
    out["band_low"], out["band_high"] = r - t * sqrt(var), r + t * sqrt(var)
    return out

rows = []
for kind in curves:
    for name, (xs, ys, ws) in sets.items():
        if name == "bent" and kind != "hill" or name == "weighted" and kind == "hill":
            continue
        ws = ws or [1] * len(xs)
        args = {"%s%d" % (p, i): repr(v) for p, vs in (("x", xs), ("y", ys), ("w", ws)) for i, v in enumerate(vs)}
        args["n"] = len(xs)
        want = fit(kind, [mpf(str(x)) for x in xs], [mpf(str(y)) for y in ys], [mpf(str(w)) for w in ws])
        rows.append({"name": kind + "/" + name, "args": args, "want": {k: mp.nstr(v, 20) for k, v in want.items()}})
out = {"source": "scipy least_squares, polished to 30 digits by Newton's method in mpmath", "generator": "testdata/fits.py", "tolerance": 1e-8, "rows": rows}
with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "fits.json"), "w") as fh:
    json.dump(out, fh, indent=1)
    fh.write("\n")
