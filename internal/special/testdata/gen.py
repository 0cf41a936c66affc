#!/usr/bin/env python3
"""Writes the golden values of the package's tests: python3 gen.py [function ...]

Each value is computed by mpmath twice, with 50 and with 80 digits; a row is kept only if both agree to 33 digits.
Arguments are exact float64 numbers. Where a complement is an argument, the smaller of the pair is exact.
"""
import json
import random
import signal
import sys

from mpmath import (beta, exp, gamma, gammainc, hyp1f1, hyp2f1, hyperu, log, loggamma, mp, mpf, nstr, psi, quad, betainc,
                    inf, isnan, isinf, erfc, pi, sqrt)

LIMIT = 2  # seconds for one value; a row that takes longer is dropped
OPT = dict(maxprec=200000, maxterms=10**7)
rng = random.Random(1)


def lu(lo, hi):
    """A log-uniform float64."""
    return float(10 ** rng.uniform(lo, hi))


def u(lo, hi):
    return float(rng.uniform(lo, hi))


def lgr(a, n):
    with mp.workdps(mp.dps + 650):
        return loggamma(a + n) - loggamma(a)


def psidiff(k):
    def f(a, n):
        with mp.workdps(mp.dps + 650):
            return psi(k, a + n) - psi(k, a)
    return f


def lbeta(a, b):
    with mp.workdps(mp.dps + 650):
        return loggamma(a) + loggamma(b) - loggamma(a + b)


def lbetaratio(a, b, da, db):
    with mp.workdps(mp.dps + 650):
        return lbeta(a + da, b + db) - lbeta(a, b)


def betaint(a, b, z):
    """ln of the integral; z is an mpf."""
    return a * log(z) - log(a) + log(hyp2f1(a, 1 - b, a + 1, z, **OPT))


def pair(x, y):
    return (x, 1 - x) if x <= y else (1 - y, y)


def lincbeta(a, b, x, y):
    x, y = pair(x, y)
    with mp.workdps(mp.dps + 30):
        if x * (a + b) <= a:
            return betaint(a, b, x) - lbeta(a, b)
        q = betaint(b, a, y) - lbeta(a, b)
        return mp.log1p(-exp(q))


def lbetaint(a, b, z, zc):
    z, zc = pair(z, zc)
    with mp.workdps(mp.dps + 30):
        return betaint(a, b, z)


def lhyp(a, b, c, z, zc):
    z, zc = pair(z, zc)
    return log(hyp2f1(a, b, c, z, **OPT))


def lhypneg(a, b, c, z):
    return log(hyp2f1(a, b, c, -z, **OPT))


def lgammap(a, x):
    with mp.workdps(mp.dps + 30):
        if x > a:
            return mp.log1p(-gammainc(a, x, inf, regularized=True))
        return a * log(x) - x - loggamma(a + 1) + log(hyp1f1(1, a + 1, x, **OPT))


def lgammaq(a, x):
    with mp.workdps(mp.dps + 30):
        if x <= a:
            return mp.log1p(-exp(a * log(x) - x - loggamma(a + 1)) * hyp1f1(1, a + 1, x, **OPT))
        return log(gammainc(a, x, inf)) - loggamma(a)


def lupper(a, x):
    with mp.workdps(mp.dps + 30):
        return x + log(gammainc(a, x, inf))


def ltricomi(a, b, z):
    if a == b and a == int(a):
        with mp.workdps(mp.dps + 30):
            return z + log(gammainc(1 - a, z, inf))
    return log(hyperu(a, b, z, **OPT))


def comp(x):
    """A pair (x, 1−x) whose smaller member is exact."""
    return (x, 1.0 - x)


def comps(y):
    return (1.0 - y, y)


def some(f, n):
    return [f() for _ in range(n)]


def zpair():
    r = rng.random()
    if r < 0.25:
        return comp(lu(-9, -0.3))
    if r < 0.6:
        return comp(u(0.01, 0.99))
    return comps(lu(-10, -0.3))


def near_mean(a, b):
    """x within a few standard deviations of a/(a+b), with its complement."""
    a_, b_ = mpf(a), mpf(b)
    m = a_ / (a_ + b_)
    sd = sqrt(m * (1 - m) / (a_ + b_ + 1))
    while True:
        x = m + sd * mpf(rng.gauss(0, 2.5))
        if 0 < x < 1:
            break
    return comp(float(x)) if x < 0.5 else comps(float(1 - x))


def incbeta_args():
    r = rng.random()
    if r < 0.2:
        a, b = lu(-8, 1), lu(-8, 1)
    elif r < 0.5:
        a, b = lu(-1, 3), lu(-1, 3)
    elif r < 0.7:
        a, b = lu(1, 6), lu(1, 6)
    elif r < 0.85:
        a, b = float(rng.randint(1, 60)), lu(-1, 3)
    else:
        a, b = lu(-3, 6), lu(-3, 6)
    x, y = near_mean(a, b) if rng.random() < 0.6 and min(a, b) > 0.05 else zpair()
    return (a, b, x, y)


