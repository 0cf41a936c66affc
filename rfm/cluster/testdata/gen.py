"""Writes silhouette.json: silhouettes of small sets of points by their definition, with 40 digits."""
import json
from mpmath import mp, mpf, sqrt

mp.dps = 40
sets = {
    "two pairs": ([(0, 0), (0, 1), (5, 0), (5, 1)], [0, 0, 1, 1]),
    "a cluster of one": ([(0, 0), (1, 0), (1, 1), (7, 3)], [0, 0, 0, 1]),
    "three on a line": ([(0, 0), (1, 0), (4, 0), (6, 0), (13, 0), (14, 0), (15, 0)], [0, 0, 1, 1, 2, 2, 2]),
    "badly parted": ([(0, 0), (2, 0), (1, 0), (3, 0)], [0, 0, 1, 1]),
}


def dist(p, q):
    return sqrt(sum((mpf(a) - b) ** 2 for a, b in zip(p, q)))


def silhouette(points, labels):
    total = mpf(0)
    for i, p in enumerate(points):
        mean = {}
        for label in set(labels):
            others = [q for j, q in enumerate(points) if labels[j] == label and j != i]
            if others:
                mean[label] = sum(dist(p, q) for q in others) / len(others)
        if labels.count(labels[i]) == 1:
            continue
        a = mean[labels[i]]
        b = min(v for label, v in mean.items() if label != labels[i])
        total += (b - a) / max(a, b)
    return total / len(points)


rows = []
for name, (points, labels) in sets.items():
    args = {"n": len(points)}
    for i, (p, label) in enumerate(zip(points, labels)):
        args.update({f"x{i}": p[0], f"y{i}": p[1], f"label{i}": label})
    rows.append({"name": name, "args": args, "want": {"silhouette": mp.nstr(silhouette(points, labels), 25)}})
with open("testdata/silhouette.json", "w") as f:
    json.dump({"source": "Rousseeuw 1987, by the definition, 40 digits", "generator": "testdata/gen.py",
               "tolerance": 1e-14, "rows": rows}, f, indent=1)
