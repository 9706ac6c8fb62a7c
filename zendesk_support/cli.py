"""The commands of pyproject.toml and `pipelines/`: see `zendesk_support.command`."""

from zendesk_support.command.main import bigquery, duckdb, main, postgres

__all__ = ["bigquery", "duckdb", "main", "postgres"]
