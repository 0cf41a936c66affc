"""Maximizes likelihoods that R's survival does not know, with 40 digits, and writes the expected values of the tests:
   cd testdata && python3 golden_parametric.py
Newton's method with derivatives from central differences of step 1e-13; needs mpmath. Data: tenures.csv."""
import csv, json, sys
from mpmath import mp, mpf, log, exp, sqrt, gamma, gammainc, erfc, pi, matrix, lu_solve, expm1, loggamma, inverse, quad, inf, nstr

mp.dps = 40
H = mpf(10) ** -13
data = list(csv.DictReader(open("tenures.csv")))


def gengamma(t, eta, s, q):
    w = (log(t) - eta) / s
    if q == 0:
        return log(erfc(w / sqrt(2)) / 2), -w * w / 2 - log(2 * pi) / 2 - log(s * t)
    k = 1 / q ** 2
    u = k * exp(q * w)
    upper = gammainc(k, u, inf, regularized=True)
    return log(upper if q > 0 else 1 - upper), log(abs(q)) + k * log(k) + k * (q * w - exp(q * w)) - log(s * t) - loggamma(k)


def gompertz(t, eta, g):
    return -exp(eta) * expm1(g * t) / g, eta + g * t - exp(eta) * expm1(g * t) / g


def weibull(t, eta, s):
    w = (log(t) - eta) / s
    return -exp(w), w - exp(w) - log(s * t)


def lognormal(t, eta, s):
    return gengamma(t, eta, s, mpf(0))


def loglogistic(t, eta, s):
    w = (log(t) - eta) / s
    return -log(1 + exp(w)), w - 2 * log(1 + exp(w)) - log(s * t)


def loglik(f, rows, theta):
    total = mpf(0)
    for r in rows:
        eta = theta[0] + theta[1] * mpf(r["x1"])
        s, d = f(mpf(r["duration"]), eta, *theta[2:])
        v = d if r["ended"] == "1" else s
        if r.get("use_entry") and mpf(r["entry"]) > 0:
            v -= f(mpf(r["entry"]), eta, *theta[2:])[0]
        total += v * mpf(r["weight"] if r.get("use_weight") else 1)
    return total


def newton(f, rows, theta):
    n = len(theta)
    for _ in range(40):
        at = lambda *moves: loglik(f, rows, [x + sum(H * s for j, s in moves if j == i) for i, x in enumerate(theta)])
        base = at()
        up, down = [at((i, 1)) for i in range(n)], [at((i, -1)) for i in range(n)]
        g = matrix([(up[i] - down[i]) / (2 * H) for i in range(n)])
        h = matrix(n, n)
        for i in range(n):
            h[i, i] = (up[i] - 2 * base + down[i]) / H ** 2
            for j in range(i):
                h[i, j] = h[j, i] = (at((i, 1), (j, 1)) - at((i, 1), (j, -1)) - at((i, -1), (j, 1)) + at((i, -1), (j, -1))) / (4 * H ** 2)
        step = lu_solve(-h, g)
        scale = mpf(1)
        while True:
            trial = [theta[i] + scale * step[i] for i in range(n)]
            if (f in (gompertz,) or trial[2] > 0) and loglik(f, rows, trial) >= base - mpf(10) ** -25:
                break
            scale /= 2
        theta = trial
        if max(abs(s) for s in step) < mpf(10) ** -18:
            return theta, base, inverse(-h)
    raise RuntimeError("no convergence")


def regressions():
    rows = []
    for name, f, start, entry, weight, count in [
            ("gompertz/plain", gompertz, [-3, 0, 0.02], False, False, 160), ("gompertz/both", gompertz, [-3, 0, 0.02], True, True, 160),
            ("weibull/truncated", weibull, [3, 0, 1], True, False, 160), ("log-normal/both", lognormal, [3, 0, 1], True, True, 160),
            ("log-logistic/truncated", loglogistic, [3, 0, 1], True, False, 160),
            ("generalized-gamma/plain", gengamma, [2.5, -0.4, 1.1, 0.5], False, False, 60)]:
        use = [dict(r, use_entry=entry, use_weight=weight) for r in data[:count]]
        theta, value, cov = newton(f, use, [mpf(x) for x in start])
        want = {"log_lik": nstr(value, 20)}
        for i in range(len(theta)):
            want["param%d" % i] = nstr(theta[i], 20)
            for j in range(len(theta)):
                want["cov%d" % (i * len(theta) + j)] = nstr(cov[i, j], 20)
        rows.append({"name": name, "args": {"count": count}, "want": want})
    json.dump({"source": "maximized with 40 digits", "generator": "testdata/golden_parametric.py", "tolerance": 1e-8, "rows": rows},
              open("parametric.json", "w"), indent=1)


if "-d" not in sys.argv:  # only the distributions
    regressions()

# Values of the distributions.
rows = []
curves = [("exponential", {"rate": "0.13"}, lambda t: (-mpf("0.13") * t, log(mpf("0.13")) - mpf("0.13") * t)),
          ("weibull", {"shape": "1.7", "scale": "9"}, lambda t: weibull(t, log(mpf(9)), 1 / mpf("1.7"))),
          ("log-normal", {"mu": "2.2", "sigma": "0.8"}, lambda t: lognormal(t, mpf("2.2"), mpf("0.8"))),
          ("log-logistic", {"shape": "1.6", "scale": "7"}, lambda t: loglogistic(t, log(mpf(7)), 1 / mpf("1.6"))),
          ("gompertz", {"shape": "0.06", "rate": "0.04"}, lambda t: gompertz(t, log(mpf("0.04")), mpf("0.06")))]
for q in ["1.4", "0.3", "0.02", "-0.6"]:
    curves.append(("generalized-gamma", {"mu": "2.1", "sigma": "0.7", "q": q}, lambda t, q=q: gengamma(t, mpf("2.1"), mpf("0.7"), mpf(q))))
mp.dps = 50
for kind, args, f in curves:
    s = lambda t: exp(f(t)[0]) if t > 0 else mpf(1)
    for t in ["0.01", "3", "25"]:
        ls, ld = f(mpf(t))
        want = {"survival": nstr(exp(ls), 20), "cum_hazard": nstr(-ls, 20), "density": nstr(exp(ld), 20), "hazard": nstr(exp(ld - ls), 20)}
        # on the scale of the logarithm, where the integrand is smooth: integral of S(e^y) e^y
        if t == "25" and args.get("q") != "0.02":
            want["restricted_mean"] = nstr(quad(lambda y: s(exp(y)) * exp(y), [-36, -8, 0, 1, 2, log(mpf(25))]), 18)
        rows.append({"name": "%s/%s/%s" % (kind, args.get("q", ""), t), "args": dict(args, t=t), "want": want})
    # integral of t f(t), likewise
    if args.get("q") == "0.02":
        continue
    mean = quad(lambda y: exp(f(exp(y))[1] + 2 * y), [-36, -8, 0, 1, 2, 3, 4, 5, 6, 8, 12, 20, 40, 110] if kind != "gompertz" else [-36, -8, 0, 1, 2, 3, 4, 4.5, 5, 6])
    rows.append({"name": "%s/%s/mean" % (kind, args.get("q", "")), "args": args, "want": {"mean": nstr(mean, 20)}})
json.dump({"source": "computed with 50 digits", "generator": "testdata/golden_parametric.py", "tolerance": 1e-12, "rows": rows},
          open("distributions.json", "w"), indent=1)
