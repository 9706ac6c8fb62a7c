"""How a process uses memory: what malloc and Arrow keep of what they were given back."""

from __future__ import annotations

import ctypes
import os
from contextlib import suppress

import pyarrow as pa

MMAP_THRESHOLD, ARENA_MAX = -3, -8
"""`M_MMAP_THRESHOLD` and `M_ARENA_MAX` of glibc's malloc.h."""
LARGE = 128 * 1024
ARENAS = 2


def spare_memory() -> None:
    """Have malloc and Arrow keep little of what they were given back, unless the environment says otherwise.

    By itself glibc begins to keep large blocks once one was freed, so that what an answer took stays between what is
    still used, and keeps an arena for each of many threads; Arrow's own allocator keeps pages for each thread.
    `MALLOC_MMAP_THRESHOLD_`, `MALLOC_ARENA_MAX` and `ARROW_DEFAULT_MEMORY_POOL` do the same for other programs, such as
    notebooks.
    """
    with suppress(OSError, AttributeError, TypeError):  # no such library, or another one
        library = ctypes.CDLL(None)
        if "MALLOC_MMAP_THRESHOLD_" not in os.environ:
            library.mallopt(MMAP_THRESHOLD, LARGE)
        if "MALLOC_ARENA_MAX" not in os.environ:
            library.mallopt(ARENA_MAX, ARENAS)
    if "ARROW_DEFAULT_MEMORY_POOL" not in os.environ:
        pa.set_memory_pool(pa.system_memory_pool())


def give_back() -> None:
    """Give what is free back to the system: before a load, which needs much by itself, and after it."""
    pa.default_memory_pool().release_unused()
    with suppress(OSError, AttributeError, TypeError):
        ctypes.CDLL(None).malloc_trim(0)
