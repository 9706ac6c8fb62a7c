"""What the client of the Postgres destination uses of dlt beyond its documented interface; it needs `psycopg2`."""

# Types a job of a load.
from dlt.common.destination.client import LoadJob

# Names the table of a file that is loaded.
from dlt.common.storages.load_package import ParsedLoadJobFileName

# Are subclassed so that a binary copy fills `jsonb` columns.
from dlt.destinations.impl.postgres.postgres import PostgresClient, PostgresParquetCopyJob

__all__ = ["LoadJob", "ParsedLoadJobFileName", "PostgresClient", "PostgresParquetCopyJob"]
