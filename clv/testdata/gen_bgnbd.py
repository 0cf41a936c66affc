"""Computes bgnbd.json: values of the BG/NBD model at random points of a wide box, with 40 digits.

Likelihood and P(alive) are the closed forms in arbitrary precision. Expected purchases and DERT integrate the model's
definition over the dropout probability p: given p, the gamma mixture over the rate is elementary (expected purchases)
or an incomplete gamma function (DERT). Expected purchases must agree with the closed form, which has more digits. Run: python3 gen_bgnbd.py > bgnbd.json (mpmath).
"""
import json
import random

from mpmath import mp, mpf, quad, gammainc, log, exp, loggamma, beta, expm1, hyp2f1, log1p

mp.dps = 40


def over_p(a, b, f, scale):
    """E[f(p)] for p ~ Beta(a, b); powers at both ends are substituted away, cuts follow the scale of f and b."""
    cuts = sorted({mpf(1) / 2, min(mpf(1) / 2, 1 / (1 + b)), min(mpf(1) / 2, scale), min(mpf(1) / 2, scale / 30),
                   min(mpf(1) / 2, 30 * scale), min(mpf(1) / 2, 8 / (1 + b)), min(mpf(1) / 2, a / (a + b))})
    mean, sd = a / (a + b), mp.sqrt(a * b / ((a + b) ** 2 * (a + b + 1)))
    cuts = sorted(set(cuts) | {min(mpf(1) / 2, mean + k * sd) for k in [-6 + j * mpf(1) / 2 for j in range(40)] + [20]
                                if mean + k * sd > 0})
    grid = sorted({mpf(0)} | set(cuts) | {c * mpf(10) ** -k for c in (cuts[0],) for k in (2, 4, 8)})
    u, v = min(a, mpf(1)), min(b, mpf(1))
    low = quad(lambda s: s ** ((a - u) / u) * exp((b - 1) * log1p(-s ** (1 / u))) * f(s ** (1 / u)), [g ** u for g in grid]) / u
    tops = sorted({mpf(0), (mpf(1) / 2) ** v} | {min(mpf(1) / 2, c / (1 + a)) ** v for c in (mpf(1) / 10, mpf(1), mpf(10))})
    high = quad(lambda s: s ** ((b - v) / v) * exp((a - 1) * log1p(-s ** (1 / v))) * f(1 - s ** (1 / v)), tops) / v
    return (low + high) / beta(a, b)


def likelihood(r, alpha, a, b, x, tx, T):
    base = loggamma(r + x) - loggamma(r) + r * log(alpha)
    alive = base + loggamma(a + b) + loggamma(b + x) - loggamma(b) - loggamma(a + b + x) - (r + x) * log(alpha + T)
    if x == 0:
        return alive, mpf(1)
    left = base + log(beta(a + 1, b + x - 1)) - log(beta(a, b)) - (r + x) * log(alpha + tx)
    ln = alive + log1p(exp(left - alive))
    return ln, exp(alive - ln)


def expected(r, a, b, y):
    value = over_p(a, b, lambda p: -expm1(-r * log1p(p * y)) / p, 1 / (y * (r + 1)))
    mp.dps = 60  # the closed form loses digits near a = 1 and where its two terms cancel
    try:
        closed = (a + b - 1) / (a - 1) * (1 - (1 + y) ** -r * hyp2f1(r, b, a + b - 1, y / (1 + y)))
    except mp.NoConvergence:
        closed = value
    mp.dps = 40
    assert abs(value / closed - 1) < mpf(10) ** -11, (r, a, b, y, value, closed)
    return closed


def dert(r, alpha, a, b, delta):
    s = delta * alpha

    def inner(p):
        q = s / p
        if q > 400:  # the asymptotic series of E[g/(q+g)]
            term, total = r / q, mpf(0)
            for k in range(1, 200):
                total += term
                term *= -(r + k) / q
                if abs(term) < abs(total) * mpf(10) ** -36:
                    break
            return total / p
        return r * q ** r * exp(q) * gammainc(-r, q) / p
    return over_p(a, b, inner, s / (r + 1))


def main():
    rng = random.Random(20050611)
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
        delta = float("%.6g" % (rng.choice([0.1, 1, 10]) / T))
        R, AL, A, B, TX, TT = map(mpf, (r, alpha, a, b, tx, T))
        ln, alive = likelihood(R, AL, A, B, x, TX, TT)
        want = {"ln_l": ln, "alive": alive}
        if alive > mpf(10) ** -250:
            want["expected"] = alive * expected(R + x, A, B + x, mpf(t) / (AL + TT))
            if R + x < 120:
                want["dert"] = alive * dert(R + x, AL + TT, A, B + x, mpf(delta))
        else:
            del want["alive"]
        args = dict(r=r, alpha=alpha, a=a, b=b, x=x, tx=tx, T=T, t=t, delta=delta)
        rows.append({"name": "point %d" % len(rows), "args": args, "want": {k: mp.nstr(v, 20) for k, v in want.items()}})
    print(json.dumps({"source": "definition of the model, 40 digits", "generator": "testdata/gen_bgnbd.py",
                      "tolerance": 1e-9, "rows": rows}, indent=1))


main()
