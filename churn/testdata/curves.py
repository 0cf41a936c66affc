"""Computes curves.json: survival, retention and discounted lifetimes of the retention curves with 30 digits.

Run with python3 and mpmath: python3 testdata/curves.py > testdata/curves.json
Sums with d > 0 are added up term by term until the rest is below 1e-18; those with d = 0 use Euler-Maclaurin
summation from term 400 on, with the integral (in ln t, to e^90 times the first term) and derivatives by mpmath.
"""
import json
from mpmath import mp, mpf, beta, exp, log, quad, diff, inf, bernoulli, factorial

mp.dps = 30


def sbg(a, b):
    return lambda t: beta(a, b + t) / beta(a, b)


def bdw(g, d, c):
    return lambda t: beta(g, d + mpf(t) ** c) / beta(g, d)


def dw(theta, c):
    return lambda t: (1 - theta) ** (mpf(t) ** c)


def latent(p, t1, t2):
    return lambda t: p * (1 - t1) ** t + (1 - p) * (1 - t2) ** t


def derl(s, n, d):
    base = s(mpf(n)) if n else mpf(1)
    if d > 0:
        total, t, v = mpf(0), n + 1, 1 / (1 + d)
        while True:
            f = s(mpf(t)) / base * v ** (t - n - 1)
            total += f
            if f / d < mpf(10) ** -18 * total:
                return total
            t += 1
    head = sum(s(mpf(t)) for t in range(n + 1, n + 400))
    m = mpf(n + 400)
    tail = quad(lambda u: s(exp(u)) * exp(u), [log(m) + k for k in range(0, 100, 10)]) + s(m) / 2
    for k in range(1, 6):
        tail -= bernoulli(2 * k) / factorial(2 * k) * diff(s, m, 2 * k - 1)
    return (head + tail) / base


rows = []


def add(kind, args, s, points, sums):
    for t in points:
        want = {"survival": str(s(mpf(t)) if t else mpf(1))}
        if t == int(t) and t >= 1:
            before = s(mpf(t - 1)) if t > 1 else mpf(1)
            want["retention"] = str(s(mpf(t)) / before)
            want["pmf"] = str(before - s(mpf(t)))
        rows.append({"name": f"{kind} {args} t={t}", "args": {**args, "t": t}, "want": want})
    for n, d in sums:
        rows.append({"name": f"{kind} {args} n={n} rate={d}", "args": {**args, "n": n, "rate": str(d)}, "want": {"derl": str(derl(s, n, mpf(str(d))))}})


m = mpf
sums = [(0, "0.1"), (3, "0.02"), (40, "0.2"), (1, "0.01")]
for a, b in [("0.668", "3.806"), ("0.05", "0.3"), ("120", "3000"), ("2.5", "0.7")]:
    add("sbg", {"a": a, "b": b}, sbg(m(a), m(b)), [0, 0.5, 1, 2, 12, 400], sums + ([(0, 0), (7, 0)] if m(a) > 2 else []))
for g, d, c in [("0.456", "0.779", "1.283"), ("0.259", "1.7226", "1.584"), ("3", "40", "0.7"), ("2.5", "5", "1.6"), ("0.3", "0.4", "0.5")]:
    add("bdw", {"gamma": g, "delta": d, "c": c}, bdw(m(g), m(d), m(c)), [0, 0.5, 1, 2, 12, 400], sums + ([(0, 0), (7, 0)] if m(g) * m(c) > 2 else []))
for th, c in [("0.3", "0.6"), ("0.05", "1.4"), ("0.001", "1"), ("0.9", "0.3")]:
    add("dw", {"theta": th, "c": c}, dw(m(th), m(c)), [0, 0.5, 1, 2, 12, 40], sums)
for p, t1, t2 in [("0.3333", "0.1", "0.5"), ("0.01", "0.001", "0.9")]:
    add("latent", {"p": p, "t1": t1, "t2": t2}, latent(m(p), m(t1), m(t2)), [0, 0.5, 1, 2, 12, 40], sums)

print(json.dumps({"source": "definitions of the curves summed with 30 digits by mpmath", "generator": "testdata/curves.py",
                  "tolerance": 1e-12, "rows": rows}, indent=0))
