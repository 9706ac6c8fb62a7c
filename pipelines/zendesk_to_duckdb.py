"""Load Zendesk Support and Help Center into a DuckDB file; `--demo` needs no account, `--help` lists the options."""

from zendesk_support.cli import duckdb

if __name__ == "__main__":
    raise SystemExit(duckdb())
