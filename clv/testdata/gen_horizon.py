"""Computes horizon_wide.json: purchases within a horizon, discounted, and for ever, over a wide box, with 30 digits.

The customers are new ones, whose P(alive) at 0 is 1, and the values come from the definitions of the models:

    Pareto/NBD       r/alpha  integral of e^(-delta u) (1+u/beta)^-s du
    PDO              r/alpha  integral of e^(-delta u) P(no departure at the opportunities until u) du
    BG/NBD           r/alpha  integral of e^(-delta u) 2F1(r+1, a; a+b; -u/alpha) du
    BG/CNBD-k        sum over n of B(a,b+n-1)/B(a,b) E[e^(-delta T_n); T_n <= horizon], T_n gamma with kn and lambda

Integrals go over the logarithm of the time, for BG/CNBD-k of lambda. Run: python3 gen_horizon.py > horizon_wide.json (mpmath).
"""
import json
import random
import sys

from mpmath import mp, mpf, exp, expm1, floor, fsum, hyp2f1, log, log1p, loggamma, quad, sqrt

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


def cnbd(q, t):
    """Given lambda E[e^(-delta T_n); T_n <= t] is f^(kn) P(kn, (lambda+delta) t), f being lambda/(lambda+delta)."""
    k = q["k"]
    r, alpha, a, b, delta = (mpf(q[k]) for k in ("r", "alpha", "a", "b", "delta"))
    step, total = mpf(1) / (4 + 2 * k), mpf(0)
    w = log((r + 12 * sqrt(r) + 45) / alpha)
    while True:
        rate = exp(w)
        density = exp(r * log(alpha * rate) - alpha * rate - loggamma(r))
        f, x = rate / (rate + delta), (rate + delta) * t
        term, tail, stay, power, given = exp(-x), -expm1(-x), mpf(1), mpf(1), mpf(0)
        m = 0
        while tail > mpf(10) ** -25:
            m += 1
            power *= f
            if m % k == 0:
                given += stay * power * tail
                stay *= (b + m // k - 1) / (a + b + m // k - 1)
            term *= x / m
            tail -= term
        total += density * given
        if w < log(r / alpha) and density * rate ** k * t ** k < mpf(10) ** -18 * total:
            return step * total
        w -= step


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
        elif kind == "bgcnbd":
            q = dict(k=rng.choice([2, 3, 5, 12]), r=log_uniform(2, 50), delta=log_uniform(1e-4, 5), horizon=log_uniform(1, 10),
                     a=log_uniform(0.05, 10), b=log_uniform(0.05, 10))
            q["alpha"] = float("%.6g" % (q["r"] / q["k"] / log_uniform(0.5, 4)))
            value = lambda t: cnbd(q, t)
        else:
            q.update(a=log_uniform(0.01, 50), b=log_uniform(0.01, 50))
            value = lambda t: bg(q, t)
        name = "%s %d" % (kind, i)
        print(name, file=sys.stderr, flush=True)
        yield {"name": name, "args": q, "want": {"discounted": mp.nstr(value(mpf(q["horizon"])), 20)}}
        i += 1


def main():
    rows = []
    for kind, many in (("paretonbd", 40), ("pdo", 25), ("bgnbd", 30), ("bgcnbd", 12)):
        if kind == "bgcnbd":
            rng.seed(20280311)  # the same rows without the others
        rows.extend(rows_of(kind, many))
    print(json.dumps({"source": "definition of the model, 30 digits", "generator": "testdata/gen_horizon.py",
                      "tolerance": 1e-9, "rows": rows}, indent=1))


main()
