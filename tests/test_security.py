"""No credential is told to anyone, in any text a run leaves, and no answer can hold a run up or fill its memory."""

from __future__ import annotations

import base64
import logging
import os
import subprocess
import sys
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import dlt
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from dlt.pipeline.exceptions import PipelineStepFailed
from evidence import Evidence, every_log_line
from support import SCALE, assert_whole, pipeline, source

from zendesk_support import sync
from zendesk_support.simulator import Simulator
from zendesk_support.simulator.auth import Credentials

Simulate = Callable[..., Simulator]
SCRIPT = Path(__file__).parent.parent / "pipelines" / "zendesk_to_duckdb.py"
KINDS = {
    "client credentials": ("client_id", "client_secret"),
    "refresh token": ("client_id", "client_secret", "refresh_token"),
    "access token": ("access_token",),
    "api token": ("email", "api_token"),
}
LOADED = ("groups", "tickets", "user_fields", "organization_fields", "sla_policies")
FAILING = ("macros", "triggers", "ticket_fields", "users")
STREAMS = (*LOADED, *FAILING, "ticket_forms")


class Told:
    """The secrets of one kind of credentials: those given, what is made of them, and the tokens handed out for them."""

    def __init__(self, account: Simulator, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
        known = account.credentials
        self.given = {name: known[name] for name in KINDS[kind]}
        self.secrets = {value for name, value in self.given.items() if name not in ("client_id", "email")}
        if kind == "api token":
            pair = f"{known['email']}/token:{known['api_token']}"
            self.secrets |= {pair, base64.b64encode(pair.encode()).decode()}
        issue = Credentials.issue

        def noted(credentials: Credentials, form: dict[str, Any], now: float) -> tuple[int, dict[str, Any]]:
            status, body = issue(credentials, form, now)
            self.secrets |= {body[name] for name in ("access_token", "refresh_token") if name in body}
            return status, body

        monkeypatch.setattr(Credentials, "issue", noted)
        handle, known_to_client = account.api.handle, set(self.secrets)

        def quoting(request: Any) -> Any:
            reply = handle(request)
            if b"QUOTE" in reply.body:
                carried = f"{request.headers.get('authorization')} {request.body.decode()}"
                reply.body = reply.body.replace(b"QUOTE", " ".join([carried, *sorted(known_to_client)]).encode())
            return reply

        account.api.handle = quoting  # type: ignore[method-assign]


@pytest.fixture
def account(simulate: Simulate) -> Simulator:
    return simulate(token_lifetime=10_000_000)


@pytest.fixture(params=KINDS)
def told(request: pytest.FixtureRequest, account: Simulator, monkeypatch: pytest.MonkeyPatch) -> Told:
    return Told(account, request.param, monkeypatch)


def disturb(account: Simulator, told: Told) -> None:
    """Let requests go wrong in every way, by answers that quote the request and all credentials where they can."""
    if "client_secret" in told.given:
        account.fault("status", status=401, route="groups")
        account.fault("status", status=503, body="QUOTE", route="oauth_tokens")
        account.fault("reset", route="oauth_tokens", nth=2)
    account.fault("status_429", route="user_fields", retry_after="2")
    account.fault("status", status=500, body="QUOTE", route="organization_fields", times=2)
    account.fault("truncate", route="sla_policies", times=2)
    account.fault("reset", route="sla_policies", nth=2)
    account.fault("status", status=403, body="QUOTE", route="ticket_forms", times=None)
    account.fault("redirect", to="http://localhost:9", route="macros", times=None)
    account.fault("truncate", route="triggers", times=None)
    account.fault("status", status=418, body="QUOTE", route="ticket_fields", times=None)
    account.fault("status", status=401, body="QUOTE", route="incremental_users*", times=None)


def test_no_text_that_a_disturbed_run_leaves_holds_a_secret(
    tmp_path: Path, account: Simulator, told: Told, monkeypatch: pytest.MonkeyPatch
) -> None:
    """L35."""
    monkeypatch.setenv("RUNTIME__LOG_LEVEL", "DEBUG")
    for name, value in told.given.items():
        monkeypatch.setenv(f"SOURCES__ZENDESK_SUPPORT__CREDENTIALS__{name.upper()}", value)
    evidence, target = Evidence(), pipeline(tmp_path)
    disturb(account, told)
    with every_log_line(evidence):
        selected = source(account, credentials=dlt.secrets.value, retry_deadline=1800).with_resources(*STREAMS)
        evidence.add("source", f"{selected!r} {selected.account.credentials!r} {vars(selected.account)!r}")
        report = sync(target, selected)
        assert {name: report.streams[name].status for name in STREAMS} == {
            **dict.fromkeys(LOADED, "loaded"),
            **dict.fromkeys(FAILING, "failed"),
            "ticket_forms": "unavailable",
        }
        for stream in report.streams.values():
            evidence.add("report", f"{stream!r}")
            evidence.add_error("report's error", stream.error)
        evidence.add_pipeline(target)
        with pytest.raises(PipelineStepFailed) as failure:
            target.run(source(account, credentials=dlt.secrets.value).with_resources("ticket_fields"))
        evidence.add_error("error", failure.value)
        evidence.add_pipeline(target)
    evidence.add_folder(tmp_path)
    assert_whole(target, account, "groups", "user_fields", "sla_policies")
    assert {"log", "trace", "table _dlt_pipeline_state", "table sync_report", "zendesk.duckdb"} <= set(evidence)
    assert any(place.endswith("trace.pickle") for place in evidence)
    assert any(place.endswith(".token") for place in evidence) == ("refresh_token" in told.given)
    assert "urllib3.connectionpool DEBUG" in evidence["log"]
    assert "***" in evidence["table sync_report"]
    assert evidence.holding(told.secrets) == {}


def test_the_command_line_prints_no_secret(account: Simulator, told: Told) -> None:
    """L35."""
    settings = {"BASE_URL": account.base_url, "CLOCK_SCALE": str(SCALE), "RETRY_DEADLINE": "600"}
    settings |= {f"CREDENTIALS__{name.upper()}": value for name, value in told.given.items()}
    environment = {f"SOURCES__ZENDESK_SUPPORT__{name}": value for name, value in settings.items()}
    disturb(account, told)
    evidence = Evidence()

    def call(*arguments: str, **changed: str) -> int:
        done = subprocess.run(
            [sys.executable, str(SCRIPT), *arguments],
            env={**os.environ, "RUNTIME__LOG_LEVEL": "DEBUG", **environment, **changed},
            capture_output=True,
            text=True,
            timeout=120,
        )
        evidence.add("standard output", done.stdout)
        evidence.add("standard error", done.stderr)
        return done.returncode

    assert call("--progress", "log", "--streams", "groups", "ticket_forms", "macros", "ticket_fields") == 1
    secret = f"SOURCES__ZENDESK_SUPPORT__CREDENTIALS__{list(told.given)[-1].upper()}"
    assert call("--check", "--streams", "groups", **{secret: "another-word"}) == 2
    assert "***" in evidence["standard output"]
    assert (
        "[sources.zendesk_support.credentials]" in evidence["standard error"] or "refused" in evidence["standard error"]
    )
    assert evidence.holding(told.secrets | {"another-word"}) == {}


def test_the_search_finds_a_secret_wherever_it_stands(tmp_path: Path, account: Simulator) -> None:
    word, basic = "planted-word", base64.b64encode(b"me/token:planted-word").decode()
    evidence, target = Evidence(), pipeline(tmp_path)
    account.fault("status", status=418, body=f"said {word}", route="user_fields", times=None)
    (tmp_path / "plain.txt").write_text(f"header: Basic {basic}")
    (tmp_path / "packed.gz").write_bytes(zlib.compress(word.encode(), wbits=31))
    (tmp_path / "state").write_bytes(base64.b64encode(zlib.compress(word.encode())))
    pq.write_table(pa.table({"x": [word]}), tmp_path / "rows.parquet")
    with every_log_line(evidence):
        logging.getLogger("dlt").debug("one %s", word)
        logging.getLogger("urllib3.connectionpool").debug("GET /?token=%s", basic)
        report = sync(target, source(account).with_resources("groups", "user_fields"))
        evidence.add_error("error", report.streams["user_fields"].error)
    with target.managed_state() as state:
        state["sources"]["zendesk_support"]["word"] = word
    evidence.add_pipeline(target)
    evidence.add_folder(tmp_path)
    places = evidence.holding([word])
    wanted = {"log", "error", "table sync_report", "state", "packed.gz", "rows.parquet", "zendesk.duckdb"}
    assert wanted <= set(places)
    assert {"log", "plain.txt"} <= set(evidence.holding([basic]))
