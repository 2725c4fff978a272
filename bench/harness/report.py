"""Ratios with their spread, verdicts, and the tables people read."""

from statistics import median

from .measure import BUSY_PERCENT, SUBJECT, Row

IDLE_BYTES_MAX = 1536          # the target: 1.5 KiB an idle client
# Differences under 8 % are noise on a shared machine. With 2,000 backends the kernel has 2,000 more sockets
# in the caches, which costs any proxy about a tenth: the peers' figures stand beside.
FLAT_RATIO_MAX = {"backends": 1.20, "routes": 1.10, "files": 1.10}
SPREAD = ("median", "min", "max")


def spread(values: list[float]) -> dict:
    return dict(zip(SPREAD, (median(values), min(values), max(values)))) if values else {}


def written(values: dict, digits: int = 2) -> str:
    """median (min–max)"""
    if "median" not in values:
        return "–"
    return f"{values['median']:.{digits}f} ({values['min']:.{digits}f}–{values['max']:.{digits}f})"


def paired_ratio(ours: list[dict], theirs: list[dict], key: str) -> dict:
    """Ratio of one figure, round by round, of the rounds that count for both; of all where none does."""
    pairs = [(a, b) for a, b in zip(ours, theirs) if b[key] > 0]
    valid = [(a, b) for a, b in pairs if a["is_valid"] and b["is_valid"]]
    ratios = [a[key] / b[key] for a, b in valid or pairs]
    return {**spread(ratios), "valid_rounds": len(valid), "rounds": len(pairs)}


def row_faults(results: dict, rounds: int) -> list[str]:
    """Why a row does not count; empty when it does."""
    faults = []
    for name, measured in results.items():
        errors = sum(result["errors"] for result in measured)
        if errors:
            faults.append(f"{name}: {errors} errors")
        if not all(result["requests"] for result in measured):
            faults.append(f"{name}: a window without one answer")
        busy = sum(result["is_busy"] for result in measured)
        if busy < rounds:
            lowest = min(result["core_busy_percent"] for result in measured)
            faults.append(f"{name}: core busy in {busy} of {len(measured)} rounds (lowest {lowest:.0f} %)")
        if sum(result["is_undisturbed"] for result in measured) < rounds:
            faults.append(f"{name}: others used the cores")
        if sum(result["is_at_rate"] for result in measured) < rounds:
            faults.append(f"{name}: did not keep the rate")
    return faults


def verdict(value: float | None, limit: float | None, faults: list[str]) -> str:
    if value is None or limit is None:
        return ""
    if faults:
        return "INVALID"
    return "pass" if value <= limit else "MISS"


def judge_row(row: Row, results: dict, rounds: int) -> dict:
    """Everything a table needs of one row."""
    faults = row_faults(results, rounds)
    judged = {"title": row.title, "faults": faults, "ratios": {}, "proxies": {}}
    for name, measured in results.items():
        judged["proxies"][name] = {
            key: spread([result[key] for result in measured])
            for key in ("cpu_us_per_request", "requests_per_second", "p50_us", "p99_us", "core_busy_percent",
                        "load_core_busy_percent", "bytes_per_request")}
    for name, measured in results.items():
        if SUBJECT in results and name != SUBJECT:
            ratio = paired_ratio(results[SUBJECT], measured, "cpu_us_per_request")
            limit = row.targets.get(name)
            judged["ratios"][f"{SUBJECT}/{name}"] = {
                **ratio, "target": limit, "verdict": verdict(ratio.get("median"), limit, faults)}
    if {"haproxy", "nginx"} <= results.keys():
        judged["ratios"]["haproxy/nginx"] = paired_ratio(
            results["haproxy"], results["nginx"], "cpu_us_per_request")
    if row.rate:
        judged["p99"] = judge_p99(results, faults)
    return judged


def judge_p99(results: dict, faults: list[str]) -> dict:
    """p99 of Trilith over the better peer's, paired by round."""
    peers = [name for name in results if name != SUBJECT]
    if SUBJECT not in results or not peers:
        return {}
    better = min(peers, key=lambda name: median(result["p99_us"] for result in results[name]))
    ratio = paired_ratio(results[SUBJECT], results[better], "p99_us")
    return {"better_peer": better, **ratio, "target": 1.0,
            "verdict": verdict(ratio.get("median"), 1.0, faults)}


