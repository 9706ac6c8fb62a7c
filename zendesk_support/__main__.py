"""`python -m zendesk_support`: loads into a DuckDB file, as `zendesk-to-duckdb` does."""

import sys

from zendesk_support.cli import duckdb

sys.exit(duckdb())
