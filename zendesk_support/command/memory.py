"""How the process of a command uses memory."""

from __future__ import annotations

import ctypes
from contextlib import suppress

MMAP_THRESHOLD = -3
"""`M_MMAP_THRESHOLD` of glibc's malloc.h."""
LARGE = 128 * 1024


def return_large_blocks() -> None:
    """Have malloc give large blocks back to the system as they are freed, where the C library is glibc.

    By itself it begins to keep them once one was freed, and what an answer took then stays between what is still used.
    A `MALLOC_MMAP_THRESHOLD_` of the environment's does the same for other programs, such as notebooks.
    """
    with suppress(OSError, AttributeError, TypeError):  # no such library, or another one
        ctypes.CDLL(None).mallopt(MMAP_THRESHOLD, LARGE)
