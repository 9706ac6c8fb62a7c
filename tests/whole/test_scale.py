"""docs/scale.md and docs/airflow.md have the tables that scripts print."""

from __future__ import annotations

import importlib
import json
from typing import Any

import pytest
from repository import ROOT

from zendesk_support.streams import CATALOGUE


@pytest.fixture
def scale(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.syspath_prepend(str(ROOT / "benchmarks"))
    return importlib.import_module("scale")


def test_the_page_has_the_tables_that_the_script_prints(scale: Any) -> None:
    page = (ROOT / "docs" / "scale.md").read_text()
    _, _, rest = page.partition("<!-- scale: begin -->\n")
    assert rest.partition("\n<!-- scale: end -->")[0] == scale.tables()


def test_the_page_on_airflow_has_the_measured_ways_to_spread_a_sync(scale: Any) -> None:
    (report,) = (ROOT / "benchmarks" / "results").glob("*-groups.json")
    groups = importlib.import_module("groups")
    _, _, rest = (ROOT / "docs" / "airflow.md").read_text().partition("<!-- groups: begin -->\n")
    printed = [groups.HEAD, *map(groups.row, json.loads(report.read_text())["syncs"])]
    assert rest.partition("\n<!-- groups: end -->")[0] == "\n".join(printed)


def test_a_pass_counts_once_and_each_limit_for_itself(scale: Any) -> None:
    rows = {**dict.fromkeys(CATALOGUE, 0), "tickets": 5000, "ticket_metrics": 4900, "ticket_audits": 1001, "users": 10}
    requests = scale.requests_of(rows)
    assert requests["incremental_exports"] == {
        "account": 5 + 1 + 1 + 1 + 11 + 1 + 1 + 1,
        "incremental exports": 5 + 1 + 1 + 1,
        "deleted tickets": 1,
    }
    assert requests["users_export"] == {"account": 1, "users export": 1}
    assert scale.PLANS["Team"].minutes({"incremental exports": 20, "account": 400}) == {
        "account": 2,
        "help center": 0,
        "incremental exports": 2,
        "users export": 0,
    }
