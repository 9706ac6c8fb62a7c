"""Settings are checked before the first request, by messages that name the setting, the value and a valid example."""

from __future__ import annotations

import socket
from collections.abc import Callable
from datetime import date, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pendulum
import pytest
from documented import says
from support import assert_whole, load, pipeline, source, written

import zendesk_support
from zendesk_support import ConfigurationError, zendesk_support_source
from zendesk_support.settings import account_url, instant, origin, period
from zendesk_support.simulator import Simulator

TOKEN = {"access_token": "word"}


@pytest.fixture
def configure(config_file: Callable[[str], None]) -> Callable[[str], None]:
    """Writes settings of the source into a configuration file."""
    return lambda lines: config_file(f"[sources.zendesk_support]\n{lines}")


def build(**settings: Any) -> Any:
    """The source on a made-up account."""
    return zendesk_support_source(**{"subdomain": "acme", "credentials": TOKEN, **settings})


@pytest.mark.parametrize(
    ("subdomain", "expected"),
    [
        ("acme", "https://acme.zendesk.com"),
        ("ACME-2", "https://acme-2.zendesk.com"),
        ("acme.zendesk.com", "https://acme.zendesk.com"),
        ("https://acme.zendesk.com/", "https://acme.zendesk.com"),
        (" acme ", "https://acme.zendesk.com"),
        ("https://Acme.Zendesk.com", "https://acme.zendesk.com"),
        ("https://acme.zendesk.com/agent/", "https://acme.zendesk.com"),
    ],
)
def test_a_subdomain_is_read_in_every_usual_form(subdomain: str, expected: str) -> None:
    assert account_url(subdomain, None) == expected


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({"subdomain": None}, 'subdomain is not set. Example: subdomain = "acme"'),
        ({"subdomain": "acme corp"}, 'subdomain = "acme corp" is not a Zendesk subdomain. Examples: "acme"'),
        ({"subdomain": "acme.example.com"}, 'subdomain = "acme.example.com" is not a Zendesk subdomain'),
        ({"subdomain": "acme/evil"}, 'subdomain = "acme/evil" is not a Zendesk subdomain'),
        ({"base_url": "acme"}, 'base_url = "acme" is not the address of a server. Example: "http://127.0.0.1:8080"'),
        ({"base_url": "http://acme.example"}, 'base_url = "http://acme.example" would send credentials unencrypted'),
        ({"base_url": "https://me:pass@acme.example"}, 'base_url = "https://***@acme.example" is not the address'),
        ({"base_url": "https://acme.example/api"}, 'base_url = "https://acme.example/api" is not the address'),
        ({"base_url": "http://127.0.0.1:eighty"}, 'base_url = "http://127.0.0.1:eighty" is not the address'),
        ({"start_date": "yesterday"}, 'start_date = "yesterday" is not a date. Examples: "2024-01-31"'),
        ({"start_date": "2024-13-01"}, 'start_date = "2024-13-01" is not a date'),
        ({"start_date": 20240131}, 'start_date = "20240131" is not a date'),
        ({"start_date": "10:30"}, 'start_date = "10:30" is not a date'),
        ({"start_date": "2999-01-01"}, 'start_date = "2999-01-01" lies in the future. Examples: "2024-01-31"'),
        ({"end_date": "soon"}, 'end_date = "soon" is not a date. Examples: "2024-01-31"'),
        (
            {"start_date": "2024-02-01", "end_date": "2024-02-01"},
            'end_date = "2024-02-01" is not after start_date = "2024-02-01". It is exclusive; examples: "2024-01-31"',
        ),
        ({"end_date": "2001-01-01"}, 'end_date = "2001-01-01" is not after start_date'),
        ({"quota_share": 0}, 'quota_share = "0" must be above 0 and at most 1. Example: quota_share = 0.5'),
        ({"quota_share": 1.5}, 'quota_share = "1.5" must be above 0'),
        ({"quota_share": float("nan")}, 'quota_share = "nan" must be above 0'),
        ({"nested": "columns"}, 'nested = "columns" is not one of "json", "tables". Example: nested = "json"'),
        ({"retry_deadline": 0}, 'retry_deadline = "0" must be a number above 0. Example: retry_deadline = 900'),
        ({"request_timeout": -1}, 'request_timeout = "-1" must be a number above 0. Example: request_timeout = 90'),
        ({"request_timeout": float("inf")}, 'request_timeout = "inf" must be a number above 0'),
        ({"clock_scale": 60}, 'clock_scale = "60" is only for a simulator. Example: clock_scale = 1'),
        ({"clock_scale": 0}, 'clock_scale = "0" must be a number above 0. Example: clock_scale = 60'),
    ],
)
def test_a_bad_value_is_refused_by_a_message_with_setting_value_and_example(
    settings: dict[str, Any], expected: str
) -> None:
    """L34."""
    with pytest.raises(ConfigurationError) as caught:
        build(**settings)
    assert str(caught.value).startswith(expected)
    assert "word" not in str(caught.value)
    assert "pass@" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("SUBDOMAIN", "acme corp", 'subdomain = "acme corp" is not a Zendesk subdomain. Examples: "acme"'),
        ("BASE_URL", "acme", 'base_url = "acme" is not the address of a server. Example: "http://127.0.0.1:8080"'),
        ("START_DATE", "yesterday", 'start_date = "yesterday" is not a date. Examples: "2024-01-31"'),
        ("END_DATE", "soon", 'end_date = "soon" is not a date. Examples: "2024-01-31"'),
        ("QUOTA_SHARE", "2", 'quota_share = "2" must be above 0 and at most 1. Example: quota_share = 0.5'),
        ("QUOTA_SHARE", "half", 'quota_share = "half" must be above 0 and at most 1. Example: quota_share = 0.5'),
        ("QUOTA_SHARE", "", 'quota_share = "" must be above 0'),
        (
            "RETRY_DEADLINE",
            "15 min",
            'retry_deadline = "15 min" must be a number above 0. Example: retry_deadline = 900',
        ),
        ("REQUEST_TIMEOUT", "true", 'request_timeout = "true" must be a number above 0. Example: request_timeout = 90'),
        ("CLOCK_SCALE", "fast", 'clock_scale = "fast" must be a number above 0. Example: clock_scale = 60'),
        ("NESTED", "rows", 'nested = "rows" is not one of "json", "tables". Example: nested = "json"'),
        ("ORDER", "new", 'order = "new" is not one of "oldest", "newest". Example: order = "oldest"'),
        ("NEWEST_DAYS", "1.5", 'newest_days = "1.5" must be a whole number of days. Example: newest_days = 30'),
        ("DELETES", "keep", 'deletes = "keep" is not one of "remove", "mark". Example: deletes = "remove"'),
        ("HELP_CENTER_FOLLOWERS", "no", 'help_center_followers = "no" is not one of "few", "all". Example: '),
        ("HELP_CENTER_CHILDREN", "no", 'help_center_children = "no" is not one of "all", "changed". Example: '),
        (
            "TICKET_AUDITS",
            "all",
            'ticket_audits = "all" is not one of "list", "per_ticket". Example: ticket_audits = "list"',
        ),
        ("SYNC_MODE", "merge", 'sync_mode = "merge" of tickets is not one of "overwrite", '),
        ("STREAMS", "ticket", 'streams = "ticket": there is no such stream or family. Did you mean tickets? --list'),
        (
            "STREAMS",
            '["ticket"]',
            'streams = "ticket": there is no such stream or family. Did you mean tickets? --list',
        ),
        ("STREAMS", "[1]", 'streams = "[1]" is neither a list of streams nor a table of their settings. Examples: '),
        ("STREAMS", "[]", 'streams = "[]" is neither a list of streams nor a table of their settings. Examples: '),
        ("STREAMS", "5", 'streams = "5" is neither a list of streams nor a table of their settings. Examples: '),
        ("STREAMS__LOAD", "core users_", 'streams = "users_": there is no such stream or family. Did you mean users?'),
        (
            "STREAMS",
            '{"ticket": {}}',
            'streams = "ticket": there is no such stream. Example: streams.tickets.sync_mode = ',
        ),
        ("STREAMS__TICKETS", "history", 'streams.tickets = "history" is not a table of settings. Example: streams.'),
        ("STREAMS__TICKETS__SYNC_MODE", "merge", 'sync_mode = "merge" of tickets is not one of "overwrite"'),
        *(
            (
                "STREAMS__ARTICLE_COMMENTS__EVERY",
                value,
                f'streams.article_comments.every = "{value}" is not a duration: numbers with s, m, h or d. Examples: '
                '"30s", "15m", "1h30m", "1d".',
            )
            for value in ("daily", "15", "0s", "-1d", "1d 2h", "400d", "1w")
        ),
    ],
)
def test_a_bad_value_from_the_environment_is_refused_too(
    name: str, value: str, expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """L34."""
    if name == "SUBDOMAIN":
        monkeypatch.setenv("SOURCES__ZENDESK_SUPPORT__CREDENTIALS__ACCESS_TOKEN", "word")
    monkeypatch.setenv(f"SOURCES__ZENDESK_SUPPORT__{name}", value)
    with pytest.raises(ConfigurationError) as caught:
        zendesk_support_source() if name == "SUBDOMAIN" else build()
    assert str(caught.value).startswith(expected)


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ('quota_share = "half"', 'quota_share = "half" must be above 0 and at most 1. Example: quota_share = 0.5'),
        ("quota_share = true", 'quota_share = "True" must be above 0'),
        ("quota_share = [0.5]", 'quota_share = "[0.5]" must be above 0'),
        ('retry_deadline = "15 min"', 'retry_deadline = "15 min" must be a number above 0. Example: retry_deadline = '),
        ("request_timeout = 2024-01-31", 'request_timeout = "2024-01-31" must be a number above 0. Example: request'),
        ("clock_scale = -1", 'clock_scale = "-1" must be a number above 0'),
        ("start_date = 10:30:00", 'start_date = "10:30:00" is not a date. Examples: "2024-01-31"'),
        ("nested = 5", 'nested = "5" is not one of "json", "tables"'),
        ('streams = ["ticket"]', 'streams = "ticket": there is no such stream or family. Did you mean tickets?'),
        ('streams.load = ["ticket"]', 'streams = "ticket": there is no such stream or family. Did you mean tickets?'),
        ('streams.tickets = "history"', 'streams.tickets = "history" is not a table of settings'),
        (
            'streams.tickets.mode = "history"',
            "sources.zendesk_support.streams.tickets.mode: there is no setting streams.tickets.mode. Did you mean "
            "streams.tickets.sync_mode?",
        ),
        (
            'streams.ticket.sync_mode = "history"',
            "sources.zendesk_support.streams.ticket.sync_mode: there is no setting streams.ticket. Did you mean "
            "streams.tickets?",
        ),
    ],
)
def test_a_bad_value_from_the_configuration_file_is_refused_too(
    configure: Callable[[str], None], line: str, expected: str
) -> None:
    """L34."""
    configure(line)
    with pytest.raises(ConfigurationError) as caught:
        build()
    assert str(caught.value).startswith(expected)


