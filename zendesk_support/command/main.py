"""The command line that the scripts in `pipelines/` share."""

from __future__ import annotations

import argparse
import os
import signal
import sys
import threading
from collections.abc import Sequence
from functools import partial
from typing import NoReturn

from zendesk_support.command.accounts import accounts_of, run_accounts
from zendesk_support.command.console import errors, plain_warnings
from zendesk_support.command.destinations import WAREHOUSES, Warehouse
from zendesk_support.command.failures import TOLD, tell_failure
from zendesk_support.command.options import check_options, make_parser
from zendesk_support.command.runs import open_pipeline, run
from zendesk_support.warehouse.process_memory import spare_memory


def main(destination: str, arguments: Sequence[str] | None = None) -> int:
    """Run the pipeline into a destination of `WAREHOUSES`.

    Returns:
        0: every selected stream is loaded, or not part of this account's plan; 1: a stream failed, the credentials may
        not read one that every plan has, or a table is found to differ from Zendesk; 2: wrong use: a setting,
        credentials, an address; 3: stopped by `--max-minutes`, with more to read; 128 and its number: by a signal.
        Of several accounts the worst: a signal's, 2, 1, 3, 0.
    """
    warehouse = WAREHOUSES[destination]
    spare_memory()
    try:
        options = make_parser(warehouse).parse_args(arguments)
        if signal.getsignal(signal.SIGINT) is signal.SIG_DFL and threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGINT, signal.default_int_handler)  # as Python has it: the scripts have taken it away
        with plain_warnings(options.quiet):
            return carry_out(options, warehouse)
    except TOLD as error:
        return tell_failure(error)
    except KeyboardInterrupt:
        errors.print("stopped: what was read since the last load is dropped; the next run reads it again.")
        leave(128 + signal.SIGINT)


def leave(code: int) -> NoReturn:
    """End the process as it is: an interpreter that clears up beside threads at work covers the last words in noise."""
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def carry_out(options: argparse.Namespace, warehouse: Warehouse) -> int:
    """Do what the options say."""
    make_pipeline = partial(open_pipeline, warehouse)
    check_options(options)
    if options.demo:
        from zendesk_support.command.demo import demo

        return demo(options, make_pipeline, warehouse.demo)
    if accounts := accounts_of(options):
        return run_accounts(accounts, options, make_pipeline)
    return run(options, make_pipeline)


duckdb = partial(main, "duckdb")
postgres = partial(main, "postgres")
bigquery = partial(main, "bigquery")
