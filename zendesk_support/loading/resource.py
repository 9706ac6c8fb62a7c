"""The body of every stream's resource: hands over what the readers bring, and says how far it is.

A resource ends at each checkpoint of a sync so that dlt loads what it has yielded; its readers go on meanwhile, and the
resource of the next dlt run takes over from them.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, suppress
from typing import Any

import dlt
from dlt.common.configuration.exceptions import ConfigFieldMissingException

from zendesk_support.api.tokens import TokenVault
from zendesk_support.checkpoints import current_sync
from zendesk_support.errors import ConfigurationError
from zendesk_support.loading.account import Account
from zendesk_support.loading.account_guard import STATE_KEY, check_account
from zendesk_support.loading.default_set import STATE_KEY as DEFAULT_SET
from zendesk_support.loading.default_set import set_of
from zendesk_support.loading.destination_state import is_compared, lost_streams, what_differs
from zendesk_support.loading.hints import apply_mode
from zendesk_support.loading.positions import POSITIONS
from zendesk_support.loading.resource_run import Recipe, ResourceRun
from zendesk_support.loading.target import Run, takes_nothing, target_of
from zendesk_support.settings import Settings
from zendesk_support.streams.base import Stream


def extract(stream: Stream, account: Account, cursor: Any | None) -> Iterator[Any]:
    """Yield a stream's tables, and None while there is nothing to yield."""
    if takes_nothing(dlt.current.resource()):
        return  # dlt would drop the first page, and its position would move
    run, reports = account.runs.current(), account.reports()
    if run is not None and is_unasked(stream, run):
        reports.ended.add(dlt.current.resource_name())
        return
    stream = stream.configured(account.settings)
    target = target_of(stream, account.settings, cursor, run)
    apply_mode(dlt.current.resource(), stream, target)
    if cursor is not None:
        cursor.advance(None)
        if target.is_bounded and cursor.end_value is None and run is not None:
            leave_no_position(cursor)
    session = account.enter()
    try:
        if run is not None:
            session.shared.once("destination", lambda: check_destination(account.settings, run))
        restore_tokens(session.vault)
        # Only a sync goes on in the next run with what it began; what somebody only peeked at is nobody's.
        run_of_stream = session.resource_runs.get(target.resource) if current_sync.get() is not None else None
        if run_of_stream is None:
            run_of_stream = session.resource_runs[target.resource] = ResourceRun(
                session, Recipe.of(session, stream, target, cursor)
            )
        else:
            run_of_stream.resume(target)
        with closing(run_of_stream.items(cursor)) as items:
            for item in items:
                reports.turns += 1
                yield item
    finally:
        reports.ended.add(target.resource)
        keep_tokens(session.vault)
        account.leave(session)


def leave_no_position(cursor: Any) -> None:
    """Take back the position that dlt has begun to keep for an incremental that only the source bounds."""
    state = dlt.current.resource_state()
    if not state.get(POSITIONS):
        state.get("incremental", {}).pop(cursor.cursor_path, None)


def check_destination(settings: Settings, run: Run) -> None:
    """Refuse to load another account into a pipeline, or beside gaps that `sync()` would have repaired.

    Raises:
        ConfigurationError: the account is another one, or rows that were loaded are gone from the destination.
    """
    if current_sync.get() is None:  # `sync` has looked
        with suppress(ConfigFieldMissingException):  # rows may be extracted here and loaded elsewhere
            check_whole(settings, run)
    if settings.end is None:
        state = dlt.current.source_state()
        state[STATE_KEY] = settings.account
        state[DEFAULT_SET] = set_of(state, run.tables)


def is_unasked(stream: Stream, run: Run) -> bool:
    """Whether a stream is one that the pipeline has never loaded, and that nobody has asked for."""
    source: Any = dlt.current.source()
    return getattr(source, "by_default", False) and not stream.is_in(set_of(dlt.current.source_state(), run.tables))


def check_whole(settings: Settings, run: Run) -> None:
    """Refuse to load beside another account's rows, or beside gaps."""
    pipeline, schema = run.pipeline, run.schema
    check_account(pipeline, schema.name, settings)
    remedy = "Load by `zendesk_support.sync(pipeline, source)`, which repairs that."
    if is_compared(pipeline) and (why := what_differs(pipeline)):
        raise ConfigurationError(f"{why} {remedy}")
    selected = dlt.current.source().selected_resources.items()
    streams = {name: found.stream for name, found in selected if hasattr(found, "stream")}
    for loss in lost_streams(pipeline, schema.name, streams, run.emptied).values():
        raise ConfigurationError(f"{loss.how}. {remedy}")


def restore_tokens(vault: TokenVault | None) -> None:
    """Offer the token pair in the pipeline's state, which a fresh machine has from the destination."""
    if vault is not None:
        vault.offer(dlt.current.source_state().get(vault.STATE_KEY))


def keep_tokens(vault: TokenVault | None) -> None:
    """Put the newest token pair, encrypted, into the pipeline's state."""
    if vault is not None and vault.sealed is not None:
        dlt.current.source_state()[vault.STATE_KEY] = vault.sealed
