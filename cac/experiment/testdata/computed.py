#!/usr/bin/env python3
"""Writes computed.json with mpmath (40 digits) from the textbook formulas, checked against scipy where scipy has the same
(Welch's t by ttest_ind, the power of the t-test by the non-central t distribution, chi-squared by chisquare)."""
import json, os
import numpy as np
from scipy import stats
from mpmath import mp, mpf, betainc, findroot, sqrt, quad, log, exp, erfc, gammainc, beta as B, loggamma, inf, matrix, linspace

mp.dps = 40
rows = []
def add(name, args, want, tol=None):
    r = {"name": name, "args": {k: str(v) for k, v in args.items()}, "want": {k: mp.nstr(mpf(v), 25) for k, v in want.items()}}
    if tol: r["tolerance"] = tol
    rows.append(r)

def t_tail(t, nu): return betainc(mpf(nu) / 2, mpf(1) / 2, 0, nu / (nu + mpf(t) ** 2), regularized=True)
def t_quantile(level, nu): return findroot(lambda t: t_tail(t, nu) - (1 - mpf(level)), mpf(float(stats.t.ppf(0.5 + float(level) / 2, float(nu)))))
def z_tail(z): return erfc(abs(mpf(z)) / sqrt(mpf(2)))

# Student's t, tails and quantiles
for nu in ("1", "1.5", "3", "17.59431631", "200.5", "5841.742", "1e6"):
    for t in ("0.01", "0.7", "2.3", "9", "40"):
        tail = t_tail(mpf(t), mpf(nu))
        if tail > mpf(10) ** -280:
            add("t tail %s %s" % (nu, t), {"df": nu, "t": t}, {"tail": tail}, 1e-11)
    for level in ("0.5", "0.9", "0.95", "0.999"):
        add("t quantile %s %s" % (nu, level), {"df": nu, "level": level}, {"quantile": t_quantile(level, mpf(nu))}, 1e-12)

# Welch, absolute, relative, Fieller
def welch(c, t, level):
    (n1, m1, v1), (n2, m2, v2) = c, t
    a, b = v1 / n1, v2 / n2
    df = (a + b) ** 2 / (a * a / (n1 - 1) + b * b / (n2 - 1))
    q = t_quantile(level, df)
    d, se = m2 - m1, sqrt(a + b)
    out = {"estimate": d, "std_err": se, "df": df, "t": d / se, "p": t_tail(d / se, df), "low": d - q * se, "high": d + q * se}
    r = m2 / m1
    rse = sqrt(b / m1**2 + a * m2**2 / m1**4)
    out.update({"rel": r - 1, "rel_p": t_tail((r - 1) / rse, df), "rel_low": r - 1 - q * rse, "rel_high": r - 1 + q * rse})
    A = m1**2 - q * q * a
    root = sqrt(m1**2 * m2**2 - A * (m2**2 - q * q * b))
    out.update({"fieller_low": (m1 * m2 - root) / A - 1, "fieller_high": (m1 * m2 + root) / A - 1})
    return out
for name, c, t, level in [("unequal", ("40", "12.5", "30.25"), ("17", "15.75", "122"), "0.95"), ("tiny", ("2", "100", "0.5"), ("3", "101", "2"), "0.8"),
                          ("huge", ("1200000", "3.75", "900"), ("800000", "3.9", "1100"), "0.99")]:
    f = lambda s: tuple(mpf(x) for x in s)
    add("welch " + name, {"n1": c[0], "m1": c[1], "v1": c[2], "n2": t[0], "m2": t[1], "v2": t[2], "level": level}, welch(f(c), f(t), level), 1e-11)
    s = stats.ttest_ind_from_stats(float(t[1]), float(t[2])**.5, int(t[0]), float(c[1]), float(c[2])**.5, int(c[0]), equal_var=False)
    assert abs(s.pvalue / float(welch(f(c), f(t), level)["p"]) - 1) < 1e-8

# CUPED with arms of different sizes; theta is the slope over the customers of both arms together
rng = np.random.default_rng(1)
def cuped(yc, xc, yt, xt, level):
    f = lambda v: [mpf(repr(float(x))) for x in v]
    yc, xc, yt, xt = map(f, (yc, xc, yt, xt))
    m = lambda v: sum(v) / len(v)
    cov = lambda a, b: sum((p - m(a)) * (q - m(b)) for p, q in zip(a, b))
    theta = cov(yc + yt, xc + xt) / cov(xc + xt, xc + xt)
    g = m(xc + xt)
    adj = lambda y, x: [p - theta * (q - g) for p, q in zip(y, x)]
    a, b = adj(yc, xc), adj(yt, xt)
    w = welch((len(a), m(a), cov(a, a) / (len(a) - 1)), (len(b), m(b), cov(b, b) / (len(b) - 1)), level)
    return {"theta": theta, "estimate": w["estimate"], "std_err": w["std_err"], "df": w["df"], "p": w["p"], "low": w["low"], "high": w["high"]}
xc = np.round(rng.exponential(20, 9), 2); yc = np.round(1.3 * xc + rng.normal(0, 3, 9), 2)
xt = np.round(rng.exponential(20, 14), 2); yt = np.round(1.3 * xt + 4 + rng.normal(0, 3, 14), 2)
args = {"n1": 9, "n2": 14, "level": "0.95"}
for name, v in (("xc", xc), ("yc", yc), ("xt", xt), ("yt", yt)):
    args.update({"%s%d" % (name, i): repr(float(x)) for i, x in enumerate(v)})
add("cuped", args, cuped(yc, xc, yt, xt, "0.95"), 1e-11)

