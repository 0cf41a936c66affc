"""High-precision integrals of positive functions given by their logarithms, for the generators of golden values.

integral(f) is the log of the integral of exp(f) over the real line, for an f that is analytic near it and falls off at
both ends: the trapezoidal rule in w, where u = peak + sinh(w), halved until two rules agree to 18 digits, or as many as
are asked for. With y = ln u for a gamma variable and y = logit p for a beta variable the densities of the mixing
distributions are such functions.
"""
from mpmath import mp, mpf, exp, log, log1p, loggamma

mp.dps = 30
CUT = 60  # nats below the peak at which the rule ends: exp(-60) is 9e-27


def softplus(y):
    """ln(1+e^y)."""
    return y + log1p(exp(-y)) if y > 0 else log1p(exp(y))


def log_gamma_density(shape, rate):
    """The log density of ln u for u ~ Gamma(shape, rate)."""
    norm = shape * log(rate) - loggamma(shape)
    return lambda y: norm + shape * y - rate * exp(y)


def log_beta_density(a, b):
    """The log density of logit p for p ~ Beta(a, b)."""
    norm = loggamma(a + b) - loggamma(a) - loggamma(b)
    return lambda y: norm - a * softplus(-y) - b * softplus(y)


def peak(f, lo=mpf(-3000), hi=mpf(3000), steps=40):
    """The place of the maximum: the best of a grid, then the golden section around it."""
    def value(y):
        v = f(y)
        return v if v == v else mpf("-inf")
    grid = [lo + (hi - lo) * i / 1200 for i in range(1201)]
    best = max(range(1201), key=lambda i: value(grid[i]))
    lo, hi = grid[max(0, best - 1)], grid[min(1200, best + 1)]
    ratio = (mp.sqrt(5) - 1) / 2
    c, d = hi - ratio * (hi - lo), lo + ratio * (hi - lo)
    fc, fd = value(c), value(d)
    for _ in range(steps):
        if fc > fd:
            hi, d, fd = d, c, fc
            c = hi - ratio * (hi - lo)
            fc = value(c)
        else:
            lo, c, fc = c, d, fd
            d = lo + ratio * (hi - lo)
            fd = value(d)
    return (lo + hi) / 2


def edge(f, top, at, direction):
    """A point beyond which f is CUT below its top."""
    step = mpf(1) / 64
    while f(at + direction * step) > top - CUT:
        step *= 2
        if step > 1e6:
            raise ValueError("no end")
    lo, hi = step / 2, step
    for _ in range(8):
        mid = (lo + hi) / 2
        if f(at + direction * mid) > top - CUT:
            lo = mid
        else:
            hi = mid
    return at + direction * hi


def rules(fs, f, digits=18):
    """Logs of the integrals of exp(g) for all g in fs, by rules halved until all have converged; f tells where."""
    at = peak(f)
    top = f(at)
    a, b = mp.asinh(edge(f, top, at, -1) - at), mp.asinh(edge(f, top, at, 1) - at)
    tops = [g(at) for g in fs]

    def terms(w):
        u = at + mp.sinh(w)
        weight = mp.cosh(w)
        return [weight * exp(g(u) - t) for g, t in zip(fs, tops)]

    n = 32
    h = (b - a) / n
    total = [mp.fsum(c) for c in zip(*(terms(a + h * i) for i in range(n + 1)))]
    last = [s * h for s in total]
    while n < 60000:
        h /= 2
        more = [mp.fsum(c) for c in zip(*(terms(a + h * (2 * i + 1)) for i in range(n)))]
        total = [s + m for s, m in zip(total, more)]
        n *= 2
        now = [s * h for s in total]
        if all(abs(v - w) <= mpf(10) ** -digits * abs(v) for v, w in zip(now, last)):
            return [log(v) + t for v, t in zip(now, tops)]
        last = now
    raise ValueError("no convergence")


def integral(f, like=None, digits=18):
    """The log of the integral of exp(f); like is a cheaper function that is large where f is, to find the place."""
    return rules([f], like or f, digits)[0]
