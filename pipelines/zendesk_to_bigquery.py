"""Load Zendesk Support and Help Center into BigQuery; `--demo` needs no account, `--help` lists the options."""

from zendesk_support.cli import bigquery

if __name__ == "__main__":
    raise SystemExit(bigquery())
