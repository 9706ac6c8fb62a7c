"""Loads parquet files into Postgres by ADBC; needs the extra `postgres`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from adbc_driver_manager import Error

from zendesk_support.dlt_internals import DatabaseTerminalException, PreparedTableSchema
from zendesk_support.dlt_internals.postgres_client import (
    LoadJob,
    ParsedLoadJobFileName,
    PostgresClient,
    PostgresParquetCopyJob,
)

JSONB_VERSION = b"\x01"
BATCH = 1000
"""Rows that are copied at a time; without a number pyarrow reads 65,536 of them, hundreds of megabytes of tickets."""
BAD_VALUE = ("22", "23", "54")
"""Classes of SQLSTATE that no repetition changes: data, constraints, limits."""


class JsonbCopyJob(PostgresParquetCopyJob):
    """Copies a parquet file, its JSON columns in the binary form of `jsonb`."""

    def run(self) -> None:
        """Copy the file in one transaction.

        Raises:
            DatabaseTerminalException: Postgres refuses a value.
        """
        columns = self._job_client.schema.get_table_columns(self.load_table_name)
        nested = [name for name, column in columns.items() if column.get("data_type") == "json"]
        _, schema = self._set_catalog_and_schema()
        try:
            with self._connect() as connection, connection.cursor() as cursor:
                batches = jsonb_batches(self._file_path, nested)
                cursor.adbc_ingest(self.load_table_name, batches, mode="append", db_schema_name=schema)
                connection.commit()
        except Error as error:
            if (error.sqlstate or "").startswith(BAD_VALUE):
                raise DatabaseTerminalException(error) from error
            raise


class JsonbClient(PostgresClient):
    """dlt's client, with that copy."""

    def create_load_job(
        self, table: PreparedTableSchema, file_path: str, load_id: str, restore: bool = False
    ) -> LoadJob:
        """The job that loads a file."""
        if ParsedLoadJobFileName.parse(file_path).file_format == "parquet":
            return JsonbCopyJob(file_path)
        return super().create_load_job(table, file_path, load_id, restore)


def jsonb_batches(path: str, nested: Sequence[str]) -> pa.RecordBatchReader:
    """The batches of a parquet file, JSON texts as `jsonb` travels: a version byte, then the text."""
    file = pq.ParquetFile(path)
    schema = file.schema_arrow
    places = [schema.get_field_index(name) for name in nested if name in schema.names]
    for place in places:
        schema = schema.set(place, schema.field(place).with_type(pa.binary()))

    def batches() -> Iterator[pa.RecordBatch]:
        with file:
            for batch in file.iter_batches(BATCH):
                columns = batch.columns
                for place in places:
                    texts = pc.cast(columns[place], pa.binary())
                    columns[place] = pc.binary_join_element_wise(pa.scalar(JSONB_VERSION), texts, pa.scalar(b""))
                yield pa.RecordBatch.from_arrays(columns, schema=schema)

    return pa.RecordBatchReader.from_batches(schema, batches())