# BCa acceleration and bias of the same data by the jackknife, and the true bootstrap standard error of a difference of means
f = lambda v: [mpf(repr(float(x))) for x in v]
a, b = f(yc), f(yt)
m = lambda v: sum(v) / len(v)
theta = lambda a, b: m(b) - m(a)
num = den = mpf(0)
for arm, n in ((0, 9), (1, 14)):
    jk = [theta(a[:i] + a[i+1:], b) if arm == 0 else theta(a, b[:i] + b[i+1:]) for i in range(n)]
    U = [(n - 1) * (m(jk) - j) for j in jk]
    num += sum(u**3 for u in U) / mpf(n)**3
    den += sum(u**2 for u in U) / mpf(n)**2
var = lambda v: sum((x - m(v))**2 for x in v) / len(v)
add("bootstrap", args, {"estimate": theta(a, b), "acceleration": num / (6 * den**mpf(1.5)), "true_std_err": sqrt(var(a) / 9 + var(b) / 14)}, 1e-11)

# beta-binomial: probability to be best and expected loss
def beliefs(arms):
    dens = lambda x, a, b: x**(a-1) * (1-x)**(b-1) / B(a, b)
    cdf = lambda x, a, b: betainc(a, b, 0, x, regularized=True)
    out = {}
    pts = sorted(set([mpf(0), mpf(1)] + [min(max(a/(a+b) + k*sqrt(a*b/((a+b)**2*(a+b+1))), mpf(0)), mpf(1)) for a, b in arms for k in (-9, -5, -3, -1.5, 0, 1.5, 3, 5, 9)]))
    for k, (a, b) in enumerate(arms):
        rest = [x for j, x in enumerate(arms) if j != k]
        def p(x):
            v = dens(x, a, b)
            for r in rest: v *= cdf(x, *r)
            return v
        def l(x):
            v = mpf(1)
            for r in rest: v *= cdf(x, *r)
            return cdf(x, a, b) * (1 - v)
        out["best%d" % k] = quad(p, pts)
        out["loss%d" % k] = quad(l, pts)
    return out
mp.dps = 25
for name, arms in [("small", ((3, 10), (6, 10))), ("conversion", ((200, 10000), (250, 10000))), ("none", ((0, 20), (0, 35))), ("three", ((12, 100), (15, 90), (9, 110))),
                   ("four", ((0, 7), (1, 5), (2, 9), (2, 4))), ("far", ((10, 200), (60, 210)))]:
    arms2 = [(mpf(x + 1), mpf(n - x + 1)) for x, n in arms]
    want = beliefs(arms2)
    if len(arms) == 2:  # the closed sum of Miller for integers
        (a1, b1), (a2, b2) = arms2
        s = sum(exp(loggamma(a1+i) + loggamma(b1+b2) - loggamma(a1+i+b1+b2) - log(b2+i) - (loggamma(1+i)+loggamma(b2)-loggamma(1+i+b2)) - (loggamma(a1)+loggamma(b1)-loggamma(a1+b1))) for i in range(int(a2)))
        assert abs(s / want["best1"] - 1) < 1e-12, (name, s, want["best1"])
    args = {"arms": len(arms)}
    for i, (x, n) in enumerate(arms): args.update({"x%d" % i: x, "n%d" % i: n})
    add("beliefs " + name, args, want, 1e-9)
mp.dps = 40

# chi-squared of sample ratios
for obs, share in [((50420, 49580), (1, 1)), ((1000, 2100, 2950), (1, 2, 3)), ((89000, 11000), (.9, .1))]:
    n, s = mpf(sum(obs)), sum(map(mpf, map(str, share)))
    e = [n * mpf(str(w)) / s for w in share]
    x2 = sum((mpf(o) - w) ** 2 / w for o, w in zip(obs, e))
    args = {"arms": len(obs)}
    for i in range(len(obs)): args.update({"o%d" % i: obs[i], "s%d" % i: share[i]})
    add("srm %s" % (obs,), args, {"chi2": x2, "p": gammainc(mpf(len(obs) - 1) / 2, x2 / 2, inf, regularized=True)}, 1e-11)

# power of Student's t: P(|T| > crit) of the non-central t, by quadrature over the chi distribution
def nct_tail(t, nu, d):
    c = log(2) + nu/2*log(nu/2) - loggamma(nu/2)
    w = 14/sqrt(2*nu)
    g = lambda v: exp(c + nu*v - nu/2*exp(2*v)) * erfc(-(d - t*exp(v))/sqrt(mpf(2)))/2
    return quad(g, linspace(-w - 45/nu, w, 40))
mp.dps = 25
for n, k, d, level in [(20, 1, "0.6", "0.95"), (5, 1, "1.5", "0.95"), (3, 2, "0.5", "0.9"), (1570, 1, "0.1", "0.95"), (400, 0.5, "0.2", "0.99")]:
    n_, k_, d_ = mpf(n), mpf(k), mpf(d)
    nu = n_*(1+k_) - 2
    ncp = d_ * sqrt(n_/(1+1/k_))
    crit = t_quantile(level, nu)
    p = nct_tail(crit, nu, ncp) + nct_tail(crit, nu, -ncp)
    ref = stats.nct.sf(float(crit), float(nu), float(ncp)) + stats.nct.cdf(-float(crit), float(nu), float(ncp))
    assert abs(ref / float(p) - 1) < 1e-6, (ref, p)
    add("t power %s" % n, {"n": n, "allocation": k, "d": d, "level": level}, {"power": p}, 1e-10)

out = {"source": "mpmath with 25 to 40 digits", "generator": "testdata/computed.py", "tolerance": 1e-11, "rows": rows}
with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "computed.json"), "w") as fh:
    json.dump(out, fh, indent=1)
    fh.write("\n")
