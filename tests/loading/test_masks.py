"""Values that are to be left out or hashed are so in every table, and tables stay right by them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from dlt.pipeline.pipeline import Pipeline
from documented import says
from masked import MASKS, SALT, SETTINGS, hashed, masked
from support import Loaded, assert_rows, load, pipeline, rows_of, simulated, source, standing, written

from zendesk_support import by_row, rows, sync
from zendesk_support.errors import ConfigurationError
from zendesk_support.simulator import Simulator
from zendesk_support.verification.verifier import verify

Simulate = Callable[..., Simulator]
ROUNDS = (
    ("update_tickets", "update_users", "create_users", "delete_tickets", "redact_comments"),
    ("scrub_tickets", "redact_comments", "make_comments_private", "permanently_delete_users"),
)
LISTED = ("groups", "group_memberships")


def change(account: Simulator, kinds: tuple[str, ...]) -> None:
    """Change tickets and people, and every list a little."""
    for kind in kinds:
        account.mutate(kind, **({"count": 4} if kind == "redact_comments" else {}))
    for stream in ("ticket_skips", *LISTED):
        account.mutate("update_rows", stream=stream)
    account.mutate("remove_rows", stream="group_memberships")
    account.mutate("remove_rows", stream="user_identities")


@pytest.mark.parametrize("nested", ["json", "tables"])
def test_tables_hold_masked_rows_and_follow_every_change(tmp_path: Path, simulate: Simulate, nested: str) -> None:
    account = simulate(tickets=20)
    target = pipeline(tmp_path)
    load(target, account, *MASKS, nested=nested, **SETTINGS)
    assert_rows(target, account, rows_of(target, *MASKS), masked)
    for kinds in ROUNDS:
        change(account, kinds)
        load(target, account, *MASKS, nested=nested, **SETTINGS)
        assert_rows(target, account, rows_of(target, *MASKS), masked)
    assert written(load(target, account, *MASKS, nested=nested, **SETTINGS)) == {}


@pytest.mark.parametrize(
    "settings", [{"deletes": "mark"}, {"sync_mode": "history"}, {"sync_mode": "incremental_append"}]
)
def test_rows_that_stay_keep_masked_values_only(tmp_path: Path, simulate: Simulate, settings: dict[str, Any]) -> None:
    account = simulate(tickets=10)
    target = pipeline(tmp_path)
    streams = ("ticket_comments", "ticket_metrics", "users", "groups", "group_memberships")
    load(target, account, *streams, **SETTINGS, **settings)
    known = {name: list(account.truth(name)) for name in streams}
    account.mutate("update_users", count=3)
    account.mutate("redact_comments")
    account.mutate("update_rows", stream="groups", count=2)
    account.mutate("remove_rows", stream="group_memberships")
    account.mutate("delete_tickets")
    load(target, account, *streams, **SETTINGS, **settings)
    listed = rows_of(target, *streams)
    assert_rows(target, account, {name: standing(name, found) for name, found in listed.items()}, masked)
    hashes = {hashed(row["name"]) for row in [*known["users"], *account.truth("users")]}
    assert {row["name"] for row in listed["users"]} <= hashes
    assert {row["url"] for row in listed["group_memberships"]} == {
        hashed(row["url"]) for row in known["group_memberships"]
    }
    assert {name for row in listed["users"] for name in row}.isdisjoint(("phone", "photo", "notes"))
    assert written(load(target, account, *streams, **SETTINGS, **settings)) == {}


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Loaded]:
    """An account, loaded with masks."""
    with simulated(tickets=10) as account:
        yield Loaded.make(tmp_path_factory.mktemp("masked"), account, "users", "tags", **SETTINGS)


def refused(target: Pipeline, account: Simulator, **settings: Any) -> str:
    """Why a sync of users is refused; the table stays as it was, and nobody is told the salt."""
    before = rows_of(target, "users")
    with pytest.raises(ConfigurationError) as caught:
        load(target, account, "users", **settings)
    assert rows_of(target, "users") == before
    assert SALT not in str(caught.value)
    return str(caught.value)


def users(**lists: list[str]) -> dict[str, Any]:
    """Settings with another mask of users."""
    return {**SETTINGS, "streams": {"users": {**MASKS["users"], **lists}}}


def test_another_salt_is_refused_until_the_stream_is_loaded_anew(tmp_path: Path, loaded: Loaded) -> None:
    target, other = loaded.copy(tmp_path), {**SETTINGS, "hash_salt": "another salt for the same tests"}
    told = refused(target, loaded.account, **other)
    assert says("a salt that is not the table's", told)
    assert other["hash_salt"] not in told
    target.run(source(loaded.account, **other).with_resources("users"), refresh="drop_resources")
    names = {row["name"] for row in rows_of(target, "users")["users"]}
    assert len(names) > 10
    assert names.isdisjoint(hashed(row["name"]) for row in loaded.account.truth("users"))


def test_a_hash_that_is_set_or_taken_back_later_is_refused(tmp_path: Path, loaded: Loaded) -> None:
    target = loaded.copy(tmp_path)
    told = refused(target, loaded.account, **users(hash=["email", "name", "alias"]))
    assert says("a hash that the table was loaded without", told)
    assert "was loaded with hash = ['email', 'name', 'user_fields.loyalty_no']" in refused(target, loaded.account)


def test_a_column_that_is_left_out_later_must_be_emptied_first(tmp_path: Path, loaded: Loaded) -> None:
    target = loaded.copy(tmp_path)
    added = users(exclude=[*MASKS["users"]["exclude"], "role"])
    told = refused(target, loaded.account, **added)
    assert says("a column that is left out later", told)
    assert "the table users was loaded with role, and rows" in told
    assert "`UPDATE users SET role = NULL`" in told
    assert "UPDATE" not in refused(target, loaded.account, **users(exclude=["user_fields.customer_tier"]))
    with target.sql_client() as client:
        client.execute_sql("UPDATE users SET role = NULL")
    load(target, loaded.account, "users", **added)
    loaded.account.mutate("update_users")
    assert written(load(target, loaded.account, "users", **added)) == {"users": 1}
    assert {row.get("role") for row in rows_of(target, "users")["users"]} == {None}


def test_a_column_that_is_no_longer_left_out_comes_as_rows_change(tmp_path: Path, loaded: Loaded) -> None:
    target, shown = loaded.copy(tmp_path), users(exclude=[])
    load(target, loaded.account, "users", **shown)
    [changed] = loaded.account.mutate("update_users")["ids"]
    load(target, loaded.account, "users", **shown)
    truth = {row["id"]: row for row in loaded.account.truth("users")}
    [row] = [row for row in rows_of(target, "users")["users"] if row["id"] == changed]
    assert row["details"] == truth[changed]["details"]
    assert "was loaded with details" in refused(target, loaded.account, **users(exclude=["details"]))


def test_a_table_that_was_loaded_without_masks_is_refused_one(tmp_path: Path, simulate: Simulate) -> None:
    account, target = simulate(tickets=5), pipeline(tmp_path)
    load(target, account, "users", nested="tables")
    given = {"hash_salt": SALT, "nested": "tables"}
    assert "hash = []" in refused(target, account, streams={"users": {"hash": ["email"]}}, **given)
    assert "with photo" in refused(target, account, streams={"users": {"exclude": ["photo"]}}, **given)
    load(target, account, "users", streams={"users": {"exclude": ["suspension_details"]}}, **given)


def test_verification_compares_masked_values(tmp_path: Path, loaded: Loaded) -> None:
    target = loaded.copy(tmp_path)
    streams = ("groups", "ticket_comments", "users")
    load(target, loaded.account, *streams, **SETTINGS)
    loaded.account.mutate("update_rows", stream="groups")
    chosen = source(loaded.account, **SETTINGS).with_resources(*streams)
    assert {result.stream: result.verdict for result in verify(target, chosen, keys=True)} == dict.fromkeys(
        streams, "ok"
    )
    with target.sql_client() as client:
        client.execute_sql("DELETE FROM groups WHERE id = (SELECT min(id) FROM groups)")
    results = {result.stream: result for result in verify(target, chosen)}
    assert results["groups"].verdict == "missing"


def test_functions_of_users_see_masked_rows(tmp_path: Path, loaded: Loaded) -> None:
    seen: list[dict[str, Any]] = []
    chosen = source(loaded.account, **SETTINGS).with_resources("users", "groups")
    chosen.users.add_map(by_row(lambda row: seen.append(row) or row))
    pages = list(chosen.groups)
    sync(pipeline(tmp_path, "other"), chosen)
    truth = {row["id"]: row for row in loaded.account.truth("users")}
    assert {row["id"]: row["email"] for row in seen} == {id: hashed(row["email"]) for id, row in truth.items()}
    assert "phone" not in {name for row in seen for name in row}
    names = {row["name"] for page in pages for row in rows(page)}
    assert names == {hashed(row["name"]) for row in loaded.account.truth("groups")}


def test_an_error_about_a_row_quotes_no_value_of_a_stream_with_a_mask(tmp_path: Path, simulate: Simulate) -> None:
    account = simulate(tickets=5)
    events = account.account.tables["ticket_events"]
    events.change(events.rids[0]).update(child_events="what somebody wrote")
    chosen = source(account, **SETTINGS).with_resources("ticket_comments")
    message = str(sync(pipeline(tmp_path), chosen).streams["ticket_comments"].message)
    assert "child_events = a masked value, no list of objects" in message
    assert "somebody" not in message


def test_equal_values_have_equal_hashes_in_all_streams(tmp_path: Path, loaded: Loaded) -> None:
    target = loaded.copy(tmp_path)
    load(target, loaded.account, "users", "user_identities", **SETTINGS)
    with target.sql_client() as client:
        joined = client.execute_sql(
            "SELECT count(*) FROM users JOIN user_identities ON value = email AND user_id = users.id"
        )
    equal = {row["id"]: row["email"] for row in loaded.account.truth("users")}.items() & {
        (row["user_id"], row["value"]) for row in loaded.account.truth("user_identities")
    }
    assert joined == [(len(equal),)]
    assert len(equal) > 3
