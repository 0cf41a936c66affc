"""Computes ggompertz.json: values of the gamma-Gompertz/NBD model at random points of a wide box, with 30 digits.

The model's definition is integrated over the lifetime; given the lifetime the mixture over the rate of purchase is
elementary. The range is cut where the integrand has a valley, so that each piece has one peak. The survival of the
lifetime is that of the mixture over eta, which is checked against its integral at each point.
Run: python3 gen_ggompertz.py > ggompertz.json (mpmath).
"""
import json
import random

from mpmath import mp, mpf, log, exp, log1p, expm1, loggamma

from mixture import integral, log_gamma_density, softplus


def interval(f, length):
    """The log of the integral of exp(f(u)) over 0 < u < length, by u = length/(1+e^-y)."""
    def g(y):
        return f(length * exp(-softplus(-y))) + log(length) - softplus(y) - softplus(-y)
    return integral(g)


def pieces(f, length):
    """As interval, over the pieces between the valleys of f seen on a grid."""
    grid = sorted([length * mpf(10) ** (-mpf(k) / 12) for k in range(1, 160)] + [length * k / 300 for k in range(1, 300)])
    values = [f(u) for u in grid]
    cuts = [mpf(0)] + [grid[i] for i in range(1, len(grid) - 1) if values[i] < values[i - 1] and values[i] <= values[i + 1]] + [length]
    parts = [interval(lambda u, a=a: f(a + u), b - a) for a, b in zip(cuts, cuts[1:])]
    top = max(parts)
    return top + log(mp.fsum(exp(p - top) for p in parts))


def log_alive(b, s, beta, u):
    return s * (log(beta) - log(beta - 1 + exp(b * u)))


def log_leaves(b, s, beta, u):
    return log(b * s) + b * u + log_alive(b, s, beta, u) - log(beta - 1 + exp(b * u))


def likelihood(r, alpha, b, s, beta, x, tx, T):
    n = r + x
    base = loggamma(n) - loggamma(r) + r * log(alpha)
    alive = -n * log(alpha + T) + log_alive(b, s, beta, T)
    left = pieces(lambda u: -n * log(alpha + tx + u) + log_leaves(b, s, beta, tx + u), T - tx)
    top = max(alive, left)
    ln = top + log(exp(alive - top) + exp(left - top))
    return base + ln, exp(alive - ln)


def pmf(r, alpha, b, s, beta, n, t):
    count = loggamma(r + n) - loggamma(r) - loggamma(n + 1)

    def nb(at):
        return count - r * log1p(at / alpha) - n * log1p(alpha / at)
    left = pieces(lambda u: nb(u) + log_leaves(b, s, beta, u), t)
    return exp(nb(t) + log_alive(b, s, beta, t)) + exp(left)


def main():
    rng = random.Random(20120501)
    log_uniform = lambda lo, hi: float("%.6g" % (lo * (hi / lo) ** rng.random()))
    rows = []
    while len(rows) < 200:
        r, s = log_uniform(0.01, 50), rng.choice([log_uniform(0.01, 50), log_uniform(0.01, 50), 1.0, 15.0])
        rate = log_uniform(1e-4, 1e4)
        alpha = float("%.6g" % (r / rate))
        T = log_uniform(1, 1000)
        b = float("%.6g" % (log_uniform(1e-4, 1e3) / T))
        beta = rng.choice([log_uniform(1e-4, 1), log_uniform(1, 1e6), log_uniform(0.1, 10)])
        x = rng.choice([0, 0, 1, 2, 5, 20, 100, 500, 5000])
        tx = float("%.6g" % (T * rng.choice([rng.random(), 0.99, 0.05]))) if x else 0.0
        t = float("%.6g" % (T * rng.choice([0.01, 0.5, 1, 3])))
        delta = float("%.6g" % (rng.choice([0.1, 1, 10]) / T))
        n = rng.choice([0, 1, 3, 30, 300])
        R, AL, B, S, BE, TX, TT, TI, D = map(mpf, (r, alpha, b, s, beta, tx, T, t, delta))
        if len(rows) % 20 == 0:
            density, growth = log_gamma_density(S, BE), expm1(B * TI)
            direct = integral(lambda y: density(y) - exp(y) * growth)
            assert abs(direct - log_alive(B, S, BE, TI)) < mpf(10) ** -14 * (1 + abs(direct)), (b, s, beta, t)
        ln, alive = likelihood(R, AL, B, S, BE, x, TX, TT)
        want = {"ln_l": ln}
        if alive > mpf(10) ** -250:
            now = log_alive(B, S, BE, TT)
            want["alive"] = alive
            want["expected"] = alive * (R + x) / (AL + TT) * exp(interval(lambda u: log_alive(B, S, BE, TT + u) - now, TI))
            want["dert"] = alive * (R + x) / (AL + TT) * exp(integral(lambda y: y - D * exp(y) + log_alive(B, S, BE, TT + exp(y)) - now))
        p = pmf(R, AL, B, S, BE, n, TI)
        if p > mpf(10) ** -250:
            want["pmf"] = p
        args = dict(r=r, alpha=alpha, b=b, s=s, beta=beta, x=x, tx=tx, T=T, t=t, delta=delta, n=n)
        rows.append({"name": "point %d" % len(rows), "args": args, "want": {k: mp.nstr(v, 20) for k, v in want.items()}})
    print(json.dumps({"source": "definition of the model, 30 digits", "generator": "testdata/gen_ggompertz.py",
                      "tolerance": 1e-9, "rows": rows}, indent=1))


if __name__ == "__main__":
    main()
