"""Computes pdo.json: values of the periodic death opportunity model at random points, with 40 digits.

The likelihood is a sum over the opportunities of beta and gamma functions; for some points it must agree with the
integral over p of the likelihood given p. Expectations integrate the survival interval by interval; for ever they
integrate the geometric series over p. Run: python3 gen_pdo.py > pdo.json (mpmath).
"""
import json
import random

from mpmath import mp, mpf, exp, floor, fsum, log, loggamma, log1p

from mixture import integral, log_beta_density, softplus

mp.dps = 40


def stays(a, b, k):
    return exp(loggamma(a + b) - loggamma(b) + loggamma(b + k) - loggamma(a + b + k))


def chances(a, b, last):
    """The probabilities to stay at the first j opportunities, for j from 0 to last."""
    out = [mpf(1)]
    for j in range(last):
        out.append(out[-1] * (b + j) / (a + b + j))
    assert abs(out[-1] / stays(a, b, last) - 1) < mpf(10) ** -30
    return out


def main():
    rng = random.Random(20110901)
    log_uniform = lambda lo, hi: float("%.6g" % (lo * (hi / lo) ** rng.random()))
    rows = []
    while len(rows) < 200:
        r, a, b = log_uniform(0.01, 50), rng.choice([log_uniform(0.01, 50), log_uniform(0.01, 50), 1.0]), log_uniform(0.01, 200)
        rate = log_uniform(1e-4, 1e4)
        alpha = float("%.6g" % (r / rate))
        T = log_uniform(1, 1000)
        period = float("%.6g" % (T * rng.choice([2, 0.6, 0.13, 0.031, 0.0031])))
        x = rng.choice([0, 0, 1, 2, 5, 20, 100, 500, 5000])
        tx = float("%.6g" % (T * rng.choice([rng.random(), 0.99, 0.05]))) if x else 0.0
        t = float("%.6g" % (T * rng.choice([0.01, 0.5, 1, 3])))
        delta = float("%.6g" % (rng.choice([0.1, 1, 10]) / T))
        n = rng.choice([0, 1, 3, 30, 300])
        R, AL, A, B, P, TX, TT, TI, D = map(mpf, (r, alpha, a, b, period, tx, T, t, delta))
        if min(abs(q / P - mp.nint(q / P)) for q in (TX or mpf("0.3") * P, TT, TI, TT + TI)) < mpf(10) ** -7:
            continue  # a time on an opportunity is a matter of rounding
        past, last, end = int(floor(TX / P)), int(floor(TT / P)), int(floor((TT + TI) / P))
        s = chances(A, B, end)
        m = R + x
        base = loggamma(m) - loggamma(R) + R * log(AL)
        alive = log(s[last]) - m * log(AL + TT)
        parts = [log(s[j - 1] * A / (A + B + j - 1)) - m * log(AL + j * P) for j in range(past + 1, last + 1)] + [alive]
        top = max(parts)
        ln = top + log(fsum(exp(v - top) for v in parts))
        if len(rows) % 25 == 0:
            density = log_beta_density(A, B)

            def given(y):
                p, q = -softplus(-y), -softplus(y)
                terms = [last * q - m * log(AL + TT)] + [p + (j - 1) * q - m * log(AL + j * P) for j in range(past + 1, last + 1)]
                most = max(terms)
                return density(y) + most + log(fsum(exp(v - most) for v in terms))
            direct = integral(given)
            assert abs(direct - ln) < mpf(10) ** -14 * (1 + abs(ln)), (r, alpha, a, b, period, x, tx, T)
        want = {"ln_l": base + ln}
        share = exp(alive - ln)
        if share > mpf(10) ** -250:
            cuts = [TT] + [j * P for j in range(last + 1, end + 1)] + [TT + TI]
            time = fsum((v - u) * s[last + i] / s[last] for i, (u, v) in enumerate(zip(cuts, cuts[1:])))
            want["alive"] = share
            want["expected"] = share * m / (AL + TT) * time
            # Given p the discounted time is that to the next opportunity, and a geometric series.
            first, z = (last + 1) * P - TT, exp(-D * P)
            density = log_beta_density(A, B + last)
            series = exp(integral(lambda y: density(y) - softplus(y) - log(1 - z + z * exp(-softplus(-y)))))
            want["dert"] = share * m / (AL + TT) * ((1 - exp(-D * first)) / D + exp(-D * first) * (1 - z) / D * series)

        def nb(at):
            return exp(loggamma(R + n) - loggamma(R) - loggamma(n + 1) - R * log1p(at / AL) - n * log1p(AL / at))
        k = int(floor(TI / P))
        pmf = s[k] * nb(TI) + fsum(s[j - 1] * A / (A + B + j - 1) * nb(j * P) for j in range(1, k + 1))
        if pmf > mpf(10) ** -250:
            want["pmf"] = pmf
        args = dict(r=r, alpha=alpha, a=a, b=b, period=period, x=x, tx=tx, T=T, t=t, delta=delta, n=n)
        rows.append({"name": "point %d" % len(rows), "args": args, "want": {k: mp.nstr(v, 20) for k, v in want.items()}})
    print(json.dumps({"source": "definition of the model, 40 digits", "generator": "testdata/gen_pdo.py",
                      "tolerance": 1e-9, "rows": rows}, indent=1))


main()
