"""Credentials: every kind works, tokens are renewed in time and kept, and no secret is told."""

from __future__ import annotations

import json
import logging
import re
import shutil
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import dlt
import pytest
import tomlkit
from documented import says
from repository import ROOT
from support import assert_whole, load, pipeline, source, table

from zendesk_support import ConfigurationError, ZendeskAccessToken, ZendeskClientCredentials, ZendeskRefreshToken
from zendesk_support.api.clock import Clock
from zendesk_support.api.credentials import ZendeskApiToken
from zendesk_support.api.tokens import RENEW_EARLY, Token, TokenAuth, TokenVault
from zendesk_support.running.runner import sync
from zendesk_support.simulator import Simulator

KINDS = {
    "client credentials": ("client_id", "client_secret"),
    "refresh token": ("client_id", "client_secret", "refresh_token"),
    "access token": ("access_token",),
    "api token": ("email", "api_token"),
}
REFRESH = KINDS["refresh token"]


def given(account: Simulator, *names: str) -> dict[str, str]:
    """Some of the account's credentials."""
    known = account.credentials
    return {name: known[name] for name in names}


def token_requests(account: Simulator) -> int:
    """How often a token was asked for."""
    return sum(request["path"] == "/oauth/tokens" for request in account.requests())


@pytest.fixture
def log(caplog: pytest.LogCaptureFixture) -> Iterator[pytest.LogCaptureFixture]:
    """Everything that is logged, dlt's own lines too."""
    logging.getLogger("dlt").addHandler(caplog.handler)
    caplog.set_level(logging.DEBUG)
    yield caplog
    logging.getLogger("dlt").removeHandler(caplog.handler)


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_credentials_loads(
    tmp_path: Path, simulate: Callable[..., Simulator], kind: str, log: pytest.LogCaptureFixture
) -> None:
    """L35."""
    account = simulate(token_lifetime=7200)
    secrets = given(account, *KINDS[kind])
    target = pipeline(tmp_path)
    report = load(target, account, "groups", "tickets", "user_fields", credentials=secrets)
    assert_whole(target, account, "groups")
    told = log.text + json.dumps(target.state, default=str) + str(report.streams)
    told += (tmp_path / "zendesk.duckdb").read_bytes().decode("latin-1")
    secrets.pop("client_id", None)
    secrets.pop("email", None)
    issued = {**secrets, **given(account, "access_token", "refresh_token")}
    assert [name for name, value in issued.items() if value in told] == []
    assert log.text.count("ends API tokens on 2027-04-30") == (kind == "api token")


