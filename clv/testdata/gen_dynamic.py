"""Computes dynamic.json: values of the Pareto/NBD model with covariates that change with time, at random points of a wide
box of parameters, paths and histories, with 30 digits.

The model's definition is integrated over the lifetime piece by piece, each piece by Gauss's rule of 48 points that is
halved until it agrees with its halves to 20 digits of the whole. Given the lifetime the mixture over the rate of purchase
is elementary. On a path of one piece the likelihood must agree with the same integral on a logarithmic scale of the
lifetime by another rule, and the expected purchases with their closed form.

Files of golden values hold numbers only, so a path is given by a seed: both sides draw it from the same linear
congruential generator, whose numbers, and what is computed from them, are exact or rounded once.
Run: python3 gen_dynamic.py > dynamic.json (mpmath).
"""
import bisect
import json
import random

from mpmath import mp, mpf, log, exp, log1p, expm1, loggamma
from mpmath.calculus.quadrature import GaussLegendre

from mixture import integral, softplus

NODES = [(mpf(x), mpf(w)) for x, w in GaussLegendre(mp).calc_nodes(5, mp.prec + 20)]


def path(seed, pieces, step):
    """Starts of pieces of 1/2 to 3/2 steps and two covariates between -1 and 1 on each, as floats."""
    def draw():
        nonlocal seed
        seed = (seed * 1103515245 + 12345) % 2**31
        return seed / 2**31
    starts, rows, at = [], [], 0.0
    for _ in range(pieces):
        starts.append(at)
        rows.append((2 * draw() - 1, 2 * draw() - 1))
        at += step * (0.5 + draw())
    return starts, rows


class Along:
    """The factors of the rates on the pieces of a path, the last of which goes on for ever, and their integrals."""

    def __init__(self, starts, rows, buy, leave):
        self.starts = [mpf(v) for v in starts]
        self.logs = [mpf(leave[0]) * mpf(a) + mpf(leave[1]) * mpf(b) for a, b in rows]
        self.buy = [exp(mpf(buy[0]) * mpf(a) + mpf(buy[1]) * mpf(b)) for a, b in rows]
        self.leave = [exp(v) for v in self.logs]
        self.sums = [(mpf(0), mpf(0))]
        for k in range(1, len(starts)):
            d = self.starts[k] - self.starts[k - 1]
            a, b = self.sums[-1]
            self.sums.append((a + self.buy[k - 1] * d, b + self.leave[k - 1] * d))

    def at(self, t):
        """A(t) and B(t)."""
        k = bisect.bisect_right(self.starts, t) - 1
        a, b = self.sums[k]
        return a + self.buy[k] * (t - self.starts[k]), b + self.leave[k] * (t - self.starts[k])

    def pieces(self, lo, hi):
        for k, start in enumerate(self.starts):
            a = max(lo, start)
            b = min(hi, self.starts[k + 1]) if k + 1 < len(self.starts) else hi
            if a < b:
                yield k, a, b

    def integrate(self, f, lo, hi):
        """The log of the integral of exp(f(k, u, A(u), B(u))) over lo < u < hi."""
        top = max([f(k, u, *self.at(u)) for k, a, b in self.pieces(lo, hi) for u in (a + (b - a) * mpf("1e-9"), (a + b) / 2)])

        def rule(g, a, b):
            mid, half = (a + b) / 2, (b - a) / 2
            return half * mp.fsum(w * g(mid + half * x) for x, w in NODES)

        total = mpf(0)
        for k, a, b in self.pieces(lo, hi):
            sa, sb = self.sums[k]

            def g(u):
                v = u - self.starts[k]
                return exp(f(k, u, sa + self.buy[k] * v, sb + self.leave[k] * v) - top)
            spans = [(a, b, rule(g, a, b))]
            while spans:
                a, b, whole = spans.pop()
                mid = (a + b) / 2
                left, right = rule(g, a, mid), rule(g, mid, b)
                if abs(left + right - whole) <= mpf(10) ** -20 * (total + left + right) or b - a < hi * mpf(10) ** -25:
                    total += left + right
                else:
                    spans += [(mid, b, right), (a, mid, left)]
        return top + log(total)


def interval(f, length):
    """The log of the integral of exp(f(u)) over 0 < u < length, by u = length/(1+e^-y)."""
    return integral(lambda y: f(length * exp(-softplus(-y))) + log(length) - softplus(y) - softplus(-y))


