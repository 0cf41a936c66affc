"""Computes mbgnbd.json: values of the MBG/NBD model at random points of a wide box, with 30 digits.

The model's definition is integrated over the dropout probability p on the logit scale; given p, the gamma mixture over
the rate is elementary. The likelihood must agree with the closed form in beta functions, the expected purchases with
the one in Gauss's function where that converges. Run: python3 gen_mbgnbd.py > mbgnbd.json (mpmath).
"""
import json
import random

from mpmath import mp, mpf, log, exp, log1p, expm1, loggamma, hyp2f1

from mixture import integral, log_beta_density, softplus


def log_beta(a, b):
    return loggamma(a) + loggamma(b) - loggamma(a + b)


def likelihood(r, alpha, a, b, x, tx, T):
    """ln L and P(alive): sums over p of staying x+1 times and of staying x times and leaving."""
    w = log_beta_density(a, b)
    base = loggamma(r + x) - loggamma(r) + r * log(alpha)
    alive = base - (r + x) * log(alpha + T) + integral(lambda y: w(y) - (x + 1) * softplus(y))
    left = base - (r + x) * log(alpha + tx) + integral(lambda y: w(y) - x * softplus(y) - softplus(-y))
    closed = base - (r + x) * log(alpha + T) + log_beta(a, b + x + 1) - log_beta(a, b)
    assert abs(alive - closed) < mpf(10) ** -15 * (1 + abs(closed)), (alive, closed)
    ln = alive + log1p(exp(left - alive))
    return ln, exp(alive - ln)


def expected(r, a, b, y):
    """E[(1 - (1+p y)^-r)/p] over p, and its check."""
    w = log_beta_density(a, b)
    value = exp(integral(lambda u: w(u) + softplus(-u) + log(-expm1(-r * log1p(y * exp(-softplus(-u)))))))
    mp.dps = 70
    try:
        closed = (a + b - 1) / (a - 1) * (1 - (1 + y) ** -r * hyp2f1(r, b, a + b - 1, y / (1 + y)))
    except (mp.NoConvergence, ValueError):
        closed = value
    mp.dps = 30
    assert abs(value / closed - 1) < mpf(10) ** -15, (r, a, b, y, value, closed)
    return value


def main():
    rng = random.Random(20070903)
    log_uniform = lambda lo, hi: float("%.6g" % (lo * (hi / lo) ** rng.random()))
    rows = []
    while len(rows) < 200:
        r, a, b = (log_uniform(0.01, 50) for _ in range(3))
        rate = log_uniform(1e-4, 1e4)
        alpha = float("%.6g" % (r / rate))
        T = log_uniform(1, 1000)
        x = rng.choice([0, 0, 1, 2, 5, 20, 100, 500, 5000])
        tx = float("%.6g" % (T * rng.choice([rng.random(), 0.99, 0.05]))) if x else 0.0
        t = float("%.6g" % (T * rng.choice([0.01, 0.5, 1, 3])))
        R, AL, A, B, TX, TT = map(mpf, (r, alpha, a, b, tx, T))
        ln, alive = likelihood(R, AL, A, B, x, TX, TT)
        want = {"ln_l": ln}
        if alive > mpf(10) ** -250:
            want["alive"] = alive
            want["expected"] = alive * expected(R + x, A, B + x + 1, mpf(t) / (AL + TT))
        args = dict(r=r, alpha=alpha, a=a, b=b, x=x, tx=tx, T=T, t=t)
        rows.append({"name": "point %d" % len(rows), "args": args, "want": {k: mp.nstr(v, 20) for k, v in want.items()}})
    print(json.dumps({"source": "definition of the model, 30 digits", "generator": "testdata/gen_mbgnbd.py",
                      "tolerance": 1e-9, "rows": rows}, indent=1))


main()
