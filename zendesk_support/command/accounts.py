"""What the command line does with configured accounts: each as if it were alone, side by side."""

from __future__ import annotations

import argparse
import copy
from collections.abc import Iterable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from zendesk_support.checkpoints import Stop
from zendesk_support.command.console import errors, label
from zendesk_support.command.destinations import DATASET
from zendesk_support.command.failures import TOLD, tell_failure
from zendesk_support.command.options import apart
from zendesk_support.command.runs import INCOMPLETE, LOADED, OUT_OF_TIME, WRONG_USE, do, make_source, warn_of_secrets
from zendesk_support.errors import ConfigurationError
from zendesk_support.loading.named_accounts import NamedAccount, chosen_accounts
from zendesk_support.running.accounts import AT_ONCE, account_named, side_by_side, source_of_account

BY_SEVERITY = (WRONG_USE, INCOMPLETE, OUT_OF_TIME, LOADED)
OF_ONE = {"metrics_port": "--every 1m --metrics-port 9464", "progress": "--progress tqdm"}
"""Options that several accounts cannot share, each in a call that one account takes."""


def accounts_of(options: argparse.Namespace) -> tuple[str, ...]:
    """The accounts that a call is about; none where it is about an account without a name.

    Raises:
        ConfigurationError: one is configured nowhere, or an option is for one account only.
    """
    if options.list_streams or options.demo:
        return ()
    names = chosen_accounts(apart(options.account))
    if options.at_once is not None and (len(names) < 2 or options.every):
        why = "with --every all accounts are loaded at the same time" if options.every else "it is for several accounts"
        raise ConfigurationError(f"--at-once {options.at_once}: {why}. Example: --account acme globex --at-once 2")
    for option, example in OF_ONE.items():
        given = getattr(options, option)
        if len(names) > 1 and given is not None and given not in ("auto", "log", "off"):
            name = option.replace("_", "-")
            raise ConfigurationError(
                f"--{name} {given} is for one account: run a process for each. Example: --account {names[0]} {example}"
            )
    return names


def run_accounts(names: Sequence[str], options: argparse.Namespace, make_pipeline: Any) -> int:
    """Do what the options say with each of some accounts; the worst of their exit codes."""
    warn_of_secrets()
    if len(names) == 1:
        return run_one(names[0], options, make_pipeline)
    stop = Stop()
    done = side_by_side(names, partial(run_labelled, options, make_pipeline), at_once(options, len(names)), stop)
    codes: dict[str, int] = {}
    for name, outcome in done.items():
        if not isinstance(outcome, int):
            raise outcome
        codes[name] = outcome
    if failed := [f"{name} ({code})" for name, code in codes.items() if code != LOADED]:
        errors.print(f"{len(failed)} of {len(names)} accounts have ended otherwise than with 0: {', '.join(failed)}")
    return 128 + stop.received if stop.received is not None else worst(codes.values())


def at_once(options: argparse.Namespace, accounts: int) -> int:
    """How many accounts have their turn at a time."""
    if options.every is not None:
        return accounts
    if (options.verify or options.verify_keys or options.views) and options.file_of is not None:
        return 1  # each keeps the DuckDB file open, which no other thread may close then
    return options.at_once or AT_ONCE


def worst(codes: Iterable[int]) -> int:
    """The code of several that asks most of people: a signal, then wrong use, then what is not loaded."""
    return max(codes, key=lambda code: code if code >= 128 else -BY_SEVERITY.index(code))


def run_labelled(options: argparse.Namespace, make_pipeline: Any, name: str) -> int:
    """Do what the options say with one of several accounts, whose name each line begins with."""
    label.set(name)  # for this account's thread; the next one there has its own
    try:
        return run_one(name, options, make_pipeline)
    except TOLD as error:
        return tell_failure(error)


def run_one(name: str, options: argparse.Namespace, make_pipeline: Any) -> int:
    """Do what the options say with an account."""
    account = account_named(name)
    source = make_source(options, partial(source_of_account, account))
    return do(options_of(account, source.account.settings.into, options), make_pipeline, source)


def options_of(account: NamedAccount, into: str, options: argparse.Namespace) -> argparse.Namespace:
    """The options as a call for this account alone would have them."""
    own = copy.copy(options)
    own.pipeline_name, own.dataset = account.place(options.pipeline_name, options.dataset or DATASET, into)
    if options.status_file:
        path = Path(options.status_file)
        own.status_file = str(path.with_name(f"{path.stem}.{account.name}{path.suffix}"))
    return own