def likelihood(w, r, alpha, s, beta, x, tx, T):
    """ln L without the covariates at purchases, and P(alive)."""
    n = r + x
    A, B = w.at(T)
    alive = -n * log(alpha + A) - s * log(beta + B)
    ln = alive
    if tx < T:
        left = log(s) + w.integrate(lambda k, u, A, B: -n * log(alpha + A) - (s + 1) * log(beta + B) + w.logs[k], tx, T)
        if len(w.starts) == 1:
            a, b = w.buy[0], w.leave[0]
            other = log(s * b) + interval(lambda u: -n * log(alpha + a * (tx + u)) - (s + 1) * log(beta + b * (tx + u)), T - tx)
            assert abs(left - other) < mpf(10) ** -15 * (1 + abs(left)), (left, other)
        top = max(alive, left)
        ln = top + log(exp(alive - top) + exp(left - top))
    return loggamma(n) - loggamma(r) + r * log(alpha) + s * log(beta) + ln, exp(alive - ln)


def main():
    rng = random.Random(20210401)
    log_uniform = lambda lo, hi: float("%.6g" % (lo * (hi / lo) ** rng.random()))
    short = lambda v: float("%.6g" % v)
    rows = []
    while len(rows) < 200:
        r, s = log_uniform(0.01, 50), rng.choice([log_uniform(0.01, 50), log_uniform(0.01, 50), log_uniform(0.01, 50), 1.0, 2.0, 15.0])
        alpha, beta = short(r / log_uniform(1e-4, 1e4)), short(s / log_uniform(1e-4, 1e4))
        T = log_uniform(1, 1000)
        x = rng.choice([0, 0, 1, 2, 5, 20, 100, 500, 5000])
        tx = short(T * rng.choice([rng.random(), 0.99, 0.05])) if x else 0.0
        t = short(T * rng.choice([0.01, 0.5, 1, 3]))
        delta = short(rng.choice([0.1, 1, 10]) / T)
        count = rng.choice([0, 0, 1, 3, 30])
        seed, pieces = rng.randrange(2**31), rng.choice([1, 2, 10, 30, 100, 300])
        step = short((T + t) / pieces * rng.choice([0.3, 1, 1, 3]))
        size = rng.choice([0.1, 0.5, 1, 2])
        g = [short(size * rng.uniform(-1, 1)) for _ in range(4)]
        bought = [short(x * rng.uniform(-0.5, 0.5)) for _ in range(2)]

        w = Along(*path(seed, pieces, step), g[:2], g[2:])
        R, AL, S, BE, TX, TT, H, D = map(mpf, (r, alpha, s, beta, tx, T, t, delta))
        ln, alive = likelihood(w, R, AL, S, BE, x, TX, TT)
        want = {"ln_l": ln + mpf(g[0]) * mpf(bought[0]) + mpf(g[1]) * mpf(bought[1])}
        A, B = w.at(TT)
        rate = (R + x) / (AL + A)
        life = lambda k, u, a, b: log(w.buy[k]) - S * log1p((b - B) / (BE + B))
        plain = exp(w.integrate(life, TT, TT + H))
        if pieces == 1:
            z = (BE + B) / w.leave[0]
            v = log1p(H / z)
            closed = w.buy[0] * z * (v if S == 1 else -expm1((1 - S) * v) / (S - 1))
            assert abs(plain / closed - 1) < mpf(10) ** -15
        if alive > mpf(10) ** -250:
            want["alive"] = alive
            want["expected"] = alive * rate * plain
            want["discounted"] = alive * rate * exp(w.integrate(lambda k, u, a, b: life(k, u, a, b) - D * (u - TT), TT, TT + H))
            buys = w.integrate(lambda k, u, a, b: life(k, u, a, b) - (R + x + 1) * log1p((a - A) / (AL + A)), TT, TT + H)
            want["any"] = alive * rate * exp(buys)
        nb = loggamma(R + count) - loggamma(R) - loggamma(mpf(count + 1))

        def log_nb(a):
            return nb - R * log1p(a / AL) - (count * log1p(AL / a) if count else 0)
        a, b = w.at(H)
        pmf = exp(log_nb(a) - S * log1p(b / BE)) + exp(w.integrate(
            lambda k, u, a, b: log_nb(a) + log(S / BE) + w.logs[k] - (S + 1) * log1p(b / BE), mpf(0), H))
        if pmf > mpf(10) ** -250:
            want["pmf"] = pmf
        args = dict(r=r, alpha=alpha, s=s, beta=beta, x=x, tx=tx, T=T, t=t, delta=delta, n=count, seed=seed, pieces=pieces,
                    step=step, buy_1=g[0], buy_2=g[1], leave_1=g[2], leave_2=g[3], bought_1=bought[0], bought_2=bought[1])
        rows.append({"name": "point %d" % len(rows), "args": args, "want": {k: mp.nstr(v, 20) for k, v in want.items()}})
    print(json.dumps({"source": "definition of the model, 30 digits", "generator": "testdata/gen_dynamic.py",
                      "tolerance": 1e-9, "rows": rows}, indent=1))


main()
