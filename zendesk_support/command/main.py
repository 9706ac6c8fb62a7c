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

from dlt.common.configuration.exceptions import ConfigurationException

from zendesk_support.command.console import errors, fail, first_paragraph, plain_warnings
from zendesk_support.command.destinations import WAREHOUSES, Warehouse
from zendesk_support.command.memory import return_large_blocks
from zendesk_support.command.options import check_options, make_parser
from zendesk_support.command.runs import INCOMPLETE, WRONG_USE, open_pipeline, run
from zendesk_support.dlt_internals import DestinationException
from zendesk_support.error_messages import explain
from zendesk_support.errors import (
    AlreadyRunningError,
    DestinationError,
    ZendeskError,
)


def main(destination: str, arguments: Sequence[str] | None = None) -> int:
    """Run the pipeline into a destination of `WAREHOUSES`.

    Returns:
        0: every selected stream is loaded, or not part of this account's plan; 1: a stream failed, the credentials may
        not read one that every plan has, or a table is found to differ from Zendesk; 2: wrong use: a setting,
        credentials, an address; 3: stopped by `--max-minutes`, with more to read; 128 and its number: by a signal.
    """
    warehouse = WAREHOUSES[destination]
    return_large_blocks()
    try:
        options = make_parser(warehouse).parse_args(arguments)
        if signal.getsignal(signal.SIGINT) is signal.SIG_DFL and threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGINT, signal.default_int_handler)  # as Python has it: the scripts have taken it away
        with plain_warnings(options.quiet):
            return carry_out(options, warehouse)
    except AlreadyRunningError as error:
        fail(str(error))
        return INCOMPLETE
    except (ZendeskError, ConfigurationException) as error:
        fail(first_paragraph(error))
        told = "" if isinstance(error, DestinationError) else str(error)
        if "credentials" in told or "subdomain is not set" in told:
            errors.print("\nWithout a Zendesk account, try --demo.", highlight=False)
        return WRONG_USE
    except (OSError, DestinationException) as error:
        fail(explain(error))
        return INCOMPLETE
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
    return run(options, make_pipeline)


duckdb = partial(main, "duckdb")
postgres = partial(main, "postgres")
bigquery = partial(main, "bigquery")
