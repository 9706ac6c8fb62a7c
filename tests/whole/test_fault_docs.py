"""The table of faults in the documentation is the one that the tests produce."""

from __future__ import annotations

import json
import re

import pytest
from documented import faults
from fault_kinds import KINDS
from repository import ROOT

PROOF = re.compile(r"says\(\s*\"([^\"]+)\"")


def test_every_documented_fault_is_produced_by_a_test_that_compares_its_message() -> None:
    produced = {kind.documented for kind in KINDS.values()}
    for path in (ROOT / "tests").rglob("test_*.py"):
        produced |= set(PROOF.findall(path.read_text()))
    assert produced == set(faults())


@pytest.mark.parametrize("name", ["soak-kills", "soak-faults"])
def test_the_documented_soaks_are_those_of_the_results(name: str) -> None:
    soak = json.loads((ROOT / "benchmarks" / "results" / f"{name}.json").read_text())
    assert soak["difference"] is None
    assert soak["streams"] > 0
    told = ("streams", "syncs", "kills", "faults", "mutations", "comparisons", "rows_compared")
    counts = [f"{soak[each]:,}" for each in told]
    cells = [f"`{soak['command']}`", soak["date"], soak["commit"], soak["machine"], *counts]
    row = " | ".join([*cells, f"{soak['minutes']:g}", str(soak["seed"]), "none"])
    assert f"\n| {row} |\n" in (ROOT / "docs" / "faults.md").read_text()
