"""The command's process gives back the memory of large answers."""

from __future__ import annotations

import os
import platform
import subprocess
import sys

import pytest

GROWN = """
import sys
from zendesk_support.warehouse.process_memory import spare_memory

def megabytes():
    return int(open("/proc/self/statm").read().split()[1]) * 4096 >> 20

if "return" in sys.argv:
    spare_memory()
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


@pytest.mark.parametrize(("setting", "pool"), [({}, "system"), ({"ARROW_DEFAULT_MEMORY_POOL": "mimalloc"}, "mimalloc")])
def test_arrow_keeps_nothing_unless_the_environment_names_its_pool(setting: dict[str, str], pool: str) -> None:
    code = (
        "import pyarrow; from zendesk_support.warehouse.process_memory import spare_memory; spare_memory(); "
        "print(pyarrow.default_memory_pool().backend_name)"
    )
    inherited = {name: value for name, value in os.environ.items() if name != "ARROW_DEFAULT_MEMORY_POOL"}
    done = subprocess.run(
        [sys.executable, "-c", code], env={**inherited, **setting}, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == pool


ARENAS = """
import ctypes, os, threading
from zendesk_support.warehouse.process_memory import spare_memory

spare_memory()
made = threading.Barrier(20)

def work():
    kept = [bytearray(2000) for _ in range(100)]
    made.wait()

threads = [threading.Thread(target=work) for _ in range(20)]
[thread.start() for thread in threads]
[thread.join() for thread in threads]
libc = ctypes.CDLL(None)
libc.fopen.restype = ctypes.c_void_p
file = ctypes.c_void_p(libc.fopen(b"/dev/stdout", b"w"))
libc.malloc_info(0, file)
libc.fclose(file)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc has an arena for each of many threads")
@pytest.mark.parametrize(("setting", "most"), [({}, 2), ({"MALLOC_ARENA_MAX": "5"}, 5)])
def test_threads_share_two_arenas_unless_the_environment_says_how_many(setting: dict[str, str], most: int) -> None:
    inherited = {name: value for name, value in os.environ.items() if name != "MALLOC_ARENA_MAX"}
    environment = {**inherited, **setting}
    done = subprocess.run([sys.executable, "-c", ARENAS], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.count("<heap nr=") == most


HELD = """
import sys
from zendesk_support.warehouse.process_memory import give_back

def megabytes():
    return int(open("/proc/self/statm").read().split()[1]) * 4096 >> 20

blocks = [bytearray(2000) for _ in range(50_000)]
last = bytearray(2000)
before = megabytes()
del blocks
if "give" in sys.argv:
    give_back()
print(before - megabytes())
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc can be asked for it")
def test_small_blocks_are_given_back_when_it_is_asked_for() -> None:
    kept, given = (
        int(subprocess.run([sys.executable, "-c", HELD, word], capture_output=True, text=True, check=True).stdout)
        for word in ("keep", "give")
    )
    assert kept < 10
    assert given > 80