def betaint_args():
    r = rng.random()
    if r < 0.4:
        a, b = lu(-1, 2), -lu(-2, 1)
    elif r < 0.55:
        a, b = lu(-1, 2), float(-rng.randint(0, 12))
    elif r < 0.65:
        a, b = lu(-2, 2), -lu(-12, -3)
    elif r < 0.75:
        a, b = lu(-1, 2), lu(-6, 0)
    elif r < 0.85:
        a, b = lu(0, 3), -lu(0, 3)
    elif r < 0.95:
        a, b = lu(2, 5), -lu(-1, 1)
    else:
        a, b = lu(-1, 3), lu(-1, 3)
    x, y = zpair()
    return (a, b, x, y)


def pareto_args():
    rsx = lu(-1, 5) if rng.random() < 0.5 else lu(0, 2)
    s = lu(-3, 0.7)
    b = s + 1 if rng.random() < 0.5 else max(rsx - s, 0.01 * rsx)
    if rng.random() < 0.3:
        b = b + 1
    x, y = zpair()
    return (rsx, b, rsx + 1, x, y)


def general_args():
    a, b = lu(-1, 2), lu(-1, 2)
    c = rng.choice([a + b - min(a, b) / 2, a + b + lu(-1, 1), lu(-1, 2), a + b, max(a, b) + lu(-1, 1)])
    x, y = zpair()
    return (a, b, c, x, y)


def sbg_args():
    """2F1(1, d; g+d; 1/(1+rate)) and the like."""
    d = lu(-1, 3)
    return (1.0, d, d + lu(-1.5, 1.5), *comps(lu(-5, -0.4)))


def neg_args():
    r = rng.random()
    if r < 0.7:
        a = lu(-2, 1)
        return (1.0, a, a + lu(-1.5, 2.5), lu(-6, 6))
    b = lu(-1, 1.7)
    return (lu(-1, 1.7), b, b + lu(-1, 1.5), lu(-5, 3))


def long_args():
    """One parameter far above the other, as after thousands of periods."""
    b = lu(-2, 8)
    c = max(b * lu(0.31, 6), lu(3, 9.9))
    return (1.0, b, min(c, 9.9e9), *zpair())


def long_neg_args():
    b = lu(-2, 3)
    return (1.0, b, lu(4, 9.9), lu(-2, 6))


def power_args():
    while True:
        a, x = upper_args()
        if a <= 1:
            return (a, x)


def gamma_args():
    r = rng.random()
    if r < 0.3:
        a = lu(-8, 0)
        x = lu(-8, 1.5)
    elif r < 0.6:
        a = lu(0, 2)
        x = a * lu(-1, 0.5)
    else:
        a = lu(1, 5)
        x = max(a + a ** 0.5 * rng.gauss(0, 4), 1e-3 * a)
    return (a, float(x))


def upper_args():
    r = rng.random()
    if r < 0.3:
        a = float(1 - rng.choice([1, 2, 3, 5, 15, 30, 70]))
    elif r < 0.6:
        a = 1 - lu(-3, 1.7)
    elif r < 0.7:
        a = -float(rng.randint(0, 3)) + rng.choice([-1, 1]) * lu(-12, -4)
    elif r < 0.85:
        a = lu(-2, 2)
    else:
        a = -lu(1, 4)
    return (a, lu(-10, 4))


def tricomi_args():
    r = rng.random()
    if r < 0.5:
        s = rng.choice([1.0, 2.0, 15.0, 30.0, lu(-2, 1.7), lu(-2, 1.7), lu(-2, 1.7)])
        return (s, s, lu(-10, 4))
    a = lu(-2, 1.5)
    return (a, a + u(-8, 8), lu(-4, 2.5))


def lgr_args():
    r = rng.random()
    if r < 0.25:
        return (lu(-3, 2), float(rng.randint(1, 400)))
    if r < 0.5:
        return (lu(-3, 3), lu(-3, 4))
    if r < 0.7:
        return (lu(-8, 8), lu(-14, 8))
    if r < 0.85:
        return (lu(3, 20), lu(-6, 6))
    return (lu(-300, 300), lu(-300, 300))


def ratio_args():
    r = rng.random()
    a, b = lu(-2, 2), lu(-2, 2)
    if r < 0.3:
        return (a, b, float(rng.randint(0, 2)), float(rng.randint(1, 300)))
    if r < 0.5:
        return (a, b, 0.0, lu(-8, 5))
    if r < 0.7:
        return (lu(-3, 9), lu(-3, 9), lu(-3, 3), 0.0)
    if r < 0.9:
        return (lu(-3, 9), lu(-3, 9), lu(-8, 6), lu(-8, 6))
    return (a, b, -a * u(0, 0.9), -b * u(0, 0.9))


