"""Computes future.json: what the purchase models say of the time after T, at random points, with 30 digits.

P(alive at T+t), P(n purchases in (T, T+t]), P(any), discounted purchases within t, E[X(t)] and P(X(t) = n) of a new
customer and P(n purchases in (from, to]), each from the definition of the model. The lifetimes of NBD, Pareto/NBD,
GGompertz/NBD and PDO do not depend on the purchases, so that one integral over the lifetime gives each. In the BG family
the phases of the purchases are counted: given the rate they are Poisson, so that over it they are negative binomial, and
whoever has bought has had a chance to leave; probabilities are sums over the phases up to the start and after it.
P(alive at T) is the ratio of the two terms of the likelihood. Run: python3 gen_future.py > future.json (mpmath).
"""
import json
import random
import sys

from mpmath import mp, mpf, exp, floor, fsum, log, log1p, loggamma, quad

import gen_ggompertz
import gen_paretonbd
from gen_ggompertz import log_alive

mp.dps = 30
rng = random.Random(20280202)


def log_uniform(lo, hi):
    return float("%.6g" % (lo * (hi / lo) ** rng.random()))


def log_nb(n, r, y):
    """The log of P(n events) of a Poisson process with a gamma rate in a time y in units of the gamma's rate."""
    if y == 0:
        return mpf(0) if n == 0 else mpf("-inf")
    return loggamma(r + n) - loggamma(r) - loggamma(n + 1) - r * log1p(y) - n * log1p(1 / y)


def smooth(f, a, b, depth=0):
    """The integral of f, halved until the rules agree."""
    value, error = quad(f, [a, b], error=True)
    if error > mpf(10) ** -16 * abs(value) and error > mpf(10) ** -30 and depth < 7:
        return smooth(f, a, (a + b) / 2, depth + 1) + smooth(f, (a + b) / 2, b, depth + 1)
    return value


class Lifetime:
    """A model whose lifetime does not depend on the purchases; stay(u) is ln P(alive at u)."""

    def __init__(self, r, alpha, stay, alive, jumps=()):
        self.r, self.alpha, self.stay, self.alive, self.jumps = r, alpha, stay, alive, jumps

    def cuts(self, a, b):
        return [a] + [j for j in self.jumps if a < j < b] + [b]

    def along(self, f, start, end):
        """The integral of f over (start, end), f being smooth between the jumps."""
        points = self.cuts(start, end)
        fine = sorted(set(points + ([start + (end - start) * mpf(4) ** -k for k in range(1, 8)] if len(points) < 6 else [])))
        return fsum(smooth(lambda u: exp(f(u)), a, b) for a, b in zip(fine, fine[1:]))

    def pmf(self, n, start, r, alpha, t):
        """P(n purchases in (start, start+t]) of who is alive at start with a rate of r and alpha."""
        base = self.stay(start)
        # Sum over the lifetime by parts: d/du of the negative binomial is r/alpha' (P(n-1) - P(n)) of r+1.
        last = exp(log_nb(n, r, t / alpha))
        if t == 0:
            return last
        lost = lambda u: (1 - exp(self.stay(start + u) - base))
        # Expected over the lifetime L: P(n within min(L, t)) = P(n within t) + integral of (-dP/du) P(L <= u) du.

        def slope(u):
            y = u / alpha
            up = exp(log_nb(n - 1, r + 1, y)) if n > 0 else mpf(0)
            return r / alpha * (up - exp(log_nb(n, r + 1, y)))
        points = [c - start for c in self.cuts(start, start + t)]
        fine = sorted(set(points + [t * mpf(4) ** -k for k in range(1, 8)]))
        return last - fsum(smooth(lambda u: slope(u) * lost(u), a, b) for a, b in zip(fine, fine[1:]))

    def any(self, start, r, alpha, t):
        base = self.stay(start)
        return self.along(lambda u: log(r / alpha) - (r + 1) * log1p((u - start) / alpha) + self.stay(u) - base, start, start + t)

    def purchases(self, start, r, alpha, t, delta):
        base = self.stay(start)
        return r / alpha * self.along(lambda u: -delta * (u - start) + self.stay(u) - base, start, start + t)

    def answers(self, q):
        x, tx, T, t, n = q["x"], mpf(q["tx"]), mpf(q["T"]), mpf(q["t"]), q["n"]
        alive, r, alpha = self.alive(x, tx, T), self.r + x, self.alpha + T
        none = self.pmf(0, T, r, alpha, t)
        later = exp(self.stay(mpf(q["from"])))
        gap = mpf(q["to"]) - mpf(q["from"])
        between = later * self.pmf(n, mpf(q["from"]), self.r, self.alpha, gap)
        any_ = self.any(T, r, alpha, t)
        assert abs(any_ + none - 1) < mpf(10) ** -15, (any_, none)
        return {"alive": alive, "alive_at": alive * exp(self.stay(T + t) - self.stay(T)),
                "conditional": (1 - alive if n == 0 else 0) + alive * self.pmf(n, T, r, alpha, t), "any": alive * any_,
                "expected": alive * self.purchases(T, r, alpha, t, mpf(0)),
                "discounted": alive * self.purchases(T, r, alpha, t, mpf(q["delta"])),
                "new": self.purchases(mpf(0), self.r, self.alpha, t, mpf(0)), "pmf": self.pmf(n, mpf(0), self.r, self.alpha, t),
                "between": (1 - later if n == 0 else 0) + between}