def judge_idle(results: dict) -> dict:
    judged = {}
    for name, measured in results.items():
        faults = [f"{result['clients']} clients, {result['errors']} errors, {result['lost']} lost"
                  for result in measured if not result["is_valid"]]
        pss = spread([result["pss_bytes_per_client"] for result in measured])
        rss = spread([result["rss_bytes_per_client"] for result in measured])
        limit = IDLE_BYTES_MAX if name == SUBJECT else None
        clients = min(result["clients"] for result in measured)
        judged[name] = {"clients": clients, "pss_bytes_per_client": pss, "rss_bytes_per_client": rss,
                        "faults": faults, "target": limit,
                        "verdict": verdict(pss.get("median"), limit, faults)}
    return judged


def judge_flat(results: dict) -> dict:
    """For each count the paired ratio to the smallest count."""
    judged: dict = {}
    for kind, by_proxy in results.items():
        for name, by_count in by_proxy.items():
            smallest = min(by_count, key=int)
            for count, measured in by_count.items():
                errors = sum(result["errors"] for result in measured)
                ratio = paired_ratio(measured, by_count[smallest], "cpu_us_per_request")
                limit = FLAT_RATIO_MAX.get(kind) if name == SUBJECT and count != smallest else None
                faults = [f"{errors} errors"] if errors else []
                judged.setdefault(kind, {}).setdefault(name, {})[str(count)] = {
                    "cpu_us_per_request": spread([result["cpu_us_per_request"] for result in measured]),
                    "ratio_to_smallest": ratio, "target": limit, "faults": faults,
                    "verdict": verdict(ratio.get("median"), limit, faults)}
    return judged


def row_line(name: str, row: dict) -> str:
    """One line for the terminal, right after a row was measured."""
    parts = [f"{proxy} {figures['cpu_us_per_request']['median']:.2f} us"
             for proxy, figures in row["proxies"].items()]
    for pair, ratio in row["ratios"].items():
        judgement = f" {ratio['verdict']} (≤ {ratio['target']:.2f})" if ratio.get("verdict") else ""
        parts.append(f"{pair} {written(ratio)}{judgement}")
    if row.get("p99"):
        parts.append(f"p99 ÷ {row['p99']['better_peer']} {written(row['p99'])} {row['p99']['verdict']}")
    return f"{name:8} " + "  ".join(parts) + ("  [" + "; ".join(row["faults"]) + "]" if row["faults"] else "")


def ratio_cell(ratio: dict | None) -> str:
    if not ratio:
        return "–"
    target = f", target ≤ {ratio['target']:.2f}: **{ratio['verdict']}**" if ratio.get("target") else ""
    return written(ratio) + target


def rows_table(rows: dict) -> list[str]:
    pairs = (f"{SUBJECT}/haproxy", f"{SUBJECT}/nginx", "haproxy/nginx")
    lines = ["| work | Trilith ÷ haproxy | Trilith ÷ nginx | haproxy ÷ nginx | counts |",
             "|---|---|---|---|---|"]
    for row in rows.values():
        cells = [ratio_cell(row["ratios"].get(pair)) for pair in pairs]
        lines.append(f"| {row['title']} | " + " | ".join(cells) + f" | {'; '.join(row['faults']) or 'yes'} |")
    lines += ["", "| work | proxy | CPU µs a request | requests/s | p50 µs | p99 µs | core % | load core % |",
              "|---|---|---|---|---|---|---|---|"]
    for row in rows.values():
        for name, figures in row["proxies"].items():
            cells = [f"{figures[key]['median']:.0f}" for key in (
                "requests_per_second", "p50_us", "p99_us", "core_busy_percent", "load_core_busy_percent")]
            lines.append(f"| {row['title']} | {name} | {written(figures['cpu_us_per_request'])} | "
                         + " | ".join(cells) + " |")
    for row in rows.values():
        if row.get("p99"):
            p99 = row["p99"]
            lines += ["", f"p99, {row['title']}: Trilith ÷ {p99['better_peer']} (the better peer) "
                          f"{ratio_cell(p99)}."]
    return lines