def test_every_setting_can_come_from_the_configuration_file(configure: Callable[[str], None]) -> None:
    configure(
        "start_date = 2024-01-31\nend_date = 2024-02-29T00:00:00Z\nquota_share = 0.25\nretry_deadline = 60\n"
        'request_timeout = "30"\nstreams.tickets.sync_mode = "history"\nstreams.macros.every = "1h30m"',
    )
    settings = build().account.settings
    assert (settings.start, settings.end) == (1_706_659_200, 1_709_164_800)
    assert (settings.quota_share, settings.retry_deadline, settings.request_timeout) == (0.25, 60, 30)
    assert (settings.sync_modes["tickets"], settings.sync_modes["users"]) == ("history", "incremental")
    assert settings.every == {"macros": 5400}


def test_the_documented_message_of_a_wrong_setting_is_real(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOURCES__ZENDESK_SUPPORT__QUOTA_SHARE", "half")
    with pytest.raises(ConfigurationError) as caught:
        build()
    assert says("a setting that cannot be used", str(caught.value))


def test_every_setting_can_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    given = {
        "SUBDOMAIN": "acme",
        "START_DATE": "2024-01-31",
        "END_DATE": "2024-02-29",
        "QUOTA_SHARE": "0.25",
        "NESTED": "tables",
        "RETRY_DEADLINE": "60",
        "REQUEST_TIMEOUT": "30",
        "CREDENTIALS__EMAIL": "a@example.com",
        "CREDENTIALS__API_TOKEN": "word",
    }
    for name, value in given.items():
        monkeypatch.setenv(f"SOURCES__ZENDESK_SUPPORT__{name}", value)
    settings = zendesk_support_source().account.settings
    start, end = (int(datetime(2024, *day, tzinfo=timezone.utc).timestamp()) for day in ((1, 31), (2, 29)))
    assert (settings.base_url, settings.start, settings.end) == ("https://acme.zendesk.com", start, end)
    assert (settings.quota_share, settings.nested) == (0.25, "tables")
    assert (settings.retry_deadline, settings.request_timeout) == (60, 30)


@pytest.mark.parametrize(
    "value",
    [
        "2024-01-31",
        "2024-01-31T00:00:00Z",
        "2024-01-31 02:00:00+02:00",
        date(2024, 1, 31),
        datetime(2024, 1, 31),
        datetime(2024, 1, 31, 2, tzinfo=timezone(timedelta(hours=2))),
        pendulum.datetime(2024, 1, 31),
    ],
)
def test_a_date_is_read_in_every_form_as_utc(value: Any) -> None:
    assert instant("start_date", value) == 1_706_659_200


def test_facts_start_two_years_back_by_default() -> None:
    two_years = datetime.now(timezone.utc).timestamp() - period(None, None)[0]
    assert timedelta(days=729) < timedelta(seconds=two_years) < timedelta(days=732)


def test_an_origin_has_no_default_port() -> None:
    assert origin("https://Acme.zendesk.com:443/api") == "https://acme.zendesk.com"
    assert origin("http://127.0.0.1:80") == "http://127.0.0.1"
    assert origin("http://127.0.0.1:8080/x") == "http://127.0.0.1:8080"


def test_building_the_source_opens_no_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    """L36."""

    def refuse(*_: Any) -> None:
        raise AssertionError("a connection was opened")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    assert len(build().resources) > 20


def test_a_source_object_can_be_run_twice(tmp_path: Path, account: Simulator) -> None:
    """L36."""
    made = source(account).with_resources("groups", "tickets")
    target = pipeline(tmp_path)
    target.run(made)
    assert_whole(target, account, "groups", "tickets")
    account.mutate("update_tickets", count=3)
    target.run(made)
    assert_whole(target, account, "groups", "tickets")


def test_two_sources_in_one_process_share_nothing(tmp_path: Path, account: Simulator) -> None:
    whole, half = source(account), source(account, quota_share=0.5)
    assert whole.account.limiter is not half.account.limiter
    assert {resource.name for resource in whole.resources.values()} == {
        resource.name for resource in half.resources.values()
    }


@pytest.mark.parametrize("scheduled", [False, True])
def test_a_sync_runs_with_and_without_a_scheduler(
    tmp_path: Path, account: Simulator, scheduled: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """L37. Airflow hands the interval of a run to dlt."""
    if scheduled:
        monkeypatch.setenv("DLT_INTERVAL_START", "2020-01-01T00:00:00Z")
        monkeypatch.setenv("DLT_INTERVAL_END", "2020-01-02T00:00:00Z")
    target = pipeline(tmp_path)
    load(target, account, "tickets", "users")
    assert_whole(target, account, "tickets", "users")
    assert written(load(target, account, "tickets", "users")) == {}


def test_what_users_may_import_is_listed() -> None:
    assert [name for name in zendesk_support.__all__ if not hasattr(zendesk_support, name)] == []
    assert "zendesk_support_source" in zendesk_support.__all__
