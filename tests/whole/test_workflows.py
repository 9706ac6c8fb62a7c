"""The workflows for GitHub Actions are well-formed, and the sync needs no disk of its own."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import yaml
from postgres_server import PostgresServer
from repository import ROOT
from support import SCALE

from zendesk_support.simulator import Simulator
from zendesk_support.streams.selection import default_streams

FOLDER = ROOT / ".github" / "workflows"
WORKFLOWS = sorted(FOLDER.glob("*.yml"))
PYPROJECT, README = ((ROOT / name).read_text() for name in ("pyproject.toml", "README.md"))
LINTERS = {
    "schema": ["check-jsonschema", "--builtin-schema", "vendor.github-workflows"],
    "timeouts": ["check-jsonschema", "--builtin-schema", "custom.github-workflows-require-timeout"],
    "security": ["zizmor", "--offline", "--quiet", "--persona", "pedantic"],
}


def read(name: str) -> dict[str, Any]:
    # YAML 1.1 takes the key `on` for true.
    found: dict[str, Any] = yaml.safe_load((FOLDER / name).read_text().replace("\non:\n", '\n"on":\n'))
    return found


def lint(name: str, *files: Path) -> subprocess.CompletedProcess[str]:
    program, *options = LINTERS[name]
    command = [Path(sys.executable).with_name(program), *options, *files]
    return subprocess.run(command, capture_output=True, text=True, timeout=60)


@pytest.mark.parametrize("name", LINTERS)
def test_linters_find_nothing(name: str) -> None:
    done = lint(name, *WORKFLOWS)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("name", "good", "bad"),
    [
        ("schema", "runs-on:", "run-on:"),
        ("timeouts", "    timeout-minutes: 60\n", ""),
        ("security", "@08c6903cd8c0fde910a37f88322edcfb5dd907a8 # v5.0.0", "@main"),
        ("security", '"pipelines/zendesk_to_$DESTINATION.py"', "${{ github.event.issue.title }}"),
        ("security", "contents: read", "contents: write"),
    ],
)
def test_linters_find_what_is_wrong(tmp_path: Path, name: str, good: str, bad: str) -> None:
    text = (FOLDER / "zendesk_sync.yml").read_text()
    assert good in text
    broken = tmp_path / ".github" / "workflows" / "broken.yml"
    broken.parent.mkdir(parents=True)
    broken.write_text(text.replace(good, bad))
    assert lint(name, broken).returncode != 0


def test_ci_covers_every_python_and_the_lowest_dlt() -> None:
    (lowest,) = re.findall(r'"dlt\[duckdb\]>=([\d.]+),<2"', PYPROJECT)
    jobs = read("ci.yml")["jobs"]
    matrix = jobs["tests"]["strategy"]["matrix"]
    assert matrix["python"] == ["3.10", "3.11", "3.12", "3.13"]
    assert f'requires-python = ">={matrix["python"][0]}"' in PYPROJECT
    assert matrix["dlt"] == [f"dlt>={lowest}", f"dlt=={lowest}.0"]
    assert matrix["include"] == [{"python": "3.10", "dlt": f"dlt=={lowest}.0", "resolution": "lowest-direct"}]
    assert jobs["tests"]["steps"][-1] == {"run": "pytest"}
    assert jobs["checks"]["steps"][-1] == {"run": ".ci/run"}


def test_each_test_runs_with_every_change_or_at_night() -> None:
    marks = set(re.findall(r'^    "(\w+): ', PYPROJECT, re.MULTILINE))
    (left_out,) = re.findall(r'config.option.markexpr = "([^"]+)"', (ROOT / "tests" / "conftest.py").read_text())
    (job,) = read("nightly.yml")["jobs"].values()
    by_night = job["strategy"]["matrix"]["mark"]
    assert left_out == " and ".join(f"not {mark}" for mark in by_night)
    assert set(by_night) < marks


def test_no_two_syncs_overlap_and_a_fork_runs_none() -> None:
    workflow = read("zendesk_sync.yml")
    assert workflow["on"].keys() == {"schedule", "workflow_dispatch"}
    assert workflow["concurrency"] == {"group": "zendesk-sync", "cancel-in-progress": False}
    (job,) = workflow["jobs"].values()
    assert job["if"] == "vars.ZENDESK_SYNC == 'on'"
    (minutes,) = re.findall(r"--max-minutes (\d+)", job["steps"][-1]["run"])
    assert int(minutes) + 10 <= job["timeout-minutes"]


def test_a_runner_with_a_fresh_disk_goes_on_where_the_last_one_ended(
    tmp_path: Path, postgres: PostgresServer, account: Simulator
) -> None:
    values = {
        "vars.ZENDESK_DESTINATION || 'postgres'": "postgres",
        "vars.ZENDESK_SUBDOMAIN": "acme",
        "secrets.ZENDESK_CLIENT_ID": account.credentials["client_id"],
        "secrets.ZENDESK_CLIENT_SECRET": account.credentials["client_secret"],
        "secrets.DESTINATION_CREDENTIALS": postgres.url,
        "vars.DESTINATION_LOCATION || 'US'": "US",
    }
    (job,) = read("zendesk_sync.yml")["jobs"].values()
    step = job["steps"][-1]
    given = {name: values.pop(value.strip("${} ")) for name, value in {**job["env"], **step["env"]}.items()}
    assert values == {}
    given |= {
        "SOURCES__ZENDESK_SUPPORT__BASE_URL": account.base_url,
        "SOURCES__ZENDESK_SUPPORT__CLOCK_SCALE": str(SCALE),
        "SOURCES__ZENDESK_SUPPORT__START_DATE": "2015-01-01",
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
    }

    def run(name: str) -> dict[str, int]:
        """The rows that a runner of its own writes, by stream."""
        disk = tmp_path / name
        shutil.copytree(ROOT / "pipelines", disk / "pipelines")
        environment = {**os.environ, **given, "DLT_DATA_DIR": str(disk / "dlt")}
        account.reset_requests()
        done = subprocess.run(
            ["bash", "-e", "-c", step["run"]], cwd=disk, env=environment, capture_output=True, text=True, timeout=240
        )
        assert done.returncode == 0, done.stderr
        reports = postgres.query("SELECT stream, status, rows FROM zendesk_support.sync_report ORDER BY started_at")
        newest = reports[-len(default_streams()) :]
        assert sorted((stream, status) for stream, status, _ in newest) == sorted(
            (name, "loaded") for name in default_streams()
        )
        return {stream: count for stream, _, count in newest if count}

    for schema in ("zendesk_support", "zendesk_support_staging"):  # another test of this server may have left them
        postgres.query(f"DROP SCHEMA IF EXISTS {schema} CASCADE")
    first = run("first")
    assert first["tickets"] == 60
    assert run("second") == {}
    asked = Counter(request["route"] for request in account.requests())
    assert {route: count for route, count in asked.items() if route.startswith("incremental_") and count > 1} == {}
    account.mutate("update_tickets", count=3)
    changed = run("third")
    assert changed["tickets"] == 3
    assert "users" not in changed
    assert postgres.query("SELECT count(*) FROM zendesk_support.tickets") == [(60,)]


def test_the_readme_names_every_variable_and_secret_of_the_sync() -> None:
    names = set(re.findall(r"(?:vars|secrets)\.(\w+)", (FOLDER / "zendesk_sync.yml").read_text()))
    assert len(names) == 7
    assert all(f"`{name}`" in README for name in names)
