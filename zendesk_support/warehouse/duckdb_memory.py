"""The memory that the command line grants DuckDB, and what becomes of a load that needs more.

DuckDB moves rows 2,048 at a time, so that its need grows with the size of rows, not with their number: 192 MB are
plenty for ordinary rows, and too little for thousands of rows of 30 KB or more. A machine of less than 1 GB
grants less.
"""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from dlt.pipeline.pipeline import Pipeline

from zendesk_support.error_messages import causes
from zendesk_support.report import Report
from zendesk_support.warehouse.machine import machine_memory

LIMITS: dict[str, Any] = {"memory_limit": "192MB", "threads": 1, "preserve_insertion_order": False}
SHARE = 2
"""A load that has run out of memory may have the machine's memory divided by this."""
FIRST_SHARE = 3 / 16
"""What of a small machine's memory a load is granted at first: 96 MB of 512 MB, all of the 192 MB from 1 GB on."""
LEAST = 64
"""Megabytes that it is granted at least."""
LARGE = 8 << 20
"""Bytes of a page from which on it is looked through for its largest value."""


class Limits(dict[str, Any]):
    """Limits that no user has set, so that they may be raised, once."""

    is_raised = False


def first_limits() -> Limits:
    """What the command line grants at first on this machine."""
    most = int(LIMITS["memory_limit"].removesuffix("MB"))
    megabytes = min(most, max(LEAST, int(machine_memory() * FIRST_SHARE) >> 20))
    return Limits(LIMITS, memory_limit=f"{megabytes}MB")


SAID_OF_MEMORY = ("Out of Memory Error", "could not allocate block")
"""DuckDB's own words; the latter where a commit fails of it."""


def is_out_of_memory(error: BaseException) -> bool:
    """Whether DuckDB ended a load since it was granted too little."""
    return any(said in str(cause) for cause in causes(error) for said in SAID_OF_MEMORY)


def grant_more(pipeline: Pipeline) -> str | None:
    """Raise the limit of a pipeline of the command line; None where it is the user's own, or raised already."""
    destination = pipeline.destination
    credentials = destination.config_params.get("credentials") if destination is not None else None
    limits = getattr(credentials, "global_config", None)
    more = f"{machine_memory() // SHARE >> 20}MB"
    if not isinstance(limits, Limits) or limits.is_raised:
        return None
    limits["memory_limit"], limits.is_raised = more, True
    return more


def advice(report: Report) -> str:
    """What to do where the machine's memory does not suffice, and the largest value read, which may be why."""
    found = max((stream.largest for stream in report.streams.values() if stream.largest), default=None)
    largest = f"The largest value read is {found[1]}, {found[0] >> 20:,} MB. " if found else ""
    return (
        f"DuckDB ran out of memory. {largest}Grant it more, for example "
        "DESTINATION__DUCKDB__CREDENTIALS__GLOBAL_CONFIG="
        '\'{"memory_limit": "16GB"}\', or leave the stream out.'
    )


def largest_value(stream: str, table: pa.Table, key: str) -> tuple[int, str] | None:
    """Size in bytes of the largest text of a table with large ones, and where it stands in words."""
    if table.nbytes < LARGE:
        return None
    found: tuple[int, str] | None = None
    for name, column in zip(table.column_names, table.columns):
        if pa.types.is_string(column.type):
            sizes = pc.fill_null(pc.binary_length(column), 0)
            size = pc.max(sizes).as_py()
            if found is None or size > found[0]:
                row = table.column(key)[pc.index(sizes, size).as_py()].as_py()
                found = (size, f"`{name}` of the row {key} = {row} of {stream}")
    return found
