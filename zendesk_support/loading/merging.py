"""Whether and how a destination merges rows into a table, and what cannot be had where it does not, or otherwise."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from dlt.extract import DltResource

from zendesk_support.dlt_internals import DestinationCapabilitiesContext
from zendesk_support.errors import ConfigurationError
from zendesk_support.loading.sync_modes import DEFAULT, Mode
from zendesk_support.settings import Settings


def merge_strategies(capabilities: DestinationCapabilitiesContext, table: Any) -> Sequence[str]:
    """How the destination can merge into a table; dlt appends where it cannot: to plain files, Athena's own tables."""
    offered, select = capabilities.supported_merge_strategies or (), capabilities.merge_strategies_selector
    return select(offered, table_schema=table) if offered and select else offered


def merges_into(
    resource: DltResource, mode: Mode, settings: Settings, capabilities: DestinationCapabilitiesContext | None
) -> bool:
    """Whether rows of one key replace each other in a resource's table; what could only be half done is refused.

    Raises:
        ConfigurationError: it keeps no validity of rows, or leaves items of lists that have become shorter.
    """
    if capabilities is None:
        return True
    # It takes dlt ten milliseconds to work out a table.
    table = resource.compute_table_schema() if capabilities.merge_strategies_selector else None
    strategies = merge_strategies(capabilities, table)
    if mode == "history" and "scd2" not in strategies:
        raise ConfigurationError(
            f'{resource.name}: sync_mode = "history" is not for this destination, where dlt keeps no validity of rows '
            '(scd2). Example: sync_mode = "incremental_append", which keeps every version.'
        )
    if mode == DEFAULT and settings.nested == "tables" and strategies and "delete-insert" not in strategies:
        raise ConfigurationError(
            f'{resource.name}: nested = "tables" is not for this destination, where dlt leaves items of a list that '
            'has become shorter. Example: nested = "json".'
        )
    return bool(strategies)
