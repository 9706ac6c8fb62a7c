"""Several accounts in one process: each with a thread, a pipeline, a dataset, positions and a budget of its own."""

from __future__ import annotations

import inspect
import threading
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import dlt

from zendesk_support.checkpoints import Stop, shared_stop
from zendesk_support.dlt_internals import Container, PipelineContext
from zendesk_support.loading.named_accounts import NamedAccount, chosen_accounts, named_account
from zendesk_support.loading.setting_names import own_settings
from zendesk_support.report import Report
from zendesk_support.running.runner import sync
from zendesk_support.source import OF_DLT, SECTION, ZendeskSource, zendesk_support_source
from zendesk_support.streams import CATALOGUE
from zendesk_support.streams.selection import selected

AT_ONCE = 4
"""Accounts that are loaded at the same time, where nobody says how many."""
T = TypeVar("T")


def sync_accounts(
    destination: Any,
    *,
    accounts: Sequence[str] = (),
    streams: Sequence[str] = (),
    pipeline_name: str = SECTION,
    dataset_name: str = SECTION,
    at_once: int = AT_ONCE,
    full_refresh: bool = False,
    max_minutes: float | None = None,
) -> dict[str, Report]:
    """Load the accounts that are configured below `sources.zendesk_support.accounts`, side by side.

    Each has a pipeline and a dataset named after it, `zendesk_support_acme`, and with them positions, schema and budget
    of its own; with `into = "one"` they share the dataset `dataset_name`, where each row has its `account`. One that
    fails stops no other. In the main thread, the first SIGINT or SIGTERM ends all of them at the next page: loaded,
    resumable.

    Args:
        destination: as `dlt.pipeline` takes it.
        accounts: which of them; all that are configured where none is named.
        streams: which to load, by name or family; those that the configuration says where none is named.
        pipeline_name: what the names of the pipelines begin with.
        dataset_name: what the names of the datasets begin with.
        at_once: how many are loaded at the same time.
        full_refresh: as of `sync`.
        max_minutes: as of `sync`, for each account.

    Returns:
        A report of each account by its name, in their order; `error` says why one could not be loaded. An account whose
        turn had not come when a signal came has a report without streams.

    Raises:
        ConfigurationError: an account is configured nowhere.
    """

    def load(name: str) -> Report:
        found = account_named(name)
        source = source_of_account(found)
        if streams:
            source = source.with_resources(*selected(streams))
        own, dataset = found.place(pipeline_name, dataset_name, source.account.settings.into)
        pipeline = dlt.pipeline(own, destination=destination, dataset_name=dataset)
        return sync(pipeline, source, full_refresh=full_refresh, max_minutes=max_minutes)

    names, stop = chosen_accounts(accounts), Stop()
    done = side_by_side(names, load, at_once, stop)
    return {name: report_of(done.get(name), stop) for name in names}


def report_of(outcome: Report | BaseException | None, stop: Stop) -> Report:
    """The report of an account: its own, one that says why there is none, or one of an account that was not begun."""
    if isinstance(outcome, Report):
        return outcome
    report = Report()
    report.signal = stop.received
    if outcome is not None:
        if not isinstance(outcome, Exception):
            raise outcome
        report.error, report.broken = outcome, True
    return report


def side_by_side(
    names: Sequence[str], work: Callable[[str], T], at_once: int, stop: Stop
) -> dict[str, T | BaseException]:
    """Do something for each of some accounts, a few at a time, each in a thread: dlt has one active pipeline a thread.

    Args:
        names: the accounts.
        work: what to do for one of them.
        at_once: how many at a time.
        stop: ends their syncs; after a signal no other account is begun.

    Returns:
        What came of each by its name, be it an exception.
    """
    waiting, done = deque(names), dict[str, "T | BaseException"]()

    def work_on() -> None:
        shared_stop.set(stop)  # each thread has a context of its own
        while waiting and stop.received is None:
            try:
                name = waiting.popleft()
            except IndexError:  # another thread was faster
                return
            try:
                done[name] = work(name)
            except BaseException as error:
                done[name] = error
            finally:
                let_go()

    threads = [
        threading.Thread(target=work_on, name=f"zendesk-account-{number}", daemon=True)
        for number in range(min(at_once, len(names)))
    ]
    with stop.heeding_signals():
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    return done


def let_go() -> None:
    """Leave no pipeline active in a thread: another account, or another thread of the same number, would go by it."""
    context = Container()[PipelineContext]
    if context.is_active():
        context.deactivate()


def account_named(name: str) -> NamedAccount:
    """An account as it is configured.

    Raises:
        ConfigurationError: it is not, or has a setting that there is not.
    """
    return named_account(name, known_settings(), CATALOGUE)


def known_settings() -> tuple[str, ...]:
    """The settings of a source."""
    return (*inspect.signature(zendesk_support_source).parameters, *OF_DLT)


def source_of_account(account: NamedAccount, **settings: Any) -> ZendeskSource:
    """The source of a configured account.

    Args:
        account: which.
        settings: further ones, which go before the account's.

    Raises:
        ConfigurationError: a setting cannot be used.
    """
    token = own_settings.set(account.own)
    try:
        source: ZendeskSource = zendesk_support_source(**{**account.settings, **settings})
        return source
    finally:
        own_settings.reset(token)
