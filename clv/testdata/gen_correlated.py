"""Computes correlatedparetonbd.json: values of the Pareto/NBD model with Sarmanov's correlation at random points.

Sarmanov's density is bilinear in e^(-span lambda) and e^(-span mu), so that every integral over it is a sum of four
over independent rates. Those are Gauss's function and the exponential integral with 60 digits, of which the sum may
cancel some; gen_paretonbd.py holds them against integrals of the definition. At a few points the double integral over
lambda and mu must agree.
Run: python3 gen_correlated.py > correlatedparetonbd.json (mpmath).
"""
import json
import random

from mpmath import mp, mpf, exp, expint, expm1, fsum, hyp2f1, log, log1p, loggamma, nstr

mp.dps = 60


def terms(n, alpha, s, beta, tx, T):
    """The integrals over lambda and mu of lambda^x e^(-lambda ..): of those alive at T, and of all, but for constants."""
    m = max(alpha, beta)
    b1, b2 = (s + 1, s) if alpha >= beta else (n, n + 1)

    def part(b, at):
        # Euler's transformation, after which every series has positive terms.
        z = abs(alpha - beta) / (m + at)
        c = n + s + 1
        return (1 - z) ** (1 - b) * hyp2f1(1, c - b, c, z) * exp(-(n + s) * log(m + at))
    whole = s / (n + s) * part(b1, tx) + n / (n + s) * part(b2, T)
    return exp(-n * log(alpha + T) - s * log(beta + T)), whole


def by_definition(r, alpha, s, beta, m, span, x, tx, T):
    """The double integral over ln lambda and ln mu by a plain rule, with 15 digits."""
    la, lb = exp(-r * log1p(span / alpha)), exp(-s * log1p(span / beta))
    norm = r * log(alpha) - loggamma(r) + s * log(beta) - loggamma(s)
    step = mpf(1) / 8
    lows = [-log(v) - 40 / w for v, w in ((alpha, r), (beta, s))]
    highs = [log((60 + 6 * w + 3 * x) / v) for v, w in ((alpha, r), (beta, s))]
    ys = [exp(lows[0] + step * i) for i in range(int((highs[0] - lows[0]) / step))]
    zs = [exp(lows[1] + step * i) for i in range(int((highs[1] - lows[1]) / step))]
    zs = [(mu, exp(s * log(mu) - beta * mu)) for mu in zs]
    total = mpf(0)
    for lam in ys:
        v = exp((r + x) * log(lam) - alpha * lam)
        for mu, w in zs:
            rate = lam + mu
            kernel = 1 + m * (exp(-lam * span) - la) * (exp(-mu * span) - lb)
            total += v * w * kernel * (lam / rate * exp(-rate * T) + mu / rate * exp(-rate * tx))
    return norm + log(total * step * step)


def main():
    rng = random.Random(19660303)
    log_uniform = lambda lo, hi: float("%.6g" % (lo * (hi / lo) ** rng.random()))
    rows, checked = [], 0
    while len(rows) < 200:
        r, s = log_uniform(0.01, 50), rng.choice([log_uniform(0.01, 50), log_uniform(0.01, 50), 1.0, 15.0])
        alpha, beta = (float("%.6g" % (v / log_uniform(1e-4, 1e4))) for v in (r, s))
        span = rng.choice([1.0, 1.0, 7.0, 0.25])
        R, AL, S, BE, C = map(mpf, (r, alpha, s, beta, span))
        la, lb = exp(-R * log1p(C / AL)), exp(-S * log1p(C / BE))
        ca, cb = -expm1(-R * log1p(C / AL)), -expm1(-S * log1p(C / BE))
        low, high = -1 / max(la * lb, ca * cb), 1 / max(la * cb, lb * ca)
        m = float("%.6g" % rng.choice([0.97 * high, 0.5 * high, 0.05 * high, 0.97 * low, 0.3 * low]))
        M = mpf(m)
        T = log_uniform(1, 1000)
        x = rng.choice([0, 0, 1, 2, 5, 20, 100, 500, 5000])
        tx = float("%.6g" % (T * rng.choice([rng.random(), 0.99, 0.05]))) if x else 0.0
        t = float("%.6g" % (T * rng.choice([0.01, 0.5, 1, 3])))
        delta = float("%.6g" % (rng.choice([0.1, 1, 10]) / T))
        TX, TT, TI, D, n = mpf(tx), mpf(T), mpf(t), mpf(delta), R + x
        c = M * la * lb
        whole, living, expected, dert, new = [], [], [], [], []
        for a, b, weight in ((AL, BE, 1 + c), (AL + C, BE + C, c), (AL + C, BE, -c), (AL, BE + C, -c)):
            scale = weight * exp(R * log(a) + S * log(b))
            alive, all_ = terms(n, a, S, b, TX, TT)

            def stay(end, t):
                return end * log1p(t / end) if S == 1 else end * -expm1((1 - S) * log1p(t / end)) / (S - 1)
            whole.append(scale * all_)
            living.append(scale * alive)
            expected.append(scale * alive * n / (a + TT) * stay(b + TT, TI))
            dert.append(scale * alive * n / (a + TT) * (b + TT) * exp(D * (b + TT)) * expint(S, D * (b + TT)))
            new.append(weight * R / a * stay(b, TI))

        def sure(terms):
            """The sum, where it leaves 30 digits."""
            v = fsum(terms)
            return v if v > mpf(10) ** -30 * max(abs(w) for w in terms) else None
        total = sure(whole)
        want = {"ln_l": loggamma(n) - loggamma(R) + log(total)}
        for name, terms_, by in (("alive", living, total), ("expected", expected, total), ("dert", dert, total), ("new", new, 1)):
            v = sure(terms_)
            if v is not None and v / by > mpf(10) ** -250:
                want[name] = v / by
        if checked < 3 and x <= 5 and min(r, s) > 0.5 and max(1 / alpha, 1 / beta) * T < 300:
            mp.dps = 15
            direct = by_definition(R, AL, S, BE, M, C, x, TX, TT)
            mp.dps = 60
            assert abs(direct - want["ln_l"]) < mpf(10) ** -7 * (1 + abs(direct)), (r, alpha, s, beta, m, span, x, tx, T, direct, want["ln_l"])
            checked += 1
        args = dict(r=r, alpha=alpha, s=s, beta=beta, m=m, span=span, x=x, tx=tx, T=T, t=t, delta=delta)
        rows.append({"name": "point %d" % len(rows), "args": args, "want": {k: nstr(v, 20) for k, v in want.items()}})
    print(json.dumps({"source": "closed forms of the mixture, 60 digits", "generator": "testdata/gen_correlated.py",
                      "tolerance": 1e-9, "rows": rows}, indent=1))


if __name__ == "__main__":
    main()
