"""Waits for its turn where another run loads the same tables, or has died without giving them back."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

from dlt.common import logger

from zendesk_support.errors import AlreadyRunningError
from zendesk_support.running.run_lock import FORGOTTEN_AFTER, RENEWED_EVERY

T = TypeVar("T")
PATIENCE = FORGOTTEN_AFTER.total_seconds() + RENEWED_EVERY
"""By then, a run that was killed is forgotten."""
LOOKS_EVERY = 20.0


def in_turn(load: Callable[[], T], patience: float = PATIENCE, every: float = LOOKS_EVERY) -> T:
    """Load, as soon as no other run holds the lock.

    Args:
        load: what takes the lock and loads.
        patience: seconds after which a run that goes on is no longer waited for.
        every: seconds between two looks.

    Returns:
        What `load` does.

    Raises:
        AlreadyRunningError: another run is under way all the time.
    """
    until = time.monotonic() + patience
    while True:
        try:
            return load()
        except AlreadyRunningError as error:
            if time.monotonic() >= until:
                raise
            logger.warning(f"{error} Looking again in {every:.0f} s.")
            time.sleep(every)
