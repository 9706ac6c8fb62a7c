"""Destinations beyond DuckDB, Postgres and BigQuery: whole tables where they run here, else what reaches them."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from pathlib import Path
from typing import Any

import dlt
import pytest
from dlt.pipeline.pipeline import Pipeline
from levers import ask, refused
from support import assert_rows, assert_whole, load, rows_of, source, standing, written

from zendesk_support import sync, verify
from zendesk_support.api.transport import Transport
from zendesk_support.simulator import Simulator

NAMES = ("tickets", "ticket_events", "ticket_comments", "macros", "group_memberships", "user_identities")


def change(account: Simulator) -> None:
    """Change, redact and remove rows."""
    for kind in ("update_tickets", "create_tickets", "delete_tickets", "redact_comments", "make_comments_private"):
        account.mutate(kind, count=2)
    for stream in ("macros", "group_memberships", "user_identities"):
        for kind in ("create_rows", "update_rows", "remove_rows"):
            account.mutate(kind, stream=stream, count=2)
    account.advance(120)


def verdicts(target: Pipeline, account: Simulator) -> set[str]:
    """What `verify` says of the tables."""
    return {result.verdict for result in verify(target, source(account).with_resources(*NAMES), keys=True)}


def files(tmp_path: Path) -> Pipeline:
    to = dlt.destinations.filesystem(f"file://{tmp_path}/files")
    return dlt.pipeline("files", destination=to, dataset_name="zd")


def test_sqlite_keeps_whole_tables(tmp_path: Path, account: Simulator) -> None:
    """It has neither times nor booleans: what is read back of it to be amended is the same all the same."""
    to = dlt.destinations.sqlalchemy(f"sqlite:///{tmp_path}/zd.db")
    target = dlt.pipeline("sqlite", destination=to, dataset_name="zd")
    load(target, account, *NAMES)
    change(account)
    load(target, account, *NAMES)
    assert_whole(target, account, *NAMES)
    names = [column for name in NAMES for column in target.default_schema.tables[name]["columns"]]
    assert [name for name in names if "__v_" in name] == []
    assert written(load(target, account, *NAMES)) == {}
    assert verdicts(target, account) == {"ok"}


def test_in_plain_files_the_newest_rows_are_whole(tmp_path: Path, account: Simulator) -> None:
    target = files(tmp_path)
    for _ in range(2):
        target.run(source(account).with_resources(*NAMES))
        listed = {name: standing(name, found) for name, found in rows_of(target, *NAMES).items()}
        assert_rows(target, account, listed)
        assert verdicts(target, account) == {"ok"}
        change(account)


def test_plain_files_get_a_row_once_in_a_load(
    tmp_path: Path, simulate: Callable[..., Simulator], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A ticket that changes while the export is read comes in it twice; which is the newer one, files do not tell."""
    account, pages, get = simulate(tickets=300), [], Transport.get
    account.fault("heavy_page", route="incremental_tickets_cursor", per_page=70, times=None)

    def meddling(self: Transport, request: Any, *more: Any) -> Any:
        pages.append(request.url)
        if len(pages) == 7:  # the first ones were too large
            account.mutate("update_tickets", count=20)
            account.advance(120)
        return get(self, request, *more)

    monkeypatch.setattr(Transport, "get", meddling)
    target = files(tmp_path)
    report = load(target, account, "tickets")
    assert report.streams["tickets"].rows > 300
    assert ask(target, "SELECT count(*), count(DISTINCT id) FROM tickets") == [(300, 300)]
    assert_whole(target, account, "tickets")


@pytest.mark.parametrize(("setting", "how"), [("sync_mode", "run"), ("nested", "sync")])
def test_what_open_tables_cannot_do_is_refused_before_a_request(
    tmp_path: Path, account: Simulator, setting: str, how: str
) -> None:
    """History needs validity of rows, child tables the removal of items."""
    wrong, right = {"sync_mode": ("history", "incremental_append"), "nested": ("tables", "json")}[setting]
    chosen = source(account, **{setting: wrong}).with_resources("tickets")
    chosen.tickets.apply_hints(table_format="delta")
    load: Callable[[], Any] = lambda: files(tmp_path).run(chosen) if how == "run" else sync(files(tmp_path), chosen)  # noqa: E731
    account.reset_requests()
    assert f'Example: {setting} = "{right}"' in refused(load)
    assert account.requests() == []


def test_redshift_gets_json_to_parse(tmp_path: Path, account: Simulator) -> None:
    """From an Arrow table, its `super` columns would hold texts."""
    target = dlt.pipeline("redshift", destination=dlt.destinations.redshift(), dataset_name="zd")
    target.extract(source(account).with_resources("macros"))
    target.normalize()
    [file] = Path(target.working_dir).glob("load/normalized/*/new_jobs/macros.*.insert_values.gz")
    assert gzip.decompress(file.read_bytes()).count(b"json_parse('[{") >= len(account.truth("macros"))
