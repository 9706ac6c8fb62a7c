"""The table of faults in the documentation is the one that the tests produce."""

from __future__ import annotations

import re
from pathlib import Path

from documented import faults
from test_fault_matrix import KINDS

PROOF = re.compile(r"says\(\s*\"([^\"]+)\"")


def test_every_documented_fault_is_produced_by_a_test_that_compares_its_message() -> None:
    produced = {kind.documented for kind in KINDS.values()}
    for path in Path(__file__).parent.glob("test_*.py"):
        produced |= set(PROOF.findall(path.read_text()))
    assert produced == set(faults())
