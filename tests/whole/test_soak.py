"""A short run of benchmarks/soak_continuous.py: two hours of an account's clock, with kills in the first."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from repository import ROOT

SCRIPT = ROOT / "benchmarks" / "soak_continuous.py"
OPTIONS = ("--hours", "2", "--rough", "1", "--scale", "60", "--tickets", "60", "--kills", "1", "--seed", "1")


@pytest.mark.soak
def test_two_hours_of_changes_faults_and_kills_leave_whole_tables(tmp_path: Path) -> None:
    command = [sys.executable, str(SCRIPT), *OPTIONS, "--results", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=1800)
    assert done.returncode == 0, done.stdout[-5000:] + done.stderr[-5000:]
    [report] = [json.loads(path.read_text()) for path in tmp_path.iterdir()]
    assert (report["difference"], report["comparisons"], report["kills"]) == (None, 2, 1)
    assert [hour["part"] for hour in report["hours_of"]] == ["rough", "quiet"]
    assert all(0 < hour["threads"] < 200 and 0 < hour["open_files"] < 200 for hour in report["hours_of"])
