"""Which streams a pipeline loads of which nobody has asked for any: the default set that was in force when it began.

A pipeline of an earlier version goes on with the tables that it has: new ones come to it where they are asked for.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from zendesk_support.dlt_internals import has_table_seen_data
from zendesk_support.streams import CATALOGUE
from zendesk_support.streams.selection import EARLIER, NEWEST

STATE_KEY = "default_set"


def set_of(state: Mapping[str, Any], tables: Mapping[str, Any]) -> int:
    """The number of a pipeline's default set; where no run has kept it, that of the newest table that was loaded.

    A bounded run keeps no state, and neither did earlier versions.

    Args:
        state: the source's, in the pipeline.
        tables: those of the pipeline's schema.
    """
    if STATE_KEY in state:
        return int(state[STATE_KEY])
    loaded = [name for name, table in tables.items() if not name.startswith("_dlt") and has_table_seen_data(table)]
    joined = (CATALOGUE[name].default_set if name in CATALOGUE else None for name in loaded)
    return max((number or EARLIER for number in joined), default=NEWEST)
