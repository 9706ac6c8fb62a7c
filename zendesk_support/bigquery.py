"""dlt's BigQuery destination, with nested values as JSON texts in `STRING` columns.

BigQuery loads no `JSON` column from parquet. Its JSON functions read texts as well, so row-by-row files gain nothing.
"""

from __future__ import annotations

import warnings
from typing import Any

import dlt
from dlt.common.schema import TColumnSchema
from dlt.common.typing import TLoaderFileFormat

from zendesk_support.dlt_internals import DestinationCapabilitiesContext, PreparedTableSchema
from zendesk_support.dlt_internals.bigquery import BigQueryTypeMapper
from zendesk_support.errors import DestinationError

ANSWERED_WITHIN = 60.0


class TextTypeMapper(BigQueryTypeMapper):
    """Nested values are texts."""

    def ensure_supported_type(
        self, column: TColumnSchema, table: PreparedTableSchema, loader_file_format: TLoaderFileFormat
    ) -> None:
        """Refuse a column that the file format cannot fill."""
        if column["data_type"] != "json":
            super().ensure_supported_type(column, table, loader_file_format)

    def to_destination_type(self, column: TColumnSchema, table: PreparedTableSchema) -> str:
        """The type of a column."""
        return "STRING" if column["data_type"] == "json" else super().to_destination_type(column, table)


class bigquery(dlt.destinations.bigquery):
    """BigQuery, with nested values as texts."""

    def _raw_capabilities(self) -> DestinationCapabilitiesContext:
        capabilities = super()._raw_capabilities()
        capabilities.type_mapper = TextTypeMapper
        return capabilities

    @property
    def client_class(self) -> Any:
        """The client, which needs the extra `bigquery`."""
        # Answers are read by REST: the storage API, of which Google's client speaks, needs more rights.
        warnings.filterwarnings("ignore", "Cannot create BigQuery Storage client")
        return super().client_class


def answers(client: Any) -> None:
    """Make sure that an open client of BigQuery can run queries where the dataset is, or will be.

    Raises:
        DestinationError: the dataset is in another location.
        GoogleAPIError, GoogleAuthError: the project or the credentials are refused.
    """
    from google.api_core.exceptions import NotFound

    connection = client.native_connection
    # A missing project is told as a missing dataset is.
    connection.query("SELECT 1", job_retry=None).result(timeout=ANSWERED_WITHIN, job_retry=None)
    name = client.fully_qualified_dataset_name(quote=False)
    try:
        found = connection.get_dataset(name, timeout=client.http_timeout).location
    except NotFound:
        return
    if found.upper() != client.location.upper():
        raise DestinationError(
            f'location = "{client.location}", but the dataset {name} is in {found}. '
            f"Example: DESTINATION__BIGQUERY__LOCATION={found}"
        )
