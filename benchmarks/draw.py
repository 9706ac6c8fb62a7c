"""Writes the newest results into the documentation: python benchmarks/draw.py

Tables go between markers in docs/performance.md, one line and a picture into README.md, pictures into docs/. The same
results always give the same bytes.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections.abc import Callable, Iterable
from io import StringIO
from pathlib import Path
from typing import Any

from quota import HEAD, row

ROOT = Path(__file__).resolve().parent.parent
RESULTS = ROOT / "benchmarks" / "results"
PAGE = ROOT / "docs" / "performance.md"
README = ROOT / "README.md"
INK = "#888888"
SHOWN = ("dlt", "duckdb", "pyarrow", "msgspec")
QUIET = (
    ("nothing new", "idle_cpu"),
    ("nothing new, lists due", "lists_cpu"),
    ("nothing new, reports stored, destination looked at", "stored_cpu"),
)
OURS, OTHERS, FLOORS = "#1f77b4", "#b8b8b8", "#d9c58a"
SIZE = (8.0, 3.6)

Report = dict[str, Any]


def main() -> int:
    argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter).parse_args()
    for path, text in drawn().items():
        path.write_text(text)
        print(path.relative_to(ROOT))
    return 0


def newest(kind: str) -> Report:
    """The latest report of a benchmark."""
    reports = [json.loads(path.read_text()) for path in RESULTS.glob(f"*-{kind}.json")]
    return max(reports, key=lambda report: str(report["date"]))


def drawn() -> dict[Path, str]:
    """What each file must hold."""
    files = {PAGE: PAGE.read_text(), README: README.read_text()}
    tables: dict[str, Callable[[Report], str]] = {
        "compare": compare_tables,
        "stages": stages_table,
        "merges": merges_table,
        "memory": memory_table,
        "quota": quota_table,
        "everything": everything_tables,
        "continuous": continuous_table,
        "continuous-core": passes_table,
        "keeping-soak": soak_table,
    }
    for kind, table in tables.items():
        report = newest(kind)
        files[PAGE] = between(files[PAGE], kind, f"{circumstances(report)}\n\n{table(report)}")
    report = newest("compare")
    files[README] = between(files[README], "performance", headline(report))
    files[ROOT / "docs" / "compare.svg"] = compare_picture(report)
    files[ROOT / "docs" / "stages.svg"] = stages_picture(newest("stages"))
    return files


def between(text: str, name: str, content: str) -> str:
    """Replace what stands between two markers."""
    found = re.compile(f"(<!-- {name}: begin -->\n).*?(<!-- {name}: end -->)", re.S)
    if not found.search(text):
        raise SystemExit(f"no markers {name!r}: <!-- {name}: begin --> and <!-- {name}: end -->")
    return found.sub(lambda markers: f"{markers[1]}{content}\n{markers[2]}", text)


def circumstances(report: Report) -> str:
    versions = ", ".join(f"{name} {version}" for name, version in report["versions"].items() if name in SHOWN)
    return (
        f"`{report['command']}`\n\n{report['machine']}; {report['date'][:10]}, commit {report['commit']}; Python "
        f"{report['python']}, {versions}; load average at the start {report['load']}."
    )


def compare_tables(report: Report) -> str:
    parts = []
    for stream, contestants in report["streams"].items():
        size = max(contestants.values(), key=lambda each: each["account"]["rows"])["account"]
        parts.append(f"**{stream}**, {size['json_bytes'] / size['rows'] / 1000:.1f} kB of JSON a row:\n")
        parts.append("| | does | rows | rows/s | CPU µs/row | peak MB |\n|---|---|---:|---:|---:|---:|")
        parts += [f"| {title(each)} | {each['does']} | {figures(each['median'])} |" for each in contestants.values()]
        parts.append("")
    return "\n".join(parts).rstrip()


def title(contestant: Report) -> str:
    """A contestant with its version, where that is not ours."""
    of = ", ".join(f"{name} {version}" for name, version in contestant["versions"].items())
    return f"{contestant['title']} ({of})" if contestant["peer"] else str(contestant["title"])


def figures(median: Report) -> str:
    names = ("rows", "rows_per_second", "cpu_us_per_row", "peak_mb")
    return " | ".join(f"{round(median[name]):,}" for name in names)


def stages_table(report: Report) -> str:
    rows = [f"| {name} | {note} | {report['median'][name]:.0f} |" for name, note in report["stages"].items()]
    whole = f"| **all** | {report['rows']:,} tickets | **{report['median']['cpu_us_per_row']:.0f}** |"
    return "\n".join(["| stage | is | CPU µs/row |", "|---|---|---:|", *rows, whole])


def merges_table(report: Report) -> str:
    names = ("first_cpu_us", "first_seconds", "again_cpu_us", "again_seconds", "peak_mb", "file_mb")
    head = "| | first load, CPU µs/row | s | half of it again, CPU µs/row | s | peak MB | file MB |"
    rows = []
    for each in report["variants"]:
        median = each["median"]
        cells = [f"{median[name]:.3g}" for name in names] if median else ["out of memory", *[""] * 5]
        rows.append(f"| {each['title']} | {' | '.join(cells)} |")
    return "\n".join([head, "|---|" + "---:|" * 6, *rows])


def memory_table(report: Report) -> str:
    rows = [f"| {figures(size['median'])} |" for size in report["sizes"]]
    return "\n".join(["| tickets | rows/s | CPU µs/row | peak MB |", "|---:|---:|---:|---:|", *rows])


def quota_table(report: Report) -> str:
    return "\n".join([HEAD, *map(row, report["syncs"])])


def everything_tables(report: Report) -> str:
    """The syncs of all streams, and what each limit has counted of them."""
    parts = [quota_table(report)]
    for sync in report["syncs"]:
        head = f"{sync['sync'].capitalize()}: {sync['rows']:,} rows, a peak of {sync['peak_mb']} MB; requests by limit:"
        parts += ["", head, "", "| limit | requests | fewest | bound (s) |", "|---|---:|---:|---:|"]
        parts += [
            f"| {name.replace('_', ' ')} | {sync['by_bucket'].get(name, 0):,} | {fewest:,} | {sync['bounds'][name]:,} |"
            for name, fewest in sorted(sync["fewest_by_bucket"].items(), key=lambda found: -sync["bounds"][found[0]])
            if fewest
        ]
    return "\n".join(parts)


def continuous_table(report: Report) -> str:
    """How soon changes came, what of the quota that took, and CPU."""
    lines = ["| in the warehouse after, account seconds | changes | median | 99th percentile | longest |"]
    lines.append("|---|---:|---:|---:|---:|")
    for table, found in report["latency"].items():
        lines.append(f"| `{table}` | {found['count']:,} | {seconds(found, 0)} |")
    lines += ["", "| limit of a minute | part used |", "|---|---:|"]
    for name, share in report["quota"].items():
        lines.append(f"| {name} | {share:.0%} |")
    return "\n".join([*lines, "", passes_table(report)])


def passes_table(report: Report) -> str:
    """CPU of passes."""
    lines = ["| a pass, CPU seconds | passes | median | 99th percentile | longest |", "|---|---:|---:|---:|---:|"]
    for title, kind in (("with rows", "news_cpu"), *QUIET):
        if report[kind]["count"]:
            lines.append(f"| {title} | {report[kind]['count']} | {seconds(report[kind], 2)} |")
    return "\n".join(lines)


def soak_table(report: Report) -> str:
    """What was done to a process that keeps syncing, and what it held at the end of each hour."""
    counted = ("passes", "kills", "terms", "changes", "faults", "comparisons", "rows_compared")
    names = ("rss_mb", "threads", "open_files", "dlt_files", "dlt_mb", "database_mb")
    lines = [
        "| passes | SIGKILL | SIGTERM | changes | faults | comparisons | rows compared | lost, stale or doubled |",
        "|" + "---:|" * 8,
        f"| {' | '.join(f'{report[name]:,}' for name in counted)} | {report['difference'] or 'none'} |",
        "",
        "| hour | passes | memory MB | threads | open files | files of dlt | of dlt MB | database MB |",
        "|" + "---:|" * 8,
    ]
    for hour in report["hours_of"]:
        cells = [f"{hour['at_the_end'][name]:,.0f} ({hour[name]:,.0f})" for name in names]
        lines.append(
            f"| {hour['hour']}{', kills' * (hour['part'] == 'rough')} | {hour['passes']} | {' | '.join(cells)} |"
        )
    return "\n".join(lines)


def seconds(spread: Report, digits: int) -> str:
    return " | ".join(f"{spread[name]:.{digits}f}" for name in ("median", "p99", "max"))


def headline(report: Report) -> str:
    """The README's line and picture."""
    tickets = report["streams"]["tickets"]
    rate = {name: each["median"]["rows_per_second"] for name, each in tickets.items()}
    peers = [name for name in ("airbyte", "tap_zendesk") if name in tickets]

    def times(ours: str) -> list[str]:
        return [f"{rate[ours] / rate[name]:.1f}" for name in peers]

    whole = " and ".join(f"{by} times {tickets[name]['title']}'s" for by, name in zip(times("ours"), peers))
    return (
        f"{rate['ours']:,.0f} tickets a second into DuckDB, merged: {whole} rate of extraction alone, on\n"
        f"the same machine and simulator; where all read {tickets['ours_small']['account']['rows']:,} tickets, so that "
        f"start-up counts more, {' and '.join(times('ours_small'))} times\n"
        "([docs/performance.md](docs/performance.md)).\n\n"
        "![Tickets a second](docs/compare.svg)"
    )


