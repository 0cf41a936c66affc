"""Computes nbd.json: values of the NBD model at random points of a wide box, with 30 digits.

The definition is integrated over the rate on the log scale and must agree with the closed form.
Run: python3 gen_nbd.py > nbd.json (mpmath).
"""
import json
import random

from mpmath import mp, mpf, log, exp, loggamma, factorial

from mixture import integral, log_gamma_density


def main():
    rng = random.Random(19590301)
    log_uniform = lambda lo, hi: float("%.6g" % (lo * (hi / lo) ** rng.random()))
    rows = []
    while len(rows) < 200:
        r, rate, T = log_uniform(0.01, 50), log_uniform(1e-4, 1e4), log_uniform(1, 1000)
        alpha = float("%.6g" % (r / rate))
        x = rng.choice([0, 0, 1, 2, 5, 20, 100, 500, 5000])
        t = float("%.6g" % (T * rng.choice([0.01, 0.5, 1, 3])))
        n = rng.choice([0, 1, 3, 30, 200])
        w = log_gamma_density(mpf(r), mpf(alpha))
        ln = integral(lambda y: w(y) + x * y - exp(y) * T)
        closed = loggamma(mpf(r) + x) - loggamma(mpf(r)) + mpf(r) * log(mpf(alpha)) - (mpf(r) + x) * log(mpf(alpha) + T)
        assert abs(ln - closed) < mpf(10) ** -15 * (1 + abs(ln)), (ln, closed)
        more = integral(lambda y: w(y) + (x + 1) * y - exp(y) * T)
        count = integral(lambda y: w(y) + n * y - exp(y) * mpf(t)) + n * log(mpf(t)) - log(factorial(n))
        want = {"ln_l": ln, "alive": mpf(1), "expected": mpf(t) * exp(more - ln)}
        if count > -600:
            want["pmf"] = exp(count)
        rows.append({"name": "point %d" % len(rows), "args": dict(r=r, alpha=alpha, x=x, tx=T / 2 if x else 0.0, T=T, t=t, n=n),
                     "want": {k: mp.nstr(v, 20) for k, v in want.items()}})
    print(json.dumps({"source": "definition of the model, 30 digits", "generator": "testdata/gen_nbd.py",
                      "tolerance": 1e-12, "rows": rows}, indent=1))


main()
