"""The benchmark runs and reports its figures; DuckDB keeps to its limits."""

from __future__ import annotations

import importlib
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from postgres_server import PostgresServer
from repository import ROOT

from zendesk_support.command.destinations import WAREHOUSES
from zendesk_support.command.options import make_parser

SCRIPT = ROOT / "benchmarks" / "tickets.py"


def check_figures(tmp_path: Path, tickets: int, *options: str) -> None:
    """Run the benchmark and look at its report."""
    command = [sys.executable, str(SCRIPT), "--tickets", str(tickets), "--runs", "1", "--warm-ups", "0"]
    subprocess.run([*command, *options, "--results", str(tmp_path)], check=True, timeout=300, capture_output=True)
    [report] = [json.loads(path.read_text()) for path in tmp_path.iterdir()]
    assert report["machine"]
    assert report["versions"]["dlt"]
    [run] = report["runs"]
    assert run["rows"] == tickets
    assert (run["repeat_rows"], run["repeat_requests"]) == (0, 1)
    assert all(
        value > 0 for name, value in report["median"].items() if not name.startswith(("normalize", "repeat_rows"))
    )


def test_the_benchmark_reports_its_figures(tmp_path: Path) -> None:
    check_figures(tmp_path, 2000)


def test_the_benchmark_of_postgres_reports_its_figures_and_leaves_nothing(
    tmp_path: Path, postgres: PostgresServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DESTINATION__POSTGRES__CREDENTIALS", postgres.url)
    check_figures(tmp_path, 100, "--destination", "postgres")
    assert postgres.query("SELECT * FROM pg_namespace WHERE nspname LIKE 'benchmark%'") == []


@pytest.mark.parametrize(
    ("requests", "limit", "lists", "seconds"),
    [(10, 10, 4, 3.0), (11, 10, 4, 30.0), (21, 10, 4, 90.0), (100, 1000, 1, 98.0), (18, 10, 1, 37.0)],
    ids=["one window", "one too many", "a third window", "one list", "one list in the last window"],
)
def test_the_quota_bound_counts_windows_and_the_pages_after_the_last_begins(
    monkeypatch: pytest.MonkeyPatch, requests: int, limit: int, lists: int, seconds: float
) -> None:
    monkeypatch.syspath_prepend(str(SCRIPT.parent))
    module = importlib.import_module("quota")
    assert module.soonest(requests, limit, lists, page=1.0, ends=30.0) == pytest.approx(seconds)


def test_duckdb_gets_one_thread_and_two_jobs_at_a_time(tmp_path: Path) -> None:
    options = make_parser(WAREHOUSES["duckdb"]).parse_args(["--database", str(tmp_path / "limits.duckdb")])
    pipeline = WAREHOUSES["duckdb"].pipeline(options)
    assert pipeline.destination.capabilities().max_parallel_load_jobs == 2
    with pipeline.sql_client() as client:
        query = "SELECT current_setting('threads'), current_setting('memory_limit')"
        assert client.execute_sql(query) == [(1, "183.1 MiB")]


def test_the_documentation_has_the_newest_results(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(SCRIPT.parent))
    draw = importlib.import_module("draw")
    for path, text in draw.drawn().items():
        assert told(path.read_text(), path) == told(text, path), f"{path.name}: run python benchmarks/draw.py"


def told(text: str, path: Path) -> str | list[str]:
    """A page whole; of a picture, whose lines differ from one matplotlib to the next, its texts."""
    return re.findall(r"<text[^>]*>(.*?)</text>", text) if path.suffix == ".svg" else text


def test_no_result_names_a_folder_of_the_machine() -> None:
    results = sorted((SCRIPT.parent / "results").glob("*.json"))
    assert results
    assert [path.name for path in results if re.search(r"/(work|tmp|home|root|Users)\b", path.read_text())] == []
