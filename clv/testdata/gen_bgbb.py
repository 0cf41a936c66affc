"""Computes bgbb.json: values of the BG/BB model at random points of a wide box, with 50 digits.

The likelihood is the paper's equation 6 term by term, by gamma functions for short histories and by the ratios of the
terms for long ones; for short ones it must also agree with the double integral over p and theta of the definition.
Expected purchases are the sum over the opportunities, which must agree with the closed form of equation 13, and DERT
the closed form of equation 14 in Gauss's function. Run: python3 gen_bgbb.py > bgbb.json (mpmath).
"""
import json
import random

from mpmath import mp, mpf, beta, binomial, gamma as G, hyp2f1, log, quad, mpf as F

mp.dps = 50


def terms(a, b, c, d, x, tx, n):
    """The part of those who left before opportunity k+1, for k from tx to n-1, and the part of the living."""
    out = []
    base = beta(a, b) * beta(c, d)
    term = beta(a + x, b + tx - x) * beta(c + 1, d + tx) / base
    for k in range(tx, n):
        out.append(term)
        term *= (b + k - x) / (a + b + k) * (d + k) / (c + d + k + 1)
    living = beta(a + x, b + n - x) * beta(c, d + n) / base
    if n <= 60:
        direct = [beta(a + x, b + k - x) * beta(c + 1, d + k) / base for k in range(tx, n)]
        assert all(abs(u / v - 1) < mpf(10) ** -40 for u, v in zip(out, direct))
    return out, living


def by_definition(a, b, c, d, x, tx, n):
    """The double integral, for shapes of at least 1."""
    def given(p, q):
        return sum((p ** x * (1 - p) ** (k - x) * q * (1 - q) ** k for k in range(tx, n)), p ** x * (1 - p) ** (n - x) * (1 - q) ** n)
    mp.dps = 15
    value = quad(lambda p: quad(lambda q: given(p, q) * p ** (a - 1) * (1 - p) ** (b - 1) * q ** (c - 1) * (1 - q) ** (d - 1), [0, 1]), [0, 1])
    mp.dps = 50
    return value / (beta(a, b) * beta(c, d))


def pmf(a, b, c, d, x, n):
    if x > n:
        return mpf(0)
    base = beta(a, b) * beta(c, d)
    total = binomial(n, x) * beta(a + x, b + n - x) * beta(c, d + n) / base
    term = beta(a + x, b) * beta(c + 1, d + x) / base
    for i in range(x, n):
        total += term
        term *= F(i + 1) / (i + 1 - x) * (b + i - x) / (a + b + i) * (d + i) / (c + d + i + 1)
    return total


def main():
    rng = random.Random(20101101)
    log_uniform = lambda lo, hi: float("%.6g" % (lo * (hi / lo) ** rng.random()))
    rows = []
    checked = 0
    while len(rows) < 200:
        a, b, d = (log_uniform(0.01, 50) for _ in range(3))
        c = rng.choice([log_uniform(0.01, 50), log_uniform(0.01, 50), log_uniform(0.01, 50), 1.0, 1.0 + 1e-7, 2.0])
        if rng.random() < 0.05:
            a = b = c = d = 1000.0
        if rng.random() < 0.05:
            c = 500.0
        n = rng.choice([1, 3, 6, 6, 20, 104, 600, 5000])
        tx = rng.choice([0, 1, n // 2, rng.randint(0, n), n])
        x = rng.choice([1, tx, rng.randint(1, tx)]) if tx else 0
        ahead = rng.choice([1, 5, 52, 5000, 20000])
        rate = rng.choice([0.0, 1e-6, 0.002, 0.1, 2.0])
        m, size = rng.choice([0, 1, 3, 40, 700]), rng.choice([1, 6, 40, 1000])
        A, B, C, D = map(mpf, (a, b, c, d))
        left, living = terms(A, B, C, D, x, tx, n)
        L = mp.fsum(left) + living
        if n <= 6 and min(a, b, c, d) >= 1 and max(a, b, c, d) < 60 and checked < 4:
            assert abs(by_definition(A, B, C, D, x, tx, n) / L - 1) < 1e-9, (a, b, c, d, x, tx, n)
            checked += 1
        want = {"ln_l": log(L)}
        if living / L > mpf(10) ** -250:
            want["alive"] = living / L * (D + n) / (C + D + n)
            share, term = mpf(0), mpf(1)
            for j in range(ahead):
                term *= (D + n + j) / (C + D + n + j)
                share += term
            if c != 1.0:
                e = D + n
                closed = e / (C - 1) * (1 - mp.gammaprod([e + 1 + ahead, C + e], [e + 1, C + e + ahead]))
                assert abs(closed / share - 1) < mpf(10) ** -25, (c, d, n, ahead)
            want["expected"] = living / L * (A + x) / (A + B + n) * share
            if rate > 0:
                z = 1 / (1 + mpf(rate))
                want["dert"] = (beta(A + x + 1, B + n - x) / beta(A, B) * beta(C, D + n + 1) / beta(C, D) * z *
                                hyp2f1(1, D + n + 1, C + D + n + 1, z) / L)
            elif c > 1:
                want["dert"] = living / L * (A + x) / (A + B + n) * (D + n) / (C - 1)
        p = pmf(A, B, C, D, m, size)
        if p > mpf(10) ** -250:
            want["pmf"] = p
        args = dict(alpha=a, beta=b, gamma=c, delta=d, x=x, tx=tx, n=n, ahead=ahead, d=rate, m=m, size=size)
        rows.append({"name": "point %d" % len(rows), "args": args, "want": {k: mp.nstr(v, 20) for k, v in want.items()}})
    print(json.dumps({"source": "definition of the model, 50 digits", "generator": "testdata/gen_bgbb.py",
                      "tolerance": 1e-9, "rows": rows}, indent=1))


main()
