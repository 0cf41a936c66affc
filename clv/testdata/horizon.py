#!/usr/bin/env python3
"""Writes horizon.json: BG/NBD discounted expected purchases in (T, T+H] with 30 digits (mpmath).

The rate of purchases at u of a customer alive at T, with lambda gamma(r', alpha') and p beta(a, b'), is
r'/alpha' 2F1(r'+1, a; a+b'; -u/alpha'); it is integrated against e^(-delta u).
"""
import json
from mpmath import mp, mpf, hyp2f1, quad, exp, nstr, log, expm1

mp.dps = 30

def alive(r, al, a, b, x, tx, T):
    if x == 0:
        return mpf(1)
    return 1 / (1 + a / (b + x - 1) * ((al + T) / (al + tx)) ** (r + x))

def det(r, al, a, b, x, tx, T, H, d):
    R, A, B = r + x, al + T, b + x
    c = A
    S = log(1 + H / c)
    f = lambda s: c * exp(s) * exp(-d * c * expm1(s)) * R / A * hyp2f1(R + 1, a, a + B, -expm1(s))
    n = 12
    return alive(r, al, a, b, x, tx, T) * quad(f, [S * i / n for i in range(n + 1)])

CD = ('0.242594522', '4.41360202', '0.792922083', '2.42590702')
points = [
    (CD, 2, '30.4285714', '38.8571429', '39', '0.0018'),
    (CD, 0, '0', '38.8571429', '52', '0.0018'),
    (CD, 0, '0', '0', '52', '0.0018'),
    (CD, 26, '30.857142857', '31', '52', '0.0027'),
    (CD, 2, '30.4285714', '38.8571429', '520', '0.0018'),
    (CD, 2, '30.4285714', '38.8571429', '5200', '0.01'),
    (CD, 2, '30.4285714', '38.8571429', '100', '3'),
    (CD, 7, '30', '38', '0.5', '0.0018'),
    (CD, 500, '30', '38', '52', '0.0018'),
    (('0.25', '4.4', '1', '2.4'), 3, '30', '38', '52', '0.1'),
    (('0.25', '4.4', '0.4', '0.6'), 0, '0', '10', '30', '0.1'),
    (('3', '0.05', '0.2', '8'), 0, '0', '0', '52', '0.0018'),
    (('1.2', '900', '2', '3'), 4, '600', '900', '365', '0.00026'),
]
rows = []
for (m, x, tx, T, H, d) in points:
    v = [mpf(float(s)) for s in m] + [x] + [mpf(float(s)) for s in (tx, T, H, d)]
    rows.append({
        'name': f'{",".join(m)} x={x} tx={tx} T={T} H={H} delta={d}',
        'args': dict(zip(('r', 'alpha', 'a', 'b', 'x', 'tx', 't', 'horizon', 'delta'), map(float, v))),
        'want': {'discounted': nstr(det(*v), 20)},
    })
json.dump({'source': 'mpmath, 30 digits', 'generator': 'testdata/horizon.py', 'tolerance': 1e-10, 'rows': rows},
          open('testdata/horizon.json', 'w'), indent=1)