@pytest.mark.parametrize(
    ("credentials", "expected"),
    [
        ({"client_id": "x"}, "client_id set, client_secret missing"),
        ({"client_secret": "word"}, "client_secret set, client_id missing"),
        ({"client_id": "x", "refresh_token": "word"}, "client_id, refresh_token set, client_secret missing"),
        ({"refresh_token": "word"}, "refresh_token set, client_id, client_secret missing"),
        ({"email": "a@example.com"}, "email set, api_token missing"),
        ({"api_token": "word"}, "api_token set, email missing"),
        ({"client_id": "x", "client_secret": ""}, "client_id set, client_secret missing"),
        ({"access_token": " "}, "No Zendesk credentials are set|nothing set, access_token missing"),
        ({}, "No Zendesk credentials are set"),
    ],
)
@pytest.mark.parametrize("way", ["argument", "environment"])
def test_half_filled_credentials_name_the_missing_field(
    account: Simulator, credentials: dict[str, str], expected: str, way: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """L34."""
    settings: dict[str, Any] = {}
    if way == "argument":
        settings["credentials"] = credentials
    else:
        settings["credentials"] = dlt.secrets.value
        for name, value in credentials.items():
            monkeypatch.setenv(f"SOURCES__ZENDESK_SUPPORT__CREDENTIALS__{name.upper()}", value)
    with pytest.raises(ConfigurationError, match=expected) as caught:
        source(account, **settings)
    assert "[sources.zendesk_support.credentials]" in str(caught.value)
    assert "word" not in str(caught.value).replace("password", "")
    assert account.requests() == []


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ('{"email": "a@example.com"}', "email set, api_token missing"),
        ('{"email": "a@example.com", "token": "word"}', "credentials of type str are not understood"),
        ("word", "credentials of type str are not understood"),
    ],
)
def test_credentials_in_one_text_that_cannot_be_used_are_refused(
    account: Simulator, value: str, expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """L34."""
    monkeypatch.setenv("SOURCES__ZENDESK_SUPPORT__CREDENTIALS", value)
    with pytest.raises(ConfigurationError, match=expected) as caught:
        source(account, credentials=dlt.secrets.value)
    assert "word" not in str(caught.value)


def test_credentials_can_come_as_one_json_object(account: Simulator, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOURCES__ZENDESK_SUPPORT__CREDENTIALS", json.dumps(given(account, "email", "api_token")))
    assert isinstance(source(account, credentials=dlt.secrets.value).account.credentials, ZendeskApiToken)


@pytest.mark.parametrize(
    "given",
    [
        ZendeskClientCredentials(client_id="x", client_secret="word"),
        ZendeskRefreshToken(client_id="x", client_secret="word", refresh_token="word"),
        ZendeskAccessToken(access_token="word"),
        ZendeskApiToken(email="a@example.com", api_token="word"),
    ],
    ids=lambda credentials: type(credentials).__name__,
)
def test_credentials_can_come_as_objects_of_their_kind(account: Simulator, given: Any) -> None:
    found = source(account, credentials=given).account.credentials
    assert type(found) is type(given)
    assert dict(found) == dict(given)


def test_refused_credentials_stop_the_run_and_say_what_to_check(tmp_path: Path, account: Simulator) -> None:
    """L34, L35."""
    wrong = {"client_id": "simulator-client-id", "client_secret": "not-the-secret"}
    target = pipeline(tmp_path)
    with pytest.raises(ConfigurationError) as caught:
        sync(target, source(account, credentials=wrong).with_resources("groups", "tickets", "users", "articles"))
    assert str(caught.value).startswith("Zendesk refused the client_credentials grant at ")
    assert "Check subdomain, client_id, client_secret" in str(caught.value)
    assert "not-the-secret" not in str(caught.value)
    assert [request["path"] for request in account.requests()] == ["/oauth/tokens"]
    assert target.schema_names == []
    load(target, account, "groups", "tickets")
    assert_whole(target, account, "groups", "tickets")


@pytest.mark.parametrize("kind", ["access token", "api token"])
def test_credentials_that_zendesk_does_not_know_stop_the_run(tmp_path: Path, account: Simulator, kind: str) -> None:
    """L32, L34."""
    wrong = {name: f"not-{value}" for name, value in given(account, *KINDS[kind]).items()}
    with pytest.raises(ConfigurationError) as caught:
        sync(pipeline(tmp_path), source(account, credentials=wrong).with_resources("groups", "tickets", "users"))
    assert says("Zendesk does not know the token", str(caught.value))


def test_a_token_that_cannot_be_had_is_asked_for_once_not_once_a_stream(tmp_path: Path, account: Simulator) -> None:
    account.fault("status", status=503, retry_after="40", route="oauth_tokens", times=None)
    report = sync(
        pipeline(tmp_path), source(account, retry_deadline=100).with_resources("groups", "tickets", "users", "articles")
    )
    assert len(report.failed) == 4
    [message] = {stream.message for stream in report.failed}
    assert str(message).startswith('oauth/tokens: no usable answer within retry_deadline = 100 s; the last was "503: ')
    assert token_requests(account) <= 3


def test_credentials_revoked_in_the_middle_end_every_stream_and_keep_its_pages(
    tmp_path: Path, simulate: Callable[..., Simulator], monkeypatch: pytest.MonkeyPatch
) -> None:
    """L21, L33."""
    slowly: dict[str, Any] = {"clock_scale": 30}  # lest the token ends by itself while a busy machine reads a page
    account = simulate(tickets=300, token_lifetime=7200, **slowly)
    account.fault("heavy_page", route="incremental_*", per_page=130, times=None)
    account.fault("expire_token", route="incremental_tickets_cursor", nth=5)
    account.fault("status", status=401, body='{"error":"invalid_client"}', route="oauth_tokens", nth=2, times=None)
    handle, revoked, users = account.api.handle, threading.Event(), iter(range(1000))

    def held(request: Any) -> Any:
        """Answer the second request for users, and those after it, once the credentials are revoked."""
        if "/incremental/users" in request.path and next(users):
            assert revoked.wait(60)
        reply = handle(request)
        if request.path == "/oauth/tokens" and reply.status == 401:
            revoked.set()
        return reply

    monkeypatch.setattr(account.api, "handle", held)
    target = pipeline(tmp_path)
    report = sync(target, source(account, **slowly).with_resources("tickets", "users"))
    assert {stream.stream for stream in report.failed} == {"tickets", "users"}
    [message] = {stream.message for stream in report.failed}
    assert str(message).startswith("Zendesk refused the client_credentials grant at ")
    assert token_requests(account) == 2
    assert len(table(target, "tickets")) >= 100
    account.clear_faults()
    load(target, account, "tickets", "users", **slowly)
    assert_whole(target, account, "tickets", "users")


def test_a_token_that_ends_in_the_middle_of_a_run_is_renewed_once(tmp_path: Path, account: Simulator) -> None:
    """L33."""
    account.fault("expire_token", nth=6)
    target = pipeline(tmp_path)
    load(target, account, "groups", "tickets", "ticket_events", "users", "organizations", "ticket_fields")
    assert_whole(target, account, "groups", "tickets", "users")
    assert token_requests(account) == 2


def test_a_token_that_ends_while_a_request_waits_for_its_turn_is_not_sent(
    tmp_path: Path, simulate: Callable[..., Simulator]
) -> None:
    account = simulate(organization_memberships=450, limits={"account": 1}, token_lifetime=45, clock_scale=120)
    load(pipeline(tmp_path), account, "organization_memberships", clock_scale=120)
    assert [request["status"] for request in account.requests() if request["route"] != "oauth_tokens"] == [200] * 5
    assert token_requests(account) > 2


def test_a_401_of_one_stream_that_no_renewal_cures_does_not_stop_the_others(tmp_path: Path, account: Simulator) -> None:
    """L20."""
    account.fault("status", status=401, route="groups", times=None)
    target = pipeline(tmp_path)
    report = sync(target, source(account).with_resources("groups", "tickets", "users"))
    [refused] = report.unavailable
    assert str(refused.message).startswith(
        'Zendesk refused `groups` (401: "Couldn\'t authenticate you"), yet it accepts '
    )
    assert report.failed == []
    assert report.lost == [refused]
    assert token_requests(account) == 2
    assert_whole(target, account, "tickets", "users")


class Hand(Clock):
    """A clock set by hand."""

    def __init__(self) -> None:
        super().__init__()
        self.time = 1000.0

    def now(self) -> float:
        return self.time


@pytest.mark.parametrize(("lifetime", "early"), [(7200, RENEW_EARLY), (300, 30)])
def test_a_token_is_renewed_before_it_expires(lifetime: int, early: float) -> None:
    """L33."""
    clock, issued = Hand(), iter("abc")
    auth = TokenAuth({}, lambda _: Token(next(issued), expires_in=lifetime), clock, None)
    assert auth.header() == "Bearer a"
    clock.time += lifetime - early - 1
    assert auth.header() == "Bearer a"
    clock.time += 1
    assert auth.header() == "Bearer b"


@pytest.mark.parametrize(
    ("named", "lifetime"),
    [
        (b"7200", 7200),
        (b'"7200"', 7200),
        (b"299.5", 299.5),
        (b"null", 1800),
        (b'""', 1800),
        (b'"soon"', 1800),
        (b"0", 1800),
        (b"-5", 1800),
        (b"true", 1800),
        (b'"nan"', 1800),
        (b"[7200]", 1800),
        (b"9" * 500, 1800),
        (None, 1800),
    ],
)
def test_a_lifetime_in_any_form_costs_no_token(
    account: Simulator, monkeypatch: pytest.MonkeyPatch, named: bytes | None, lifetime: float
) -> None:
    """L33. Without one that can be used, Zendesk's default is assumed."""
    handle = account.api.handle

    def edited(request: Any) -> Any:
        reply = handle(request)
        kept = b"" if named is None else b', "expires_in": ' + named
        reply.body = re.sub(rb',\s*"expires_in":\s*\d+', lambda _: kept, reply.body)
        return reply

    monkeypatch.setattr(account.api, "handle", edited)
    made = source(account).account.enter().transport
    token = made.post_token({"grant_type": "client_credentials", **given(account, "client_id", "client_secret")})
    assert token.lifetime == lifetime
    assert token_requests(account) == 1


@pytest.mark.parametrize(
    ("email", "api_token", "named"),
    [
        ("me@acme.com/token", "word", "email"),
        (" me@acme.com/TOKEN ", "word", "email"),
        ("me@acme.com/token:word", "word", "email"),
        ("me@acme.com", "me@acme.com/token:word", "api_token"),
    ],
)
def test_an_address_with_the_suffix_of_requests_is_refused_with_an_example(
    account: Simulator, email: str, api_token: str, named: str
) -> None:
    """L34."""
    with pytest.raises(ConfigurationError) as caught:
        source(account, credentials={"email": email, "api_token": api_token})
    assert says("an API token's address with /token", str(caught.value))
    assert str(caught.value).startswith(f"{named} holds /token, which does not belong there")
    assert 'email = "me@acme.com"' in str(caught.value)
    assert "word" not in str(caught.value)
    assert account.requests() == []


@pytest.mark.parametrize("kind", ["client credentials", "refresh token"])
def test_every_grant_asks_for_the_scope_and_two_hours(
    account: Simulator, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    names = ("client_id", "client_secret", *(["refresh_token"] if kind == "refresh token" else []))
    asked: list[dict[str, Any]] = []
    issue = account.api.credentials.issue

    def watched(form: dict[str, Any], now: float) -> Any:
        asked.append(form)
        return issue(form, now)

    monkeypatch.setattr(account.api.credentials, "issue", watched)
    for scope in ({}, {"scope": "tickets:read users:read"}):
        auth = source(account, credentials=given(account, *names), **scope).account.enter().transport.auth
        assert auth is not None
        auth.header()
    assert [form["scope"] for form in asked] == ["read", "tickets:read users:read"]
    assert {form["expires_in"] for form in asked} == {"7200"}


def test_threads_refused_together_renew_once() -> None:
    """L33."""
    asked: list[int] = []
    together = threading.Barrier(8)

    def answer(_: dict[str, str]) -> Token:
        asked.append(1)
        return Token(f"token-{len(asked)}", expires_in=7200)

    auth = TokenAuth({}, answer, Hand(), None)

    def refused(_: int) -> str:
        header = auth.header()
        together.wait(5)
        assert auth.renew(header)
        return auth.header()

    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(refused, range(8))) == {"Bearer token-2"}
    assert len(asked) == 2


def test_a_rotated_refresh_token_is_found_by_the_next_run_on_the_same_disk(tmp_path: Path, account: Simulator) -> None:
    """L33."""
    first = given(account, *REFRESH)
    target = pipeline(tmp_path)
    load(target, account, "groups", credentials=first)
    account.advance(4000)
    load(target, account, "groups", credentials=first)
    assert account.credentials["refresh_token"] != first["refresh_token"]
    assert token_requests(account) == 2


def test_a_rotated_refresh_token_is_found_at_the_destination_by_a_machine_with_a_fresh_disk(
    tmp_path: Path, home: Path, account: Simulator
) -> None:
    """L33."""
    first = given(account, *REFRESH)
    for _ in range(3):
        load(pipeline(tmp_path), account, "groups", credentials=first)
        account.advance(4000)
        shutil.rmtree(home / "dlt")
    assert token_requests(account) == 3


def test_another_configured_refresh_token_starts_anew(tmp_path: Path, account: Simulator) -> None:
    target = pipeline(tmp_path)
    load(target, account, "groups", credentials=given(account, *REFRESH))
    load(target, account, "groups", credentials=given(account, *REFRESH))
    assert token_requests(account) == 2


def test_a_pair_that_cannot_be_kept_is_not_asked_for(tmp_path: Path, home: Path, account: Simulator) -> None:
    (home / "dlt").mkdir()
    (home / "dlt" / "zendesk_support").write_text("a file where the folder should be")
    secrets = given(account, *REFRESH)
    with pytest.raises(ConfigurationError, match=r"nothing was renewed. Make the folder writable or set DLT_DATA_DIR."):
        sync(pipeline(tmp_path), source(account, credentials=secrets).with_resources("groups"))
    assert token_requests(account) == 0


def test_the_kept_pair_is_encrypted_and_readable_by_its_owner_only(tmp_path: Path) -> None:
    def vault(client_secret: str = "s", refresh_token: str = "r") -> TokenVault:
        credentials = ZendeskRefreshToken()
        credentials.client_id, credentials.client_secret = "c", client_secret
        credentials.refresh_token = refresh_token
        return TokenVault("https://acme.zendesk.com", credentials, tmp_path)

    vault().write({"access_token": "plain", "refresh_token": "next", "expires_at": 1})
    [path] = tmp_path.iterdir()
    assert path.stat().st_mode & 0o777 == 0o600
    assert b"plain" not in path.read_bytes()
    assert (vault().read() or {})["refresh_token"] == "next"
    assert vault(client_secret="other").read() is None
    assert vault(refresh_token="other").read() is None


def test_the_secrets_file_of_the_repository_holds_comments_only() -> None:
    path = ROOT / ".dlt" / "secrets.toml"
    assert tomlkit.parse(path.read_text()) == {}
    for line in path.read_text().splitlines():
        key, equals, value = line.partition("=")
        assert not equals or value.split("#")[0].strip() == '""', f"{key} has a value"
