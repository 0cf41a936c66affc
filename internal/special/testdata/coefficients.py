#!/usr/bin/env python3
"""Prints the constants of psi.go, incgamma.go and kronrod.go, computed by mpmath with 60 digits."""
from mpmath import cos, findroot, fsum, lu_solve, matrix, mp, mpf, nstr, pi, psi, zeta

mp.dps = 60


def digamma():
    """ψ(x)/(x − root) on [1, 2] in powers of x − 3/2, by interpolation at Chebyshev points."""
    root = findroot(lambda x: psi(0, x), 1.4616321449683623)
    high = float(root)
    print("root", repr(high), repr(float(root - mpf(high))))
    n = 24
    nodes = [cos(pi * (k + mpf(1) / 2) / n) / 2 for k in range(n)]
    a = matrix(n, n)
    b = matrix(n, 1)
    for i, t in enumerate(nodes):
        x = t + mpf(3) / 2
        b[i] = psi(0, x) / (x - root)
        for j in range(n):
            a[i, j] = t ** j
    print("\n".join(nstr(c, 20) for c in lu_solve(a, b)))


def legendre(n, x):
    p, q = mpf(1), x
    if n == 0:
        return p
    for k in range(2, n + 1):
        p, q = q, ((2 * k - 1) * x * q - (k - 1) * p) / k
    return q


def slope(n, x):
    return n * (x * legendre(n, x) - legendre(n - 1, x)) / (x * x - 1)


def gauss(n):
    """Nodes and weights of the Gauss-Legendre rule."""
    xs = []
    for i in range(n):
        x = -cos(pi * (i + mpf(3) / 4) / (n + mpf(1) / 2))
        for _ in range(10):
            x -= legendre(n, x) / slope(n, x)
        xs.append(x)
    return xs, [2 / ((1 - x * x) * slope(n, x) ** 2) for x in xs]


def kronrod(n):
    """Nodes, Kronrod weights and Gauss weights from the Stieltjes polynomial of degree n+1."""
    m = n + 1
    xs, ws = gauss(3 * n + 6)
    odd = list(range(m % 2, m, 2))
    a = matrix(len(odd), len(odd))
    b = matrix(len(odd), 1)
    for r, j in enumerate(odd):
        for q, k in enumerate(odd):
            a[r, q] = fsum(w * legendre(n, x) * legendre(j, x) * legendre(k, x) for x, w in zip(xs, ws))
        b[r] = -fsum(w * legendre(n, x) * legendre(j, x) * legendre(m, x) for x, w in zip(xs, ws))
    e = lu_solve(a, b)

    def stieltjes(x):
        return legendre(m, x) + fsum(c * legendre(k, x) for c, k in zip(e, odd))

    inner, weights = gauss(n)
    ends = [mpf(-1)] + inner + [mpf(1)]
    outer = [findroot(stieltjes, (ends[i], ends[i + 1]), solver="bisect", tol=1e-110, maxsteps=250, verify=False) for i in range(m)]
    nodes = sorted(inner + outer)
    t = matrix(len(nodes), len(nodes))
    one = matrix(len(nodes), 1)
    one[0] = 2
    for r in range(len(nodes)):
        for q, x in enumerate(nodes):
            t[r, q] = legendre(r, x)
    for x, w in zip(nodes, lu_solve(t, one)):
        if x > -1e-30:
            g = [v for y, v in zip(inner, weights) if abs(x - y) < 1e-30]
            print(nstr(abs(x), 22), nstr(w, 22), nstr(g[0], 22) if g else "")


digamma()
print("\n".join(nstr((-1) ** k * (zeta(k) - 1) / k, 20) for k in range(2, 16)))
kronrod(10)
