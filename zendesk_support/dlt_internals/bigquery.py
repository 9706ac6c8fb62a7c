"""What the BigQuery destination uses of dlt beyond its documented interface."""

# Is subclassed so that nested values are texts, which BigQuery loads from parquet.
from dlt.destinations.impl.bigquery.factory import BigQueryTypeMapper

__all__ = ["BigQueryTypeMapper"]