def compare_picture(report: Report) -> str:
    contestants = report["streams"]["tickets"].values()
    named = [(f"{each['title']} ({each['does']})", each["median"]["rows_per_second"]) for each in contestants]
    return bars(named, [shade(each) for each in contestants], "tickets a second, logarithmic", logarithmic=True)


def shade(contestant: Report) -> str:
    if contestant["title"].startswith("this package"):
        return OURS
    return FLOORS if "floor" in contestant["does"] else OTHERS


def stages_picture(report: Report) -> str:
    named = [(name, report["median"][name]) for name in report["stages"]]
    return bars(named, [OURS] * len(named), "CPU µs a ticket", logarithmic=False)


def bars(named: Iterable[tuple[str, float]], shades: list[str], label: str, *, logarithmic: bool) -> str:
    """A bar for each name, as SVG that does not depend on the machine or the day."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    names, values = zip(*named)
    fixed = {"svg.hashsalt": "zendesk", "svg.fonttype": "none", "font.family": "sans-serif", "font.size": 9}
    with pyplot.rc_context(fixed | dict.fromkeys(("text.color", "axes.labelcolor", "xtick.color", "ytick.color"), INK)):
        figure, axes = pyplot.subplots(figsize=SIZE)
        drawn = axes.barh(range(len(values)), values, color=shades)
        axes.set_yticks(range(len(values)), names)
        axes.invert_yaxis()
        axes.bar_label(drawn, [f"{value:,.0f}" for value in values], padding=3, color=INK)
        axes.set_xlabel(label)
        axes.margins(x=0.2)
        if logarithmic:
            axes.set_xscale("log")
        axes.spines[["top", "right"]].set_visible(False)
        axes.spines[["left", "bottom"]].set_color(INK)
        figure.tight_layout()
        out = StringIO()
        figure.savefig(out, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
        pyplot.close(figure)
    return "\n".join(line.rstrip() for line in out.getvalue().splitlines()) + "\n"


if __name__ == "__main__":
    sys.exit(main())