PSI = [1e-15, 1e-8, 1e-3, 0.1, 0.5, 1.0, 1.3, 1.46, 1.4616321, 1.4616321449683622, 1.4617, 1.5, 2.0, 2.5, 3.0, 9.99, 10.0, 33.3,
       1e3, 1e8, 1e15]

FUNCS = {
    "digamma": ("x", lambda x: psi(0, x), lambda: [(x,) for x in PSI] + some(lambda: (lu(-3, 3),), 100)),
    "trigamma": ("x", lambda x: psi(1, x), lambda: [(x,) for x in PSI] + some(lambda: (lu(-3, 3),), 100)),
    "log_gamma_ratio": ("a n", lgr, lambda: [(1e300, 1e300), (1e-300, 1e-300), (1e-300, 1e6), (1e300, 1e-300)] + some(lgr_args, 250)),
    "digamma_diff": ("a n", psidiff(0), lambda: [(1e300, 1e300), (1e-300, 1e-300), (1e-300, 1e6)] + some(lgr_args, 200)),
    "trigamma_diff": ("a n", psidiff(1), lambda: [(1e-150, 1e-150), (1e-150, 1e6)] + [(max(a, 1e-150), n) for a, n in some(lgr_args, 200)]),
    "log_beta": ("a b", lbeta, lambda: some(lambda: (lu(-3, 3), lu(-3, 3)), 80) + some(lambda: (lu(-12, 12), lu(-12, 12)), 80) + [(1e300, 1e300), (12.0, 1e300), (1e-300, 2.0)]),
    "log_beta_ratio": ("a b da db", lbetaratio, lambda: some(ratio_args, 300)),
    "log_inc_beta": ("a b x y", lincbeta, lambda: some(incbeta_args, 400)),
    "log_beta_int": ("a b z zc", lbetaint, lambda: some(betaint_args, 400)),
    "log_hyp2f1": ("a b c z zc", lhyp, lambda: some(pareto_args, 300)),
    "log_hyp2f1_general": ("a b c z zc", lhyp, lambda: some(general_args, 250) + some(sbg_args, 60)),
    "log_hyp2f1_neg": ("a b c z", lhypneg, lambda: some(neg_args, 250)),
    "log_hyp2f1_long": ("a b c z zc", lhyp, lambda: some(long_args, 200)),
    "log_hyp2f1_neg_long": ("a b c z", lhypneg, lambda: some(long_neg_args, 150)),
    "log_gamma_p": ("a x", lgammap, lambda: some(gamma_args, 200)),
    "log_gamma_q": ("a x", lgammaq, lambda: some(gamma_args, 200)),
    "log_upper_gamma_scaled": ("a x", lupper, lambda: some(upper_args, 250)),
    "upper_gamma_scaled": ("a x", lambda a, x: exp(lupper(a, x) - a * log(x)), lambda: some(power_args, 250)),
    "log_tricomi": ("a b z", ltricomi, lambda: some(tricomi_args, 200)),
}


def row(name, names, f, args):
    values = []
    for dps in (50, 80):
        with mp.workdps(dps):
            signal.alarm(LIMIT)
            try:
                v = +f(*[mpf(x) for x in args])
            except Exception:
                return None
            finally:
                signal.alarm(0)
            if isinstance(v, mp.mpc):
                if abs(v.imag) > abs(v.real) * mpf(10) ** -40:
                    return None
                v = v.real
            if isnan(v) or isinf(v):
                return None
            values.append(v)
    with mp.workdps(80):
        if abs(values[1]) < mpf(10) ** -60 and name.startswith("log_inc"):
            return None  # exp of a large exponent: the last digits are lost in it
        if values[0] != values[1] and abs(values[0] - values[1]) > abs(values[1]) * mpf(10) ** -33:
            return None
        named = dict(zip(names, args))
        return {"name": " ".join(f"{k}={v!r}" for k, v in named.items()), "args": named, "want": {"v": nstr(values[1], 32)}}


def too_long(signum, frame):
    raise TimeoutError


def main():
    signal.signal(signal.SIGALRM, too_long)
    for name in sys.argv[1:] or FUNCS:
        rng.seed(name)
        names, f, gen = FUNCS[name]
        rows, lost = [], 0
        for args in gen():
            r = row(name, names.split(), f, args)
            lost += r is None
            if r:
                rows.append(r)
        with open(name + ".json", "w") as out:
            out.write('{"source": "mpmath with 50 and with 80 digits, agreeing to 33", "generator": "testdata/gen.py", "tolerance": 1e-13, "rows": [\n')
            out.write(",\n".join(json.dumps(r) for r in rows))
            out.write("\n]}\n")
        print(name, len(rows), "rows,", lost, "without an agreed value", flush=True)


if __name__ == "__main__":
    main()
