"""The command's process gives back the memory of large answers."""

from __future__ import annotations

import platform
import subprocess
import sys

import pytest

GROWN = """
import sys
from zendesk_support.command.memory import return_large_blocks

def megabytes():
    return int(open("/proc/self/statm").read().split()[1]) * 4096 >> 20

if "return" in sys.argv:
    return_large_blocks()
del (first := [bytearray(1 << 24)])[:]
before = megabytes()
blocks = [(bytearray(1 << 20), bytearray(1 << 13)) for _ in range(100)]
small = [kept for _, kept in blocks]
del blocks
print(megabytes() - before)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc keeps large blocks")
def test_large_blocks_are_given_back_between_small_ones_that_stay() -> None:
    kept, left = (
        int(subprocess.run([sys.executable, "-c", GROWN, word], capture_output=True, text=True, check=True).stdout)
        for word in ("keep", "return")
    )
    assert kept > 90
    assert left < 10