class Phases:
    """The BG family with k phases a purchase; first is 1 where the first purchase is a chance to leave too."""

    def __init__(self, k, first, r, alpha, a, b):
        self.k, self.first, self.r, self.alpha, self.a, self.b = k, first, r, alpha, a, b

    def stays(self, b, n):
        """P(stays at n chances) with p beta(a, b)."""
        return exp(loggamma(b + n) - loggamma(b) + loggamma(self.a + b) - loggamma(self.a + b + n))

    def phases(self, r, y):
        """P(m phases in y) for m up to where nothing is left."""
        out, m, sum_ = [], 0, mpf(0)
        while True:
            p = exp(log_nb(m, r, y))
            out.append(p)
            sum_ += p
            if 1 - sum_ < mpf(10) ** (5 - mp.dps):
                return out
            m += 1
            assert m < 2500

    def state(self, x, tx, T):
        """P(alive at T) and the weights of the phases passed since the last purchase."""
        shape, idle = self.r + self.k * x, T - tx
        w = [exp(loggamma(shape + j) - loggamma(shape) - loggamma(j + 1) + j * (log(idle / (self.alpha + T)) if j else 0))
             if idle > 0 or j == 0 else mpf(0) for j in range(self.k)]
        chances = x + self.first
        stay = self.stays(self.b, chances) * exp(-shape * log(self.alpha + T)) * fsum(w)
        left = mpf(0)
        if chances > 0:
            left = (self.stays(self.b, chances - 1) - self.stays(self.b, chances)) * exp(-shape * log(self.alpha + tx))
        return stay / (stay + left), [v / fsum(w) for v in w]

    def counts(self, j, r, alpha, b, t):
        """P(alive) after t and the purchases within t of who is alive with j phases passed."""
        p = self.phases(r, t / alpha)
        ends = (len(p) - 1 + j) // self.k
        by = [mpf(0)] * (ends + 1)
        for m, v in enumerate(p):
            by[(m + j) // self.k] += v
        tail = [fsum(by[n:]) for n in range(ends + 1)]  # at least n purchases would come
        return fsum(by[n] * self.stays(b, n) for n in range(ends + 1)), fsum(
            tail[n] * self.stays(b, n - 1) for n in range(1, ends + 1))

    def chance(self, j, r, alpha, b, t, n):
        """P(n purchases) within t of who is alive with j phases passed, from the first phases alone."""
        k, y = self.k, t / alpha
        before = fsum(exp(log_nb(m, r, y)) for m in range(max(0, k * n - j)))
        exactly = fsum(exp(log_nb(m, r, y)) for m in range(max(0, k * n - j), k * (n + 1) - j))
        v = exactly * self.stays(b, n)
        if n > 0:
            v += (1 - before) * (self.stays(b, n - 1) - self.stays(b, n))
        return v

    def discounted(self, w, r, alpha, b, t, delta):
        """The discounted purchases within t: e^(-delta t) E(t) + delta times the integral of e^(-delta u) E(u)."""
        def expected(u):
            if u == 0:
                return mpf(0)
            return fsum(v * self.counts(j, r + j, alpha, b, u)[1] for j, v in enumerate(w))
        with mp.workdps(18):
            inner = quad(lambda u: exp(-delta * u) * expected(u), [0, t / 8, t / 2, t], maxdegree=4)
        return exp(-delta * t) * expected(t) + delta * inner

    def answers(self, q):
        x, tx, T, t, n = q["x"], mpf(q["tx"]), mpf(q["T"]), mpf(q["t"]), q["n"]
        alive, w = self.state(x, tx, T)
        r, alpha, b = self.r + self.k * x, self.alpha + T, self.b + x + self.first
        probability, at, expected = mpf(0), mpf(0), mpf(0)
        none = mpf(0)
        for j, v in enumerate(w):
            later, mean = self.counts(j, r + j, alpha, b, t)
            probability += v * self.chance(j, r + j, alpha, b, t, n)
            none += v * self.chance(j, r + j, alpha, b, t, 0)
            at += v * later
            expected += v * mean
        start = self.stays(self.b, self.first)
        fresh = self.counts(0, self.r, self.alpha, self.b + self.first, t)[1]
        new = self.chance(0, self.r, self.alpha, self.b + self.first, t, n)
        between = self.between(mpf(q["from"]), mpf(q["to"]), n)
        want = {"alive": alive, "alive_at": alive * at, "conditional": (1 - alive if n == 0 else 0) + alive * probability,
                "any": alive * (1 - none), "expected": alive * expected,
                "new": start * fresh, "pmf": (1 - start if n == 0 else 0) + start * new, "between": between}
        if expected < 12 and q["slow"]:
            want["discounted"] = alive * self.discounted(w, r, alpha, b, t, mpf(q["delta"]))
        return want

    def between(self, start, end, n):
        """P(n purchases in (start, end]): over the phases up to start, those who are alive there and go on."""
        total, here = mpf(0), mpf(0)
        for m, v in enumerate(self.phases(self.r, start / self.alpha)):
            if v < mpf(10) ** -24:
                continue
            done, j = m // self.k, m % self.k
            chances = done + self.first
            alive = v * self.stays(self.b, chances)
            here += alive
            total += alive * self.chance(j, self.r + m, self.alpha + start, self.b + chances, end - start, n)
        return total + (1 - here if n == 0 else 0)


def make(kind):
    """A random model of the kind, its parameters and a purchase rate that leaves the sums short."""
    while True:
        r = log_uniform(0.05, 20)
        alpha = float("%.6g" % (r / log_uniform(0.005, 2)))
        R, AL = mpf(r), mpf(alpha)
        args = dict(r=r, alpha=alpha)
        if kind == "nbd":
            return args, Lifetime(R, AL, lambda u: mpf(0), lambda x, tx, T: mpf(1))
        if kind == "paretonbd":
            s = rng.choice([log_uniform(0.05, 20), 1.0, 2.0])
            beta = float("%.6g" % (s / log_uniform(1e-3, 2)))
            return dict(args, s=s, beta=beta), Lifetime(
                R, AL, lambda u: -mpf(s) * log1p(u / mpf(beta)),
                lambda x, tx, T: gen_paretonbd.likelihood(R, AL, mpf(s), mpf(beta), x, tx, T)[1])
        if kind == "ggompertznbd":
            s, b, beta = log_uniform(0.05, 5), log_uniform(1e-3, 0.3), log_uniform(0.01, 1000)
            return dict(args, b=b, s=s, beta=beta), Lifetime(
                R, AL, lambda u: log_alive(mpf(b), mpf(s), mpf(beta), u),
                lambda x, tx, T: gen_ggompertz.likelihood(R, AL, mpf(b), mpf(s), mpf(beta), x, tx, T)[1])
        a, b = rng.choice([log_uniform(0.05, 20), 1.0]), log_uniform(0.05, 20)
        if kind == "pdo":
            period = log_uniform(0.7, 40)

            def stay(u):
                n = floor(u / mpf(period) + mpf(10) ** -25)
                return loggamma(b + n) - loggamma(mpf(b)) + loggamma(mpf(a) + mpf(b)) - loggamma(mpf(a) + mpf(b) + n)

            def alive(x, tx, T):
                n, P = R + x, mpf(period)
                left = fsum(exp(stay((j - 1) * P)) * a / (a + b + mpf(j) - 1) * (AL + j * P) ** -n
                            for j in range(int(tx / P) + 1, int(T / P) + 1))
                stays = exp(stay(T)) * (AL + T) ** -n
                return stays / (stays + left)
            return dict(args, a=a, b=b, period=period), Lifetime(R, AL, stay, alive, [k * mpf(period) for k in range(1, 400)])
        if alpha < 2:
            alpha = float("%.6g" % (2 + alpha))  # the sums over the phases are short
        args["alpha"], AL = alpha, mpf(alpha)
        k = {"bgnbd": 1, "mbgnbd": 1}.get(kind) or rng.choice([2, 3, 5])
        return dict(args, k=k, a=a, b=b), Phases(k, 1 if kind[0] == "m" else 0, R, AL, mpf(a), mpf(b))


def main():
    rows = []
    for kind, many in (("nbd", 6), ("paretonbd", 20), ("ggompertznbd", 20), ("pdo", 20), ("bgnbd", 20), ("mbgnbd", 20), ("bgcnbd", 20), ("mbgcnbd", 20)):
        for i in range(many):
            args, model = make(kind)
            T = log_uniform(3, 80)
            x = rng.choice([0, 1, 2, 6, 30])
            q = dict(x=x, tx=float("%.6g" % (T * rng.choice([rng.random(), 0.99, 1.0, 0.1]))) if x else 0.0, T=T,
                     t=log_uniform(0.3, 60), n=rng.choice([0, 1, 2, 7]), delta=log_uniform(1e-4, 0.5), slow=i % 5 == 0)
            q["from"], q["to"] = log_uniform(1, 40), 0.0
            q["to"] = float("%.6g" % (q["from"] + log_uniform(0.5, 40)))
            # With a whole history that would be rare the sums over phases are long.
            if (args["r"] + args.get("k", 1) * x) / (args["alpha"] + T) * q["t"] * args.get("k", 1) > 60 or args["r"] / args["alpha"] * 80 > 60:
                q["t"], q["from"], q["to"] = 0.5, 0.7, 1.9
            if "period" in args and min(abs(float(v) / args["period"] - round(float(v) / args["period"])) for v in (q["tx"] or 0.4 * args["period"], T, T + q["t"], q["from"], q["to"], q["t"])) < 1e-6:
                continue
            try:
                want = model.answers(q)
            except (ValueError, AssertionError):
                print(kind, i, "is left out", file=sys.stderr, flush=True)
                continue  # a sum that is too long
            del q["slow"]
            want = {k: v for k, v in want.items() if v > mpf(10) ** -14 or k == "conditional" and v > mpf(10) ** -12}
            print(kind, i, file=sys.stderr, flush=True)
            rows.append({"name": "%s %d" % (kind, i), "args": dict(args, **q), "want": {k: mp.nstr(v, 20) for k, v in want.items()}})
    print(json.dumps({"source": "definition of the model, 30 digits", "generator": "testdata/gen_future.py",
                      "tolerance": 1e-9, "rows": rows}, indent=1))


main()
