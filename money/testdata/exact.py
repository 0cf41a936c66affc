#!/usr/bin/env python3
"""Writes exact.json: allocation by largest remainder, proration and ratios in exact rational arithmetic.

Run: python3 exact.py > exact.json
"""
import json
import random
from fractions import Fraction

rng = random.Random(11)


def largest_remainder(total, weights):
    whole, sign = sum(weights), -1 if total < 0 else 1
    shares = [Fraction(abs(total) * w, whole) for w in weights]
    parts = [s.numerator // s.denominator for s in shares]
    order = sorted(range(len(weights)), key=lambda i: (parts[i] - shares[i], i))
    for i in order[: abs(total) - sum(parts)]:
        parts[i] += 1
    assert sum(parts) == abs(total)
    return [sign * p for p in parts]


def half_even(x):
    return round(x)  # Fraction.__round__ takes a tie to the even neighbour


def allocations():
    for k in range(120):
        n = rng.randint(1, 40)
        top = rng.choice([1, 3, 100, 10**9, 2**63 - 1])
        weights = [rng.randint(0, top) if rng.random() > 0.1 else 0 for _ in range(n)]
        if not any(weights):
            weights[-1] = top
        total = rng.randint(-10**rng.randint(1, 18), 10**rng.randint(1, 18))
        yield {"total": total, "weights": weights, "parts": largest_remainder(total, weights)}


def prorations():
    for k in range(120):
        units = rng.randint(-10**rng.randint(1, 17), 10**rng.randint(1, 17))
        num = rng.choice([rng.randint(0, 31), -rng.randint(1, 10**6), rng.randint(1, 2**63 - 1)])
        den = rng.choice([rng.randint(1, 31), rng.randint(28, 366), 10**12 + 39])
        yield {"units": units, "num": num, "den": den, "want": str(half_even(Fraction(units) * num / den))}


def ratios():
    for k in range(120):
        a = rng.randint(-10**rng.randint(1, 30), 10**rng.randint(1, 30))
        b = rng.randint(1, 10**rng.randint(1, 30))
        sa, sb = rng.randint(0, 6), rng.randint(0, 6)
        f = Fraction(a, 10**sa) / Fraction(b, 10**sb)
        yield {"a": text(a, sa), "b": text(b, sb), "want": repr(f.numerator / f.denominator), "float": repr(a / 10**sa)}


def text(coef, scale):
    digits = str(abs(coef)).rjust(scale + 1, "0")
    sign = "-" if coef < 0 else ""
    return sign + (digits[:-scale] + "." + digits[-scale:] if scale else digits)


def block(rows):
    return "[\n" + ",\n".join(json.dumps(r) for r in rows) + "]"


print('{"source": "exact rational arithmetic of Python\'s fractions and integers", "generator": "testdata/exact.py",')
print('"allocations": %s,\n"prorations": %s,\n"ratios": %s}' % (block(allocations()), block(prorations()), block(ratios())))
