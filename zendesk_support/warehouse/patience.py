"""Waits for a DuckDB file that another program has open: DuckDB lets only one at a time write it."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

from dlt.common import logger

from zendesk_support.checkpoints import current_sync
from zendesk_support.error_messages import holder_of

LOOK = 0.5
T = TypeVar("T")


def patiently(opened: Callable[[], T], seconds: float) -> T:
    """Open a database; where another program has it open, try again until it has let go.

    Args:
        opened: opens it.
        seconds: to wait at most. A signal that ends the sync ends the waiting.

    Raises:
        Exception: of `opened`: it is still open there, or something else is amiss.
    """
    until, told = time.monotonic() + seconds, False
    while True:
        try:
            return opened()
        except Exception as error:
            holder, sync = holder_of(error), current_sync.get()
            if holder is None or time.monotonic() >= until or (sync is not None and sync.received is not None):
                raise
            if not told:
                told = True
                logger.warning(
                    f"{holder}: waiting until it is closed there, for {seconds / 60:g} minutes at most "
                    "(database_wait_minutes)."
                )
        time.sleep(LOOK)
