"""Load Zendesk Support and Help Center into Postgres; `--demo` needs no account, `--help` lists the options."""

import signal

signal.signal(signal.SIGINT, signal.SIG_DFL)  # Ctrl-C ends the imports without a trace

from zendesk_support.cli import postgres  # noqa: E402

if __name__ == "__main__":
    raise SystemExit(postgres())
