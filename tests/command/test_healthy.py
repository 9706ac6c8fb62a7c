"""`zendesk-healthy`: what a container's health check says of a process that keeps syncing."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from zendesk_support.command import healthy
from zendesk_support.command.health import StatusFile
from zendesk_support.report import Report, StreamReport


def ago(minutes: float) -> str:
    return (datetime.now(timezone.utc) - timedelta(minutes=minutes)).isoformat()


def told(ended: float, error: str | None = None, loaded: float | None = 0, every: float = 60) -> dict[str, Any]:
    """A status file's content; times are minutes ago."""
    success = ago(loaded) if loaded is not None else None
    return {
        "every": every,
        "pass": {"began": ago(ended), "ended": ago(ended), "rows": 0, "error": error},
        "streams": {"tickets": {"status": "loaded", "last_success": success, "message": None}},
    }


@pytest.mark.parametrize(
    ("content", "options", "expected"),
    [
        (partial(told, 10), [], "well"),
        (partial(told, 12), [], "not well: the last pass ended 12 minutes ago"),
        (partial(told, 12, every=3600), [], "well"),
        (partial(told, 12), ["--within", "15"], "well"),
        (partial(told, 3), ["--within", "2"], "not well: the last pass ended 3 minutes ago"),
        (partial(told, 1, "disk full", loaded=5), [], "well"),
        (partial(told, 1, "disk full", loaded=15), [], "not well: nothing was loaded for 11 minutes: disk full"),
        (partial(told, 1, "disk full", loaded=None), [], "not well: nothing was loaded for 11 minutes: disk full"),
        (partial(told, 1, loaded=600), [], "well"),
        (lambda: {"every": 60, "pass": None, "streams": {}}, [], "not well: no pass has ended"),
    ],
)
def test_a_process_is_well_where_passes_end_and_are_loaded(
    tmp_path: Path, content: Callable[[], Any], options: list[str], expected: str, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "status.json"
    file.write_text(json.dumps(content()))
    assert (healthy.main([str(file), *options]), capsys.readouterr().out) == (expected != "well", f"{expected}\n")


@pytest.mark.parametrize("content", [None, "", "{", "[]", "{}", '{"every": "x", "pass": {"ended": 1}}'])
def test_a_file_that_is_none_is_told(tmp_path: Path, content: str | None, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "status.json"
    if content is not None:
        file.write_text(content)
    assert healthy.main([str(file)]) == 1
    assert f"{file} cannot be read: " in capsys.readouterr().out


def test_it_reads_what_a_process_writes(tmp_path: Path) -> None:
    file = StatusFile(tmp_path / "status.json", 60)
    assert healthy.main([str(tmp_path / "status.json")]) == 1
    report = Report()
    report.streams["groups"] = StreamReport("groups", finished_at=datetime.now(timezone.utc), status="loaded")
    file.add(report, datetime.now(timezone.utc))
    assert healthy.main([str(tmp_path / "status.json")]) == 0


def test_it_imports_nothing_of_the_package(tmp_path: Path) -> None:
    """A check a minute must not cost a second of CPU each."""
    (tmp_path / "status.json").write_text(json.dumps(told(0)))
    command = [sys.executable, "-X", "importtime", Path(healthy.__file__), "status.json"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout == "well\n"
    assert not {"zendesk_support", "dlt"} & {line.rpartition("|")[2].strip() for line in done.stderr.splitlines()}


def test_it_is_installed_as_a_command() -> None:
    installed = Path(sys.executable).with_name("zendesk-healthy")
    done = subprocess.run([installed, "--help"], capture_output=True, text=True, check=True, timeout=60)
    assert "--within MINUTES" in done.stdout


def test_its_file_may_be_run_as_pip_leaves_the_mode_of_a_script_as_it_is() -> None:
    assert os.access(healthy.__file__, os.X_OK)
