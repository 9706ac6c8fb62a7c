"""`python -m zendesk_support`: loads into a DuckDB file, as `zendesk-to-duckdb` does."""

import sys

from zendesk_support.command.main import duckdb

sys.exit(duckdb())
