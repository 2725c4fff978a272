"""The tables of the web server, the program and the chain; and of memory beside copies of the file."""

from . import report


def judge_rows(rows: dict, measured: dict, rounds: int) -> dict:
    return {name: report.judge_row(rows[name], results, rounds)
            for name, results in measured.items() if results}


def judge_directory(results: dict, rounds: int) -> dict:
    """As report.judge_flat(), but a count only counts when core and rounds were as in a row of load."""
    judged = report.judge_flat(results)
    for kind, by_server in results.items():
        for name, by_count in by_server.items():
            for figures in judged[kind][name].values():
                figures["faults"] = report.row_faults(by_count, rounds)
                figures["verdict"] = report.verdict(
                    figures["ratio_to_smallest"].get("median"), figures["target"], figures["faults"])
    return judged


def rows_table(rows: dict) -> list[str]:
    lines = ["| work | Trilith ÷ | CPU time a request | counts |", "|---|---|---|---|"]
    for row in rows.values():
        for pair, ratio in row["ratios"].items():
            peer = pair.partition("/")[2]
            lines.append(f"| {row['title']} | {peer} | {report.ratio_cell(ratio)} | "
                         f"{'; '.join(row['faults']) or 'yes'} |")
    lines += ["", "| work | server | CPU µs a request | requests/s | bytes a request | p50 µs | p99 µs "
              "| core % | load core % |", "|---|---|---|---|---|---|---|---|---|"]
    for row in rows.values():
        for name, figures in row["proxies"].items():
            cells = [f"{figures[key]['median']:.0f}" for key in (
                "requests_per_second", "bytes_per_request", "p50_us", "p99_us", "core_busy_percent",
                "load_core_busy_percent")]
            lines.append(f"| {row['title']} | {name} | {report.written(figures['cpu_us_per_request'])} | "
                         + " | ".join(cells) + " |")
    return lines


def fields_lines(fields: dict) -> list[str]:
    """Which header fields the answers have; a row that has the same as another is named with it."""
    by_fields: dict = {}
    for row, by_server in fields.items():
        for server, names in by_server.items():
            by_fields.setdefault((server, ", ".join(names)), []).append(row)
    return ["", "Header fields of the answers (asked for with `Connection: close`):", "",
            *(f"- {server} ({', '.join(rows)}): {names}" for (server, names), rows in by_fields.items())]


def markdown_of_all(result: dict) -> str:
    """The whole report: the balancer's rows, then these."""
    return report.markdown(result) + "".join(f"{line}\n" for line in section(result["web"]))


def section(web: dict) -> list[str]:
    """The lines of the web rows; empty when none was measured."""
    lines: list[str] = []
    if web.get("rows"):
        lines += ["", "## Files, programs, and balancer with web server", "",
                  "Without access log. A second row of nginx shows another configuration of it.", ""]
        lines += rows_table(web["rows"]) + fields_lines(web["fields"])
    if web.get("directory"):
        lines += report.flat_table(web["directory"], "Does a large directory cost more?")
    return lines


def misses(web: dict) -> list[str]:
    found = [f"{name}, {pair}: {ratio['verdict']}" for name, row in web.get("rows", {}).items()
             for pair, ratio in row["ratios"].items() if ratio.get("verdict") in ("MISS", "INVALID")]
    return found + report.flat_misses(web.get("directory") or {})


def judge_crossover(measured: list[dict], rounds: int) -> list[dict]:
    judged = []
    for one in measured:
        by_way = one["rounds"]
        judged.append({
            "size": one["size"], "files": one["files"], "faults": report.row_faults(by_way, rounds),
            "cpu_us_per_request": {name: report.spread([result["cpu_us_per_request"] for result in results])
                                   for name, results in by_way.items()},
            "ratio": report.paired_ratio(by_way["memory"], by_way["copies"], "cpu_us_per_request"),
            "rounds": by_way})
    return judged


def crossover_line(judged: dict) -> str:
    times = "  ".join(f"{name} {figures['median']:.2f} us"
                      for name, figures in judged["cpu_us_per_request"].items())
    faults = "  [" + "; ".join(judged["faults"]) + "]" if judged["faults"] else ""
    ratio = f"memory/copies {report.written(judged['ratio'])}"
    return f"{judged['size']:5} {judged['files']:2} files  {times}  {ratio}{faults}"


def crossover_markdown(result: dict) -> str:
    lines = [*report.heading(result, "Memory beside copies of the file"), "",
             "Trilith's web server with `[web.cache] memory` above and below the file's size: CPU time a "
             "request. One file stays in the processor's caches; of 64, each request asks for the next.", "",
             "| size | files | from memory, µs | in copies, µs | memory ÷ copies | counts |",
             "|---|---|---|---|---|---|"]
    for one in result["crossover"]:
        times = one["cpu_us_per_request"]
        lines.append(f"| {one['size']} | {one['files']} | {report.written(times['memory'])} | "
                     f"{report.written(times['copies'])} | {report.written(one['ratio'])} | "
                     f"{'; '.join(one['faults']) or 'yes'} |")
    return "\n".join(lines) + "\n"
