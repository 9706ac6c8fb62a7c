"""Destinations beyond DuckDB, Postgres and BigQuery: whole tables where they run here, else what reaches them."""

from __future__ import annotations

import gzip
from pathlib import Path

import dlt
from dlt.pipeline.pipeline import Pipeline
from support import assert_whole, load, source, written

from zendesk_support import verify
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


def test_redshift_gets_json_to_parse(tmp_path: Path, account: Simulator) -> None:
    """From an Arrow table, its `super` columns would hold texts."""
    target = dlt.pipeline("redshift", destination=dlt.destinations.redshift(), dataset_name="zd")
    target.extract(source(account).with_resources("macros"))
    target.normalize()
    [file] = Path(target.working_dir).glob("load/normalized/*/new_jobs/macros.*.insert_values.gz")
    assert gzip.decompress(file.read_bytes()).count(b"json_parse('[{") >= len(account.truth("macros"))
