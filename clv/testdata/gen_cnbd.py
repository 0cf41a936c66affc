"""Computes bgcnbd.json and mbgcnbd.json: values of the BG/CNBD-k and MBG/CNBD-k models at random points of a wide box.

Likelihood and P(alive) integrate the definition over the rate of the phases, with the Erlang survival of the time since
the last purchase. Expected purchases integrate over the dropout probability p: given p, the number of phases is negative
binomial and the integer part of its k-th is resolved by roots of unity, E[q^floor((N+j)/k)] being a sum over them; short
cases must agree with the plain sum over N. DERT integrates over the rate, the sum over purchases being Gauss's function.
30 digits. Run: python3 gen_cnbd.py bg > bgcnbd.json; python3 gen_cnbd.py mbg > mbgcnbd.json (mpmath).
"""
import json
import random
import sys

from mpmath import mp, mpf, mpc, log, exp, log1p, expm1, loggamma, hyp2f1, pi, expj, factorial

from mixture import integral, log_beta_density, log_gamma_density, softplus


def log_beta(a, b):
    return loggamma(a) + loggamma(b) - loggamma(a + b)


def likelihood(k, r, alpha, a, b, x, tx, T, gaps, n):
    """ln L and P(alive); n opportunities to leave."""
    w = log_gamma_density(r, alpha)
    idle = T - tx

    def erlang(u):
        return log(sum(u ** j / factorial(j) for j in range(k))) - u
    norm = (k - 1) * gaps - x * loggamma(mpf(k))
    alive = norm + integral(lambda y: w(y) + k * x * y - exp(y) * tx + erlang(exp(y) * idle)) + log_beta(a, b + n) - log_beta(a, b)
    if n == 0:
        return alive, mpf(1)
    left = norm + integral(lambda y: w(y) + k * x * y - exp(y) * tx) + log_beta(a + 1, b + n - 1) - log_beta(a, b)
    ln = max(alive, left)
    ln += log(exp(alive - ln) + exp(left - ln))
    return ln, exp(alive - ln)


def weights(k, shape, ratio):
    w = [mpf(1)]
    for j in range(1, k):
        w.append(w[-1] * (shape + j - 1) / j * ratio)
    total = sum(w)
    return [v / total for v in w]


def expected(k, shape, a, b, y, w):
    """E over p and j of (1 - (1-p)^floor((N+j)/k))/p, N negative binomial with shape+j in the time y."""
    small = mpf(10) ** -20 / (1 + y * (1 + shape))
    digits = 60 + int(k * max(0, -mp.log10(y)))  # the sum over roots cancels

    def given(p, minus):
        """minus is ln(1-p)."""
        q = exp(minus / k)
        total = mpf(0)
        for l in range(k // 2 + 1):
            root = expj(2 * pi * l / k) if l else mpf(1)
            base = log(1 + y * (1 - q * root))
            times = 1 if l == 0 or 2 * l == k else 2
            ends = (exp(-minus) - 1) / (1 / (q * root) - 1)
            term = exp(-shape * base) * ends / k
            ratio = q * root * exp(-base)
            for j in range(k):
                total += w[j] * times * (term.real if l else term)
                term *= ratio
        return (sum(w) - total) / p

    def g(v):
        mp.dps = digits
        minus = -softplus(v)
        p = exp(-softplus(-v))
        if p < small:
            p, minus = small, log1p(-small)
        minus = max(minus, mpf(-55))  # nothing changes for p even nearer to 1
        value = given(p, minus)
        mp.dps = 30
        return value
    density = log_beta_density(a, b)
    cap = k / (k + y * (k + shape))
    value = exp(integral(lambda v: density(v) + log(g(v)), lambda v: density(v) - log(cap + exp(-softplus(-v))), 14))
    if (shape + k) * y < 60 and y < 3:
        plain = mpf(0)
        z = y / (1 + y)
        for j in range(k):
            term = (1 + y) ** -(shape + j)
            inner, weight, n = mpf(0), mpf(1), 0
            for i in range(700):
                if i and (i + j) % k == 0:
                    inner += weight
                    n += 1
                    weight *= (b + n - 1) / (a + b + n - 1)
                plain += w[j] * term * inner
                term *= (shape + j + i) / (i + 1) * z
        assert abs(value / plain - 1) < mpf(10) ** -12, (k, shape, a, b, y, value, plain)
    return value


def dert(k, shape, rate, a, b, delta, w):
    total = mpf(0)
    for j in range(k):
        density = log_gamma_density(shape + j, rate)

        def f(y):
            phase = -log1p(delta * exp(-y))
            return density(y) + (k - j) * phase + log(hyp2f1(1, b, a + b, exp(k * phase), zeroprec=200))
        total += w[j] * exp(integral(f, lambda y: density(y) + (k - j) * -log1p(delta * exp(-y)), 14))
    return total


def main():
    first = 1 if sys.argv[1] == "mbg" else 0
    rng = random.Random(20200909 + first)
    log_uniform = lambda lo, hi: float("%.6g" % (lo * (hi / lo) ** rng.random()))
    rows = []
    while len(rows) < 200:
        k = rng.choice([1, 2, 2, 3, 4, 6])
        r, a, b = (log_uniform(0.01, 50) for _ in range(3))
        rate = log_uniform(1e-4, 1e4)
        alpha = float("%.6g" % (r / rate))
        T = log_uniform(1, 1000)
        x = rng.choice([0, 0, 1, 2, 5, 20, 100, 500, 5000])
        tx = float("%.6g" % (T * rng.choice([rng.random(), 0.99, 0.05]))) if x else 0.0
        gaps = float("%.6g" % (x * (float(log(mpf(tx) / x)) - 0.3 * rng.random()))) if x else 0.0
        t = float("%.6g" % (T * rng.choice([0.01, 0.5, 1, 3])))
        delta = float("%.6g" % (rng.choice([0.1, 1, 10]) / T))
        R, AL, A, B, TX, TT = map(mpf, (r, alpha, a, b, tx, T))
        ln, alive = likelihood(k, R, AL, A, B, x, TX, TT, mpf(gaps), x + first)
        want = {"ln_l": ln}
        if alive > mpf(10) ** -250:
            shape, later = R + k * x, B + x + first
            w = weights(k, shape, (TT - TX) / (AL + TT))
            want["alive"] = alive
            want["expected"] = alive * expected(k, shape, A, later, mpf(t) / (AL + TT), w)
            if len(rows) % 8 == 0 and shape < 100:
                try:
                    want["dert"] = alive * dert(k, shape, AL + TT, A, later, mpf(delta), w)
                except (mp.NoConvergence, ValueError):
                    pass
        args = dict(k=k, r=r, alpha=alpha, a=a, b=b, x=x, tx=tx, T=T, gaps=gaps, t=t, delta=delta)
        rows.append({"name": "point %d" % len(rows), "args": args, "want": {n: mp.nstr(v, 20) for n, v in want.items()}})
        print(len(rows), args, file=sys.stderr, flush=True)
    print(json.dumps({"source": "definition of the model, 30 digits", "generator": "testdata/gen_cnbd.py",
                      "tolerance": 1e-9, "rows": rows}, indent=1))


main()
