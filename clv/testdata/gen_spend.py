"""Computes gammagamma_box.json and normalnormal.json: values of the models of spend at random points of a wide box.

The definitions are integrated over what differs between customers, the rate nu of gamma-gamma and the customer's mean of
normal-normal, with 30 digits; the closed forms must agree.
Run: python3 gen_spend.py gammagamma > gammagamma_box.json; python3 gen_spend.py normalnormal > normalnormal.json (mpmath).
"""
import json
import random
import sys

from mpmath import mp, mpf, exp, log, loggamma, pi, sqrt

from mixture import integral, log_gamma_density


def gammagamma(rng, log_uniform):
    p, q = log_uniform(0.01, 50), log_uniform(0.01, 50)
    scale = log_uniform(1e-4, 1e4)
    gamma = float("%.6g" % (scale / p))
    x = rng.choice([1, 1, 2, 5, 20, 100, 500, 5000])
    mean = float("%.6g" % (scale * rng.choice([0.001, 0.3, 1, 3, 1000]) * (0.5 + rng.random())))
    P, Q, G, Z = map(mpf, (p, q, gamma, mean))
    density = log_gamma_density(Q, G)

    def given(y):
        """The mean of x purchases is gamma with the shape p x and the rate x nu, y = ln nu."""
        shape = P * x
        return shape * (log(mpf(x)) + y) - loggamma(shape) + (shape - 1) * log(Z) - x * exp(y) * Z + density(y)
    ln = integral(given)
    closed = (loggamma(P * x + Q) - loggamma(P * x) - loggamma(Q) + Q * log(G) + (P * x - 1) * log(Z) + P * x * log(mpf(x))
              - (P * x + Q) * log(G + x * Z))
    assert abs(ln - closed) < mpf(10) ** -15 * (1 + abs(ln)), (ln, closed)
    want = {"log_likelihood": ln, "mean": mpf("inf")}
    if P * x + Q > 1 + mpf(10) ** -3:
        # The mean given nu is p/nu.
        want["mean"] = P * exp(integral(lambda y: given(y) - y) - ln)
    elif P * x + Q > 1:
        want["mean"] = P * (G + x * Z) / (P * x + Q - 1)  # the integral is long
    return dict(p=p, q=q, gamma=gamma, x=x, mean=mean), want


def normalnormal(rng, log_uniform):
    mu = rng.choice([-1, 1]) * log_uniform(1e-4, 1e4)
    tau, sigma = log_uniform(1e-4, 1e4), log_uniform(1e-4, 1e4)
    x = rng.choice([1, 1, 2, 5, 20, 100, 500, 5000])
    M, TA, SI = map(mpf, (mu, tau, sigma))
    mean = float("%.9g" % (M + rng.gauss(0, 2) * sqrt(TA ** 2 + SI ** 2 / x)))
    Z = mpf(mean)
    # The customer's mean as center + width y, so that the integrand is neither narrow nor far away.
    width = 1 / sqrt(1 / TA ** 2 + x / SI ** 2)
    center = width ** 2 * (M / TA ** 2 + Z * x / SI ** 2)

    def given(y):
        m = center + width * y
        return (log(width) - log(2 * pi * TA * SI / sqrt(mpf(x))) - (m - M) ** 2 / (2 * TA ** 2)
                - (Z - m) ** 2 * x / (2 * SI ** 2))
    ln = integral(given)
    v = TA ** 2 + SI ** 2 / x
    assert abs(ln - (-log(2 * pi * v) / 2 - (Z - M) ** 2 / (2 * v))) < mpf(10) ** -15 * (1 + abs(ln))
    shift = 60 * width + abs(center)  # keeps what is integrated positive
    value = exp(integral(lambda y: given(y) + log(shift + max(-shift, center + width * y))) - ln) - shift
    exact = (x * TA ** 2 * Z + SI ** 2 * M) / (x * TA ** 2 + SI ** 2)
    assert abs(value - exact) < mpf(10) ** -14 * (abs(exact) + width), (value, exact)
    return dict(mu=mu, tau=tau, sigma=sigma, x=x, mean=mean), {"log_likelihood": ln, "mean": exact}


def main():
    draw = {"gammagamma": gammagamma, "normalnormal": normalnormal}[sys.argv[1]]
    rng = random.Random(20130225 + len(sys.argv[1]))
    log_uniform = lambda lo, hi: float("%.6g" % (lo * (hi / lo) ** rng.random()))
    rows = []
    while len(rows) < 200:
        args, want = draw(rng, log_uniform)
        rows.append({"name": "point %d" % len(rows), "args": args, "want": {k: mp.nstr(v, 20) for k, v in want.items()}})
    print(json.dumps({"source": "definition of the model, 30 digits", "generator": "testdata/gen_spend.py",
                      "tolerance": 1e-10, "rows": rows}, indent=1))


main()
