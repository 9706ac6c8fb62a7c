"""dlt's Postgres destination, with nested values in `jsonb` columns also on the fast way through parquet and ADBC.

dlt makes them `json` there, since ADBC writes text, which a `jsonb` column refuses. `json` can be neither compared nor
indexed, and is parsed at each use.
"""

from __future__ import annotations

from typing import Any

import dlt
from dlt.common.schema import TColumnSchema

from zendesk_support.dlt_internals import DestinationCapabilitiesContext, PreparedTableSchema
from zendesk_support.dlt_internals.postgres import PostgresTypeMapper


class JsonbTypeMapper(PostgresTypeMapper):
    """Nested values are `jsonb`, whatever the file format."""

    def to_destination_type(self, column: TColumnSchema, table: PreparedTableSchema) -> str:
        """The type of a column."""
        return "jsonb" if column["data_type"] == "json" else super().to_destination_type(column, table)


class postgres(dlt.destinations.postgres):
    """Postgres, with nested values in `jsonb` columns."""

    def _raw_capabilities(self) -> DestinationCapabilitiesContext:
        capabilities = super()._raw_capabilities()
        capabilities.type_mapper = JsonbTypeMapper
        return capabilities

    @property
    def client_class(self) -> Any:
        """The client, whose module needs the extra `postgres`."""
        from zendesk_support.warehouse.postgres_client import JsonbClient

        return JsonbClient
