"""Load Zendesk Support and Help Center into Postgres; `--demo` needs no account, `--help` lists the options."""

from zendesk_support.cli import postgres

if __name__ == "__main__":
    raise SystemExit(postgres())
