"""Computes paretonbd.json: values of the Pareto/NBD model at random points of a wide box, with 30 digits.

The model's definition is integrated over the lifetime on a logarithmic scale; given the lifetime the mixture over the
rate of purchase is elementary. The dropout part of the likelihood must agree with the closed form in hypergeometric
functions where those converge, the expected purchases with their closed form, the distribution with its sum over both
cases. Run: python3 gen_paretonbd.py > paretonbd.json (mpmath).
"""
import json
import random

from mpmath import mp, mpf, log, exp, log1p, expm1, loggamma, hyp2f1

from mixture import integral, softplus


def interval(f, length):
    """The log of the integral of exp(f(u)) over 0 < u < length, by u = length/(1+e^-y); rest = length-u is exact."""
    def g(y):
        u, rest = length * exp(-softplus(-y)), length * exp(-softplus(y))
        return f(u, rest) + log(length) - softplus(y) - softplus(-y)
    return integral(g)


def likelihood(r, alpha, s, beta, x, tx, T):
    n = r + x
    base = loggamma(n) - loggamma(r) + r * log(alpha) + s * log(beta)
    alive = -n * log(alpha + T) - s * log(beta + T)
    left = log(s) + interval(lambda u, _: -n * log(alpha + tx + u) - (s + 1) * log(beta + tx + u), T - tx)
    # The closed form; it cancels, so it has twice the digits, and it is left out where its series are long.
    mp.dps = 60
    m, b = (alpha, s + 1) if alpha >= beta else (beta, n)
    if abs(alpha - beta) / (m + tx) < mpf(6) / 10 and x <= 100:
        def part(y):
            return hyp2f1(n + s, b, n + s + 1, abs(alpha - beta) / (m + y)) / (m + y) ** (n + s)
        closed = part(tx) - part(T)
        if closed > part(tx) * mpf(10) ** -40:
            closed = log(s / (n + s) * closed)
            assert abs(left - closed) < mpf(10) ** -14 * (1 + abs(closed)), (r, alpha, s, beta, x, tx, T, left, closed)
    mp.dps = 30
    top = max(alive, left)
    ln = top + log(exp(alive - top) + exp(left - top))
    return base + ln, exp(alive - ln)


def future(s, beta, t, delta):
    """The integrals of the survival (beta/(beta+u))^s to t, and for ever with the discount."""
    value = exp(interval(lambda u, _: -s * log1p(u / beta), t))
    closed = beta * log1p(t / beta) if s == 1 else beta * -expm1((1 - s) * log1p(t / beta)) / (s - 1)
    assert abs(value / closed - 1) < mpf(10) ** -15
    discounted = integral(lambda y: y - s * log1p(exp(y) / beta) - delta * exp(y))
    return value, exp(discounted)


def pmf(r, alpha, s, beta, n, t):
    """P(n purchases in (0, t]): alive at t, or left before."""
    count = loggamma(r + n) - loggamma(r) - loggamma(n + 1)

    def nb(at):
        return count - r * log1p(at / alpha) - n * log1p(alpha / at)
    left = interval(lambda u, _: nb(u) + log(s / beta) - (s + 1) * log1p(u / beta), t)
    return exp(nb(t) - s * log1p(t / beta)) + exp(left)


def main():
    rng = random.Random(19870101)
    log_uniform = lambda lo, hi: float("%.6g" % (lo * (hi / lo) ** rng.random()))
    rows = []
    while len(rows) < 200:
        r, s = log_uniform(0.01, 50), rng.choice([log_uniform(0.01, 50), log_uniform(0.01, 50), log_uniform(0.01, 50), 1.0, 2.0, 15.0, 30.0])
        rate, out = log_uniform(1e-4, 1e4), log_uniform(1e-4, 1e4)
        alpha, beta = float("%.6g" % (r / rate)), float("%.6g" % (s / out))
        T = log_uniform(1, 1000)
        x = rng.choice([0, 0, 1, 2, 5, 20, 100, 500, 5000])
        tx = float("%.6g" % (T * rng.choice([rng.random(), 0.99, 0.05]))) if x else 0.0
        t = float("%.6g" % (T * rng.choice([0.01, 0.5, 1, 3])))
        delta = float("%.6g" % (rng.choice([0.1, 1, 10]) / T))
        n = rng.choice([0, 1, 3, 30, 300])
        R, AL, S, BE, TX, TT = map(mpf, (r, alpha, s, beta, tx, T))
        ln, alive = likelihood(R, AL, S, BE, x, TX, TT)
        want = {"ln_l": ln}
        if alive > mpf(10) ** -250:
            plain, discounted = future(S, BE + TT, mpf(t), mpf(delta))
            want["alive"] = alive
            want["expected"] = alive * (R + x) / (AL + TT) * plain
            want["dert"] = alive * (R + x) / (AL + TT) * discounted
        p = pmf(R, AL, S, BE, n, mpf(t))
        if p > mpf(10) ** -250:
            want["pmf"] = p
        args = dict(r=r, alpha=alpha, s=s, beta=beta, x=x, tx=tx, T=T, t=t, delta=delta, n=n)
        rows.append({"name": "point %d" % len(rows), "args": args, "want": {k: mp.nstr(v, 20) for k, v in want.items()}})
    print(json.dumps({"source": "definition of the model, 30 digits", "generator": "testdata/gen_paretonbd.py",
                      "tolerance": 1e-9, "rows": rows}, indent=1))


if __name__ == "__main__":
    main()
