"""Reads the text format of Prometheus, version 0.0.4, strictly."""

import re

NAME = r"[a-zA-Z_:][a-zA-Z0-9_:]*"
SAMPLE = re.compile(rf"({NAME})(?:\{{(.*)\}})? (NaN|[+-]Inf|[+-]?[0-9.eE+-]+)\Z")
LABEL = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\["\\n])*)"(?:,|\Z)')


def parse_metrics(text):
    """{family: (type, [(name, labels, value)])}; strict as the text format 0.0.4 is written down."""
    assert text.endswith("\n")
    families, family = {}, None
    seen = set()
    for line in text.split("\n")[:-1]:
        if line.startswith("# HELP "):
            continue
        if line.startswith("# TYPE "):
            _, _, family, kind = line.split(" ")
            assert kind in ("counter", "gauge", "histogram") and re.fullmatch(NAME, family)
            assert family not in families, f"{family} twice"
            families[family] = (kind, [])
            continue
        match = SAMPLE.match(line)
        assert match, line
        name, inner, value = match.groups()
        labels, at = {}, 0
        while inner and at < len(inner):
            label = LABEL.match(inner, at)
            assert label, line
            assert label.group(1) not in labels, line
            labels[label.group(1)] = label.group(2)
            at = label.end()
        base = re.sub(r"_(bucket|sum|count)$", "", name)
        assert family is not None and (name == family or base == family), f"{name} outside of its family {family}"
        key = (name, tuple(sorted(labels.items())))
        assert key not in seen, f"{key} twice"
        seen.add(key)
        families[family][1].append((name, labels, float(value.replace("Inf", "inf"))))
    return families


def check_histogram(name, samples):
    series = {}
    for sample, labels, value in samples:
        rest = tuple(sorted((k, v) for k, v in labels.items() if k != "le"))
        entry = series.setdefault(rest, {"buckets": [], "count": None, "sum": None})
        if sample.endswith("_bucket"):
            entry["buckets"].append((float(labels["le"].replace("Inf", "inf")), value))
        else:
            entry[sample.rsplit("_", 1)[1]] = value
    for entry in series.values():
        bounds = [bound for bound, _ in entry["buckets"]]
        counts = [count for _, count in entry["buckets"]]
        assert bounds == sorted(bounds) and bounds[-1] == float("inf") and counts == sorted(counts), name
        assert counts[-1] == entry["count"] and entry["sum"] is not None, name
    return series
