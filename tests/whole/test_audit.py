"""CI's audit of the pinned packages fails on a known vulnerability, and on nothing else."""

from __future__ import annotations

import json
import runpy
from typing import Any

import pytest
from repository import ROOT

SCRIPT = ROOT / ".ci" / "audit.py"
FINE = {"name": "fine", "version": "1.0", "vulns": []}
BAD = {"name": "bad", "version": "2.0", "vulns": [{"id": "PYSEC-1", "fix_versions": ["2.1"], "description": "x"}]}
UNKNOWN = {"name": "unknown", "skip_reason": "Dependency not found"}


@pytest.mark.parametrize(
    ("packages", "code", "told"),
    [
        ([FINE], 0, "audit: 1 packages looked up"),
        ([FINE, BAD], 1, "audit: bad 2.0 has PYSEC-1, mended in ['2.1']\naudit: 2 packages looked up"),
        ([FINE, UNKNOWN], 0, "audit: NOT DONE for 1 of 2 packages, which the database does not know"),
        ([UNKNOWN, BAD], 1, "audit: bad 2.0 has PYSEC-1, mended in ['2.1']\naudit: NOT DONE for 1 of 2 packages"),
        ([], 0, "audit: NOT DONE for 0 of 0 packages"),
    ],
)
def test_only_a_known_vulnerability_fails_the_audit(packages: list[dict[str, Any]], code: int, told: str) -> None:
    found = runpy.run_path(str(SCRIPT))["verdict"](json.dumps({"dependencies": packages, "fixes": []}))
    assert found[0] == code
    assert found[1].startswith(told)


def test_no_answer_is_said_and_passes() -> None:
    assert runpy.run_path(str(SCRIPT))["verdict"](None) == (
        0,
        "audit: NOT DONE, the database of vulnerabilities did not answer",
    )


def test_what_ci_installs_is_audited() -> None:
    script = runpy.run_path(str(SCRIPT))
    assert script["PINNED"].is_file()
    run = SCRIPT.with_name("run").read_text()
    assert f"-r {script['PINNED'].name}" in run
    assert "python .ci/audit.py" in run
