"""Computes horizon_wide.json: purchases within a horizon, discounted, and for ever, over a wide box, with 30 digits.

The customers are new ones, whose P(alive) at 0 is 1, and the values come from the definitions of the models:

    Pareto/NBD       r/alpha  integral of e^(-delta u) (1+u/beta)^-s du
    PDO              r/alpha  integral of e^(-delta u) P(no departure at the opportunities until u) du
    BG/NBD           r/alpha  integral of e^(-delta u) 2F1(r+1, a; a+b; -u/alpha) du

Integrals go over the logarithm of the time. Run: python3 gen_horizon.py > horizon_wide.json (mpmath).
"""
import json
import random
import sys

from mpmath import mp, mpf, exp, expm1, floor, fsum, hyp2f1, log, log1p, quad

mp.dps = 30
rng = random.Random(20280311)


def log_uniform(lo, hi):
    return float("%.6g" % (lo * (hi / lo) ** rng.random()))


def along(f, t, delta, scale):
    """The integral of f from 0 to t over ln u, in pieces short against all scales, up to where e^(-delta u) ends it."""
    t = min(t, 90 / delta)
    low = min(t, scale, 1 / delta) * mpf(10) ** -22
    g = lambda w: exp(w) * f(exp(w))
    pieces = max(8, int((log(t) - log(low)) / 1.5) + 1)
    step = (log(t) - log(low)) / pieces
    return low * f(mpf(0)) + fsum(quad(g, [log(low) + i * step, log(low) + (i + 1) * step]) for i in range(pieces))


def pareto(q, t):
    s, beta, delta = mpf(q["s"]), mpf(q["beta"]), mpf(q["delta"])
    return mpf(q["r"]) / mpf(q["alpha"]) * along(lambda u: exp(-delta * u - s * log1p(u / beta)), t, delta, beta / (1 + s))


def bg(q, t):
    r, alpha, a, b, delta = (mpf(q[k]) for k in ("r", "alpha", "a", "b", "delta"))
    with mp.workdps(22):
        return r / alpha * along(lambda u: exp(-delta * u) * hyp2f1(r + 1, a, a + b, -u / alpha), t, delta, alpha / (1 + r))


def pdo(q, t):
    a, b, P, delta = (mpf(q[k]) for k in ("a", "b", "period", "delta"))
    k = int(floor(min(t, 90 / delta) / P))
    sum_, stays = mpf(0), mpf(1)
    for j in range(k + 1):
        length = min(P, t - j * P)
        sum_ += stays * exp(-delta * j * P) * -expm1(-delta * length) / delta
        stays *= (b + j) / (a + b + j)
    return mpf(q["r"]) / mpf(q["alpha"]) * sum_


def rows_of(kind, many):
    i = 0
    while i < many:
        q = dict(r=log_uniform(0.01, 50), alpha=log_uniform(0.01, 1000), delta=log_uniform(1e-8, 1e4), horizon=log_uniform(1e-6, 1e6))
        if kind == "paretonbd":
            q.update(s=log_uniform(0.01, 50), beta=log_uniform(1e-3, 1e4))
            value = lambda t: pareto(q, t)
        elif kind == "pdo":
            q.update(a=log_uniform(0.01, 50), b=log_uniform(0.01, 50), period=log_uniform(1e-3, 100))
            if min(q["horizon"], 90 / q["delta"]) / q["period"] > 2e5:
                continue
            value = lambda t: pdo(q, t)
        else:
            q.update(a=log_uniform(0.01, 50), b=log_uniform(0.01, 50))
            value = lambda t: bg(q, t)
        name = "%s %d" % (kind, i)
        print(name, file=sys.stderr, flush=True)
        yield {"name": name, "args": q, "want": {"discounted": mp.nstr(value(mpf(q["horizon"])), 20)}}
        i += 1


def main():
    rows = []
    for kind, many in (("paretonbd", 40), ("pdo", 25), ("bgnbd", 30)):
        rows.extend(rows_of(kind, many))
    print(json.dumps({"source": "definition of the model, 30 digits", "generator": "testdata/gen_horizon.py",
                      "tolerance": 1e-9, "rows": rows}, indent=1))


main()