def idle_table(idle: dict) -> list[str]:
    lines = ["", "## Memory of an idle keep-alive client, after one request", "",
             "| proxy | clients | PSS bytes a client | RSS bytes a client | target | |",
             "|---|---|---|---|---|---|"]
    for name, figures in idle.items():
        target = f"≤ {figures['target']}" if figures["target"] else ""
        lines.append(f"| {name} | {figures['clients']:,} | "
                     f"{written(figures['pss_bytes_per_client'], 0)} | "
                     f"{written(figures['rss_bytes_per_client'], 0)} | {target} | "
                     f"{figures['verdict']} {'; '.join(figures['faults'])} |")
    return lines


def flat_table(flat: dict, title: str) -> list[str]:
    limits = ", ".join(f"{kind} ≤ {FLAT_RATIO_MAX[kind]:.2f}" for kind in flat if kind in FLAT_RATIO_MAX)
    lines = ["", f"## {title}", "",
             f"CPU time a request, as a ratio to the smallest count, paired by round; flat: {limits}.", "",
             "| of what | proxy | count | CPU µs a request | ratio | |", "|---|---|---|---|---|---|"]
    for kind, by_proxy in flat.items():
        for name, by_count in by_proxy.items():
            for count, figures in by_count.items():
                lines.append(f"| {kind} | {name} | {count} | {written(figures['cpu_us_per_request'])} | "
                             f"{written(figures['ratio_to_smallest'])} | "
                             f"{figures['verdict']} {'; '.join(figures['faults'])} |")
    return lines


def heading(result: dict, title: str) -> list[str]:
    machine, plan = result["machine"], result["plan"]
    versions = ", ".join(f"{name} {version}" for name, version in result["versions"].items())
    return [f"# {title}", "",
            "Ratios of CPU time a request, paired by round: median (lowest–highest). How: bench/README.md.",
            "", f"{machine['kernel']}; {machine['processor']}, {machine['processors']} processors, TCP "
            f"{machine['tcp_congestion_control']}; {versions}. "
            f"{plan['rounds']} rounds of {plan['seconds']:g} s after {plan['warm_up']:g} s of warm-up."]


def markdown(result: dict) -> str:
    lines = heading(result, "Trilith beside HAProxy and nginx")
    for variant, measured in result["load"].items():
        lines += ["", f"## Access log {variant}", ""] + rows_table(measured["rows"])
        sets = {tuple(names) for names in measured["headers_added"].values()}
        if len(sets) > 1:
            lines += ["", "The header fields added differ: " + "; ".join(
                f"{name}: {', '.join(names)}" for name, names in measured["headers_added"].items()) + "."]
        else:
            lines += ["", f"Header fields added by each: {', '.join(*sets)}."]
    if result.get("idle"):
        lines += idle_table(result["idle"])
    if result.get("flat"):
        lines += flat_table(result["flat"], "Does the cost stay flat?")
    return "\n".join(lines) + "\n"


def misses(result: dict) -> list[str]:
    """Every target that was missed or could not be judged."""
    found = []
    for variant, measured in result["load"].items():
        for name, row in measured["rows"].items():
            judged = {**row["ratios"], **({"p99": row["p99"]} if row.get("p99") else {})}
            found += [f"{name}, log {variant}, {pair}: {ratio['verdict']}"
                      for pair, ratio in judged.items() if ratio.get("verdict") in ("MISS", "INVALID")]
    found += [f"idle, {name}: {figures['verdict']}" for name, figures in (result.get("idle") or {}).items()
              if figures["verdict"] in ("MISS", "INVALID")]
    return found + flat_misses(result.get("flat") or {})


def flat_misses(flat: dict) -> list[str]:
    return [f"flat, {count} {kind}: {figures['verdict']}" for kind, by_proxy in flat.items()
            for by_count in by_proxy.values() for count, figures in by_count.items()
            if figures["verdict"] in ("MISS", "INVALID")]
