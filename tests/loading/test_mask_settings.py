"""What is to be left out or hashed may stand in files, environment and arguments; what cannot be so is refused."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from dlt.common.configuration.exceptions import ValueNotSecretException
from documented import says
from masked import SALT

from zendesk_support import ConfigurationError, zendesk_support_source
from zendesk_support.loading.stream_settings import check_path, columns_to_mask
from zendesk_support.records.masks import Mask
from zendesk_support.streams import CATALOGUE

SECTION = "SOURCES__ZENDESK_SUPPORT__"
FILE = """
[sources.zendesk_support.streams.users]
exclude = ["phone", "photo"]
hash = ["email", "name"]

[sources.zendesk_support.streams.ticket_comments]
hash = ["via.source.from.address"]
"""
SECRETS = f'[sources.zendesk_support]\nhash_salt = "{SALT}"\n'


def mask(stream: str, **settings: Any) -> Mask:
    """The mask of a stream of a source on a made-up account."""
    source = zendesk_support_source(subdomain="acme", credentials={"access_token": "word"}, **settings)  # type: ignore[arg-type]
    return source.resources[stream].stream.mask


def users(*exclude: str, hash: Any = (), salt: str | None = SALT, stream: str = "users") -> Mask:
    return mask(stream, streams={stream: {"exclude": list(exclude), "hash": hash}}, hash_salt=salt)


def test_masks_can_stand_in_the_files(config_file: Callable[..., None]) -> None:
    config_file(FILE)
    config_file(SECRETS, "secrets.toml")
    assert mask("users") == Mask(("phone", "photo"), ("email", "name"), SALT.encode())
    assert mask("ticket_comments").hash == ("via.source.from.address",)
    assert not mask("tickets")


@pytest.mark.parametrize("value", ['["phone", "photo"]', "phone, photo"])
def test_masks_can_stand_in_the_environment(value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(f"{SECTION}STREAMS__USERS__EXCLUDE", value)
    monkeypatch.setenv(f"{SECTION}STREAMS__USERS__HASH", '["email"]')
    monkeypatch.setenv(f"{SECTION}HASH_SALT", SALT)
    assert mask("users") == Mask(("phone", "photo"), ("email",), SALT.encode())


@pytest.mark.parametrize("below", ["STREAMS", "STREAMS__USERS"])
def test_settings_of_one_stream_add_up_wherever_they_stand(
    below: str, config_file: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    config_file('[sources.zendesk_support.streams.users]\nsync_mode = "history"\nexclude = ["phone", "photo"]')
    own = {"hash": ["email"]}
    monkeypatch.setenv(f"{SECTION}{below}", json.dumps({"users": own} if below == "STREAMS" else own))
    found = mask("users", hash_salt=SALT)
    assert (found.exclude, found.hash) == (("phone", "photo"), ("email",))
    monkeypatch.delenv(f"{SECTION}{below}")
    monkeypatch.setenv(f"{SECTION}STREAMS__USERS__EXCLUDE", "[]")
    assert not mask("users")
    assert mask("users", streams={"users": {"exclude": ["notes"]}}).exclude == ("notes",)


def test_a_salt_in_a_file_that_is_no_secret_is_not_taken(config_file: Callable[..., None]) -> None:
    config_file(SECRETS + FILE)
    with pytest.raises(ValueNotSecretException) as caught:
        mask("users")
    assert SALT not in str(caught.value)


def test_blanks_around_a_salt_do_not_count() -> None:
    assert users(hash=["email"], salt=f" {SALT}\n") == users(hash=["email"])


@pytest.mark.parametrize(
    ("exclude", "hash", "expected"),
    [
        (
            ["phon"],
            [],
            'streams.users.exclude = "phon": users has no column phon. Did you mean phone? Example: '
            'streams.users.exclude = ["name"].',
        ),
        ([], ["user_field.tier"], 'hash = "user_field.tier": users has no column user_field. Did you mean user_fields'),
        (["email.domain"], [], 'exclude = "email.domain": email holds no nested values. Example: '),
        (["user_fields."], [], 'streams.users.exclude = "user_fields." is not a path. Example: '),
        (["id"], [], 'streams.users.exclude = "id": the loader goes by id (keys, times, parents), and must have it'),
        ([], ["updated_at"], 'streams.users.hash = "updated_at": the loader goes by updated_at'),
        (
            ["email"],
            ["email"],
            'streams.users.hash = "email" and streams.users.exclude = "email": a value is either left out or hashed',
        ),
        (["photo"], ["photo.url"], 'streams.users.hash = "photo.url" and streams.users.exclude = "photo": a value'),
        ([], ["photo", "photo.url"], 'streams.users.hash = "photo" and streams.users.hash = "photo.url": a value'),
        ([], 5, 'streams.users.hash = "5" is not a list of columns. Example: streams.users.hash = ["email"].'),
        ([""], [], "streams.users.exclude = \"['']\" is not a list of columns. Example: streams.users.exclude"),
        ([], {"email": 1}, "streams.users.hash = \"{'email': 1}\" is not a list of columns."),
    ],
)
def test_what_cannot_be_left_out_or_hashed_is_refused(exclude: list[str], hash: Any, expected: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        users(*exclude, hash=hash)
    assert expected in str(caught.value)
    if "has no column" in expected or "goes by" in expected:
        assert says("a column that cannot be left out or hashed", str(caught.value))
    assert "Example: " in str(caught.value)
    assert SALT not in str(caught.value)


@pytest.mark.parametrize(
    ("stream", "path", "meant"),
    [
        ("tickets", "via.source.from.adress", "via.source.from.address"),
        ("ticket_comments", "attachments.0.file_name", "attachments.file_name"),
    ],
)
def test_a_path_that_is_nearly_a_known_one_is_refused(stream: str, path: str, meant: str) -> None:
    with pytest.raises(ConfigurationError, match=f"Did you mean {re.escape(meant)}") as caught:
        check_path(CATALOGUE[stream], "exclude", path)
    assert f'Example: streams.{stream}.exclude = ["{meant}"].' in str(caught.value)
    check_path(CATALOGUE[stream], "exclude", meant)
    check_path(CATALOGUE["tickets"], "exclude", "via.source.from.phone")


@pytest.mark.parametrize(
    ("stream", "path"),
    [
        ("user_identities", "user_id"),
        ("ticket_comments", "ticket_id"),
        ("ticket_events", "child_events"),
        ("ticket_events", "child_events.id"),
        ("ticket_changes", "field"),
        ("article_votes", "item_id"),
        ("article_votes", "value"),
        ("organizations", "deleted_at"),
        ("tickets", "created_at"),
        ("groups", "updated_at"),
    ],
)
def test_what_the_loader_goes_by_cannot_be_hashed(stream: str, path: str) -> None:
    with pytest.raises(ConfigurationError, match="the loader goes by"):
        users(stream=stream, hash=[path])


def test_a_column_may_go_as_a_whole_though_the_loader_goes_by_what_is_below_it() -> None:
    assert users("child_events", stream="ticket_events").exclude == ("child_events",)


@pytest.mark.parametrize(
    ("salt", "expected"),
    [
        (None, 'streams.users.hash = "email" needs hash_salt, which is not set. Example: 32 random characters'),
        ("x3-few", "hash_salt has 6 characters, and would be guessed: it needs 16 or more. Example: 32 random"),
    ],
)
def test_a_hash_needs_a_salt_that_nobody_guesses(salt: str | None, expected: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        users(hash=["email"], salt=salt)
    assert str(caught.value).startswith(expected)
    assert salt is not None or says("a hash without a salt", str(caught.value))
    assert "x3-few" not in str(caught.value)


def test_a_setting_of_streams_that_does_not_exist_is_refused_with_the_nearest(
    config_file: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(ConfigurationError, match=r'streams\.users = "exclud": there is no such setting'):
        mask("users", streams={"users": {"exclud": ["phone"]}})
    config_file('[sources.zendesk_support.streams.users]\nexcludes = ["phone"]')
    with pytest.raises(ConfigurationError, match=r"users.excludes.*Did you mean streams.users.exclude\?"):
        mask("users")
    config_file('[sources.zendesk_support.users]\nexclude = ["phone"]')
    with pytest.raises(ConfigurationError, match=r'streams.users\] exclude = \["name"\]'):
        mask("users")


@pytest.mark.parametrize("name", CATALOGUE)
def test_every_column_can_be_hashed_or_is_said_to_be_needed(name: str) -> None:
    stream = CATALOGUE[name]
    free = set(columns_to_mask(stream))
    for column in stream.columns:
        if column in free:
            check_path(stream, "hash", column)
            check_path(stream, "exclude", column)
        else:
            with pytest.raises(ConfigurationError, match="the loader goes by"):
                check_path(stream, "hash", column)
