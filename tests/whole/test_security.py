"""No credential is told to anyone, in any text a run leaves, and no answer can hold a run up or fill its memory."""

from __future__ import annotations

import base64
import json
import logging
import os
import re
import socket
import ssl
import subprocess
import sys
import threading
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext, suppress
from datetime import datetime, timedelta, timezone
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import dlt
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from connected import connect
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from dlt.pipeline.exceptions import PipelineStepFailed
from dlt.pipeline.pipeline import Pipeline
from evidence import Evidence, every_log_line
from repository import ROOT
from support import SCALE, assert_whole, pipeline, source

from zendesk_support import ConfigurationError, sync, zendesk_support_source
from zendesk_support.api.clock import Clock
from zendesk_support.api.rate_limiter import RateLimiter
from zendesk_support.api.request import WHO_AM_I, Request, Usage, read_me
from zendesk_support.api.tokens import FixedAuth
from zendesk_support.api.transport import Transport
from zendesk_support.errors import ContractError, TransientError, ZendeskError
from zendesk_support.reading.help_centers import Brand
from zendesk_support.records.json_rows import page_decoder
from zendesk_support.running.probe import check_streams
from zendesk_support.settings import Settings, account_url
from zendesk_support.simulator import Simulator
from zendesk_support.simulator.server.auth import Credentials

Simulate = Callable[..., Simulator]
SCRIPT = ROOT / "pipelines" / "zendesk_to_duckdb.py"
KINDS = {
    "client credentials": ("client_id", "client_secret"),
    "refresh token": ("client_id", "client_secret", "refresh_token"),
    "access token": ("access_token",),
    "api token": ("email", "api_token"),
}
LOADED = ("groups", "tickets", "user_fields", "organization_fields", "sla_policies")
FAILING = ("macros", "triggers", "ticket_fields")
REFUSED = ("ticket_forms", "users")
STREAMS = (*LOADED, *FAILING, *REFUSED)


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
            **dict.fromkeys(REFUSED, "unavailable"),
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


SESSION = '"authenticity_token":"word-of-a-session"'
SESSION_BODIES = {
    "user": '{"user":{"id":1,' + SESSION + "}}",
    "user, cut": '{"user":{"id":1,' + SESSION + ',"name":"' + "x" * 90_000,
    "list": "[{" + SESSION + "}]",
    "error": '{"error":{"title":{' + SESSION + "}}}",
    "description": json.dumps({"error": "Odd", "description": "{" + SESSION}),
    "errors": '{"errors":[{"code":"Odd","detail":[{' + SESSION + "}]}]}",
    "form": "Sign in <input value='word-of-a-session' name='authenticity_token'>",
    "page": "<html><input value='word-of-a-session' name='authenticity_token'>",
    "capitals": '{"error":"AUTHENTICITY_TOKEN word-of-a-session"}',
    "far behind": "word-of-a-session" + " " * 5000 + "authenticity_token",
}


def test_the_secret_of_a_session_is_told_nowhere(
    tmp_path: Path, account: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """L35. `/users/me` answers one, which lets its holder act as the user."""
    monkeypatch.setenv("RUNTIME__LOG_LEVEL", "DEBUG")
    handle = account.api.handle

    def planting(request: Any) -> Any:
        reply = handle(request)
        if request.path.endswith("/users/me"):
            assert b"authenticity_token" in reply.body
            reply.body = re.sub(rb'"authenticity_token":\s*"\w+"', SESSION.encode(), reply.body)
        return reply

    monkeypatch.setattr(account.api, "handle", planting)
    account.fault("status", status=401, route="groups", times=None)
    evidence, target = Evidence(), pipeline(tmp_path)
    with every_log_line(evidence):
        report = sync(target, source(account).with_resources("groups", "tags"))
        assert "accepts the credentials elsewhere" in str(report.streams["groups"].message)
        assert check_streams(source(account).account, ["tags"])[1] == {"tags": None}
        for kind, body in SESSION_BODIES.items():
            for status in (200, 418):
                account.clear_faults()
                account.fault("status", status=status, body=body, route="users_me", times=None)
                made = source(account, retry_deadline=5).account.enter().transport
                with pytest.raises(ZendeskError) if (kind, status) != ("user", 200) else nullcontext() as caught:
                    made.get(WHO_AM_I, read_me, Usage())
                evidence.add_error(f"{kind} {status}", caught and caught.value)
        evidence.add_pipeline(target)
    evidence.add_folder(tmp_path)
    assert "/users/me" in evidence["log"]
    assert evidence.holding(["word-of-a-session"]) == {}


# Foreign hosts


class Trap(ThreadingHTTPServer):
    """A foreign host: remembers the headers and the body of every request, encrypted or not.

    With a certificate it speaks TLS to those who begin so, on the same port.
    """

    daemon_threads = True

    def __init__(self, tls: ssl.SSLContext | None = None, answer: Callable[[Any], None] | None = None) -> None:
        super().__init__(("127.0.0.1", 0), Listener)
        self.caught: list[str] = []
        self.plain: list[str] = []
        self.answer = answer or self.refuse
        self._tls = tls

    @property
    def port(self) -> int:
        return int(self.server_address[1])

    def get_request(self) -> Any:
        connection, address = super().get_request()
        if self._tls is not None and connection.recv(1, socket.MSG_PEEK) == b"\x16":
            return self._tls.wrap_socket(connection, server_side=True), address
        return connection, address

    def handle_error(self, request: Any, client_address: Any) -> None:
        pass

    @staticmethod
    def refuse(handler: Any) -> None:
        handler.send_response(404)
        handler.send_header("Content-Length", "0")
        handler.end_headers()


class Listener(BaseHTTPRequestHandler):
    """One request to a trap."""

    protocol_version = "HTTP/1.1"
    server: Trap

    def do_GET(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        told = f"{self.requestline}\n{self.headers}\n{body.decode()}"
        self.server.caught.append(told)
        if not isinstance(self.connection, ssl.SSLSocket):
            self.server.plain.append(told)
        self.server.answer(self)

    do_POST = do_CONNECT = do_GET

    def log_message(self, format: str, *args: Any) -> None:
        pass


@contextmanager
def listening(*args: Any) -> Iterator[Trap]:
    with Trap(*args) as server:
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        yield server
        server.shutdown()


@pytest.fixture
def trap() -> Iterator[Trap]:
    with listening() as server:
        yield server


def foreign(trap: Trap, host: str) -> str:
    return f"http://{host}:{trap.port}"


def reasons(target: Pipeline, made: Any) -> dict[str, str | None]:
    """Why streams failed in a run, by stream; None where they loaded."""
    report = sync(target, made)
    return {stream.stream: stream.message for stream in report.streams.values()}


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirected_request_tells_a_foreign_host_nothing(
    tmp_path: Path, account: Simulator, trap: Trap, status: int, host: str
) -> None:
    """L35."""
    account.fault("redirect", to=foreign(trap, host), status=status, route="groups", times=None)
    found = reasons(pipeline(tmp_path), source(account).with_resources("groups", "user_fields"))
    assert found["user_fields"] is None
    assert f"a link leads to {host}, which is not a host of {account.base_url}; credentials go nowhere else" in str(
        found["groups"]
    )
    assert trap.caught == []


@pytest.mark.parametrize("kind", ["client credentials", "refresh token"])
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirected_token_request_tells_a_foreign_host_nothing(
    tmp_path: Path, account: Simulator, trap: Trap, status: int, kind: str
) -> None:
    """L35."""
    account.fault("redirect", to=foreign(trap, "127.0.0.1"), status=status, route="oauth_tokens", times=None)
    given = {name: account.credentials[name] for name in KINDS[kind]}
    with pytest.raises(
        ConfigurationError, match=r"/oauth/tokens: a link leads to 127\.0\.0\.1, which is not a host of"
    ):
        sync(pipeline(tmp_path), source(account, credentials=given).with_resources("groups"))
    assert trap.caught == []


def test_a_token_request_is_redirected_to_no_brand_either(tmp_path: Path, account: Simulator) -> None:
    """L35. A brand's host may have the token, never the client's secret."""
    asked: list[Any] = []
    handle = account.api.handle

    def noting(request: Any) -> Any:
        if request.brand == 1 and all(brand == 0 for brand, _ in asked):
            account.fault("expire_token")
        asked.append((request.brand, request.path))
        return handle(request)

    account.api.handle = noting  # type: ignore[method-assign]
    account.fault("redirect", to=account.brand_urls[1], status=307, route="oauth_tokens", nth=2, times=None)
    found = reasons(pipeline(tmp_path), source(account).with_resources("articles", "article_comments"))
    assert {brand for brand, path in asked if not path.startswith("/oauth")} == {0, 1}
    assert {brand for brand, path in asked if path.startswith("/oauth")} == {0}
    assert any("/oauth/tokens: a link leads to" in str(message) for message in found.values())


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "user@127.0.0.1"])
@pytest.mark.parametrize("place", ["links.next", "next_page"])
def test_a_link_to_the_next_page_on_a_foreign_host_is_not_followed(
    tmp_path: Path, simulate: Simulate, trap: Trap, place: str, host: str
) -> None:
    """L35."""
    account = simulate(groups=150)
    handle = account.api.handle

    def edited(request: Any) -> Any:
        reply = handle(request)
        if request.route == "groups":
            body = json.loads(reply.body)
            link = body.pop("links")["next"].replace(account.base_url, foreign(trap, host))
            body |= {"links": {"next": link}} if place == "links.next" else {"next_page": link, "meta": None}
            reply.body = json.dumps(body).encode()
        return reply

    account.api.handle = edited  # type: ignore[method-assign]
    found = reasons(pipeline(tmp_path), source(account).with_resources("groups", "user_fields"))
    assert found["user_fields"] is None
    assert "a link leads to" in str(found["groups"])
    assert trap.caught == []


@pytest.mark.parametrize(
    "address",
    [
        "http://localhost:{port}",
        "http://user:word@127.0.0.1:{port}",
        "https://127.0.0.1:{port}",
        "http://127.0.0.1:{port}\\@127.0.0.1:80",
        "http://[::1",
        "//127.0.0.1:{port}",
        "127.0.0.1:{port}",
        "http://127.0.0.1:{port}\r\nHost: evil.example",
        "http://evil.example:{port}#.zendesk.com",
        "",
        None,
        7,
    ],
)
def test_a_brand_with_a_foreign_host_gets_no_credentials_and_costs_nothing_else(
    tmp_path: Path, account: Simulator, trap: Trap, address: Any, caplog: pytest.LogCaptureFixture
) -> None:
    """L35."""
    if isinstance(address, str):
        address = address.replace("{port}", str(trap.port))
    account.account.brand_urls[account.account.world.rid("brands", 1)] = address
    logger = logging.getLogger("dlt")
    logger.addHandler(caplog.handler)
    try:
        found = reasons(pipeline(tmp_path), source(account).with_resources("brands", "articles", "groups"))
    finally:
        logger.removeHandler(caplog.handler)
    assert set(found.values()) == {None}
    assert "it gets no credentials, and its help center is left out" in caplog.text
    assert "\r" not in caplog.text
    assert trap.caught == []


@pytest.mark.parametrize("mapped", [True, False])
def test_a_brand_is_asked_at_its_zendesk_address(mapped: bool) -> None:
    """L35. A mapped domain belongs to whoever controls its name service."""
    clock = Clock()
    made = Transport(
        Settings(base_url="https://acme.zendesk.com", start=0), clock, RateLimiter(clock, 1), threading.Event()
    )
    brand = Brand(1, "https://help.acme.example" if mapped else "https://acme-2.zendesk.com", "acme-2")
    assert [made.allow_host(address) for address in brand.addresses] == [
        None if mapped else "https://acme-2.zendesk.com",
        "https://acme-2.zendesk.com",
    ]


@pytest.fixture
def certificate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A certificate of this machine, which requests trusts for the test."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(timezone.utc)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = made.public_bytes(serialization.Encoding.PEM) + key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path = tmp_path / "certificate.pem"
    path.write_bytes(pem)
    monkeypatch.setattr("requests.adapters.DEFAULT_CA_BUNDLE_PATH", str(path))
    return path


@pytest.mark.parametrize("way", ["redirect", "token", "link"])
def test_nothing_goes_from_https_to_http_on_the_same_host_and_port(certificate: Path, way: str) -> None:
    """L35."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)

    def downgrade(handler: Any) -> None:
        plain_address = f"http://127.0.0.1:{handler.server.port}{handler.path}"
        body = json.dumps({"rows": [], "links": {"next": plain_address}}).encode()
        handler.send_response(200 if way == "link" else 307)
        handler.send_header("Location", plain_address)
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)

    with listening(context, downgrade) as server:
        clock = Clock()
        settings = Settings(base_url=f"https://127.0.0.1:{server.port}", start=0)
        made = Transport(settings, clock, RateLimiter(clock, 1), threading.Event())
        made.auth = FixedAuth("Bearer secret-word")

        def ask() -> None:
            if way == "token":
                made.post_token({"grant_type": "client_credentials", "client_secret": "secret-word"})
                return
            page = made.get(Request("/api/v2/rows", route="rows"), page_decoder("rows"), Usage())
            made.get(Request(str(page.links and page.links.next), route="rows"), page_decoder("rows"), Usage())

        with pytest.raises(ConfigurationError, match=r"a link leads to 127\.0\.0\.1, which is not a host of https://"):
            ask()
        assert len(server.caught) == 1
        assert server.plain == []


def test_proxies_and_a_netrc_of_the_environment_get_no_credentials(
    tmp_path: Path, home: Path, account: Simulator, trap: Trap, monkeypatch: pytest.MonkeyPatch
) -> None:
    """L35."""
    for name in ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, foreign(trap, "127.0.0.1"))
    (home / ".netrc").write_text("default login somebody password else\n")
    monkeypatch.setenv("NETRC", str(home / ".netrc"))
    monkeypatch.delenv("no_proxy", raising=False)
    assert reasons(pipeline(tmp_path), source(account).with_resources("groups")) == {"groups": None}
    assert trap.caught == []


def test_a_proxy_before_zendesk_sees_the_host_alone(trap: Trap, monkeypatch: pytest.MonkeyPatch) -> None:
    """L35."""
    monkeypatch.setenv("https_proxy", foreign(trap, "127.0.0.1"))
    clock = Clock()
    settings = Settings(base_url="https://acme.zendesk.com", start=0, retry_deadline=0.5)
    made = Transport(settings, clock, RateLimiter(clock, 1), threading.Event())
    made.auth = FixedAuth("Bearer secret-word")
    with pytest.raises(TransientError):
        made.get(Request("/api/v2/groups", route="groups"), page_decoder("groups"), Usage())
    with pytest.raises(TransientError):
        made.post_token({"grant_type": "client_credentials", "client_secret": "secret-word"})
    assert len(trap.caught) > 1
    assert {" ".join(told.split()[:2]) for told in trap.caught} == {"CONNECT acme.zendesk.com:443"}
    assert "word" not in "".join(trap.caught)


def test_cookies_are_not_kept(account: Simulator) -> None:
    """A server could fill them until every request is too large."""
    account.fault("status", status=503, headers={"Set-Cookie": f"much={'x' * 4000}; Path=/"}, route="groups")
    seen: list[str | None] = []
    handle = account.api.handle

    def noting(request: Any) -> Any:
        seen.append(request.headers.get("cookie"))
        return handle(request)

    account.api.handle = noting  # type: ignore[method-assign]
    made = connect(account)
    made.get(Request("/api/v2/groups", route="groups"), page_decoder("groups"), Usage())
    assert seen == [None, None]


# Answers without end


def pour(send: Callable[[bytes], Any], head: bytes, part: bytes) -> None:
    """Send one part again and again, as fast as it is taken."""
    send(head)
    while True:
        send(part)


def trickle(send: Callable[[bytes], Any], head: bytes, part: bytes) -> None:
    """Send one part again and again, each before a socket's timeout is over."""
    send(head)
    while True:
        time.sleep(0.02)
        send(part)


OK = b"HTTP/1.1 200 OK\r\n"
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"
SIZED = OK + b"Content-Length: 100000000\r\n\r\n"
SLOW = {
    "status line": (trickle, b"HTTP/1.1 200 ", b"O"),
    "one header": (trickle, OK + b"X: ", b"x"),
    "interim answers": (trickle, b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
    "body of a known size": (trickle, SIZED, b" "),
    "small chunks": (trickle, CHUNKED, b"1\r\n \r\n"),
    "one large chunk": (trickle, CHUNKED + b"5f5e100\r\n", b" "),
    "size of a chunk": (trickle, CHUNKED, b"0"),
    "fields after the body": (trickle, CHUNKED + b"2\r\n{}\r\n0\r\n", b"X: y\r\n"),
}
LARGE = {
    "body of a known size": (pour, SIZED, b" " * 65536),
    "body until the end": (pour, OK + b"\r\n", b" " * 65536),
    "chunks": (pour, CHUNKED, b"10000\r\n" + b" " * 65536 + b"\r\n"),
    "size of a chunk": (pour, CHUNKED, b"0" * 65536),
    "fields after the body": (pour, CHUNKED + b"2\r\n{}\r\n0\r\n", b"X: y\r\n" * 8192),
    "interim answers": (pour, b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 2048),
}
ODD = {
    "one header": (pour, OK + b"X: ", b"x" * 65536),
    "many headers": (pour, OK, b"X: y\r\n" * 8192),
    "status line": (pour, b"HTTP/1.1 200 ", b"O" * 65536),
    "negative size": (pour, OK + b"Content-Length: -5\r\nX-Y: ", b"x" * 65536),
}


@contextmanager
def rude(how: Callable[..., None], *parts: bytes) -> Iterator[str]:
    """A server that answers so; yields its address."""
    stopped = threading.Event()

    def serve(connection: socket.socket) -> None:
        def send(part: bytes) -> None:
            if stopped.is_set():
                raise OSError
            connection.sendall(part)

        with connection, suppress(OSError):
            connection.recv(65536)
            how(send, *parts)

    def accept() -> None:
        with suppress(OSError):
            while True:
                threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()

    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=accept, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            stopped.set()
            listener.shutdown(socket.SHUT_RDWR)


def ask(address: str, **settings: Any) -> None:
    """Send one request, and one for a token."""
    clock = Clock()
    options: dict[str, Any] = {"request_timeout": 0.3, "retry_deadline": 0.8, **settings}
    made = Transport(Settings(address, start=0, **options), clock, RateLimiter(clock, 1), threading.Event())
    made.auth = FixedAuth("Bearer word")
    made.get(Request("/api/v2/rows", route="rows"), page_decoder("rows"), Usage())


@pytest.mark.parametrize("kind", SLOW)
def test_an_answer_that_trickles_is_asked_for_again_until_the_deadline(kind: str) -> None:
    """L24. A socket's timeout alone starts anew with every byte."""
    with rude(*SLOW[kind]) as address, pytest.raises(TransientError) as caught:
        ask(address)
    assert str(caught.value).startswith('rows: no usable answer within retry_deadline = 0.8 s; the last was "no whole ')
    assert f"answer of {address} within request_timeout = 0.3 s" in str(caught.value)


@pytest.mark.parametrize("kind", LARGE)
def test_an_answer_without_end_is_an_error_at_once(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("zendesk_support.api.connections.MAX_BODY", 4 << 20)
    with (
        rude(*LARGE[kind]) as address,
        pytest.raises(ContractError, match="the limits are 4 MB on the way and inflated"),
    ):
        ask(address, request_timeout=60, retry_deadline=60)


@pytest.mark.parametrize("kind", ODD)
def test_headers_without_end_are_an_error_that_names_them(kind: str) -> None:
    with (
        rude(*ODD[kind]) as address,
        pytest.raises(TransientError, match=r"the last was .*(LineTooLong|HTTPException)"),
    ):
        ask(address, request_timeout=60)


def test_redirects_without_end_are_an_error(account: Simulator) -> None:
    account.fault("redirect", to=account.base_url, times=None)
    with pytest.raises(TransientError, match='the last was "too many redirects"'):
        connect(account, retry_deadline=100).get(
            Request("/api/v2/groups", route="groups"), page_decoder("groups"), Usage()
        )


@pytest.mark.parametrize(
    "header", ["Retry-After", "X-Rate-Limit", "ratelimit-reset", "Zendesk-RateLimit-groups", "Date"]
)
@pytest.mark.parametrize(
    "value", ["1e999", "inf", "nan", "9" * 400, "-1", "total=1.2.3; remaining=0; resets=9e99", "\xff"]
)
def test_no_header_can_hold_the_other_streams_up(account: Simulator, header: str, value: str) -> None:
    """L22, L29."""
    status = 429 if header == "Retry-After" else 200
    headers = {header: value, "ratelimit-remaining": "0", "ratelimit-limit": "5"}
    account.fault("status", status=status, body={"user_fields": []}, headers=headers, route="user_fields")
    made, request = connect(account, retry_deadline=300), Request("/api/v2/user_fields", route="user_fields")
    decode = page_decoder("user_fields")
    with suppress(TransientError):
        made.get(request, decode, Usage())
    found: list[int] = []
    thread = threading.Thread(target=lambda: found.append(len(made.get(request, decode, Usage()).rows)), daemon=True)
    thread.start()
    thread.join(20)
    assert found == [len(account.truth("user_fields"))]


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({"error": "a\ud800b\x00\x1b[31m\nERROR a second line"}, "a b [31m ERROR a second line"),
        ({"error": {"title": "t" * 10_000, "message": "m"}}, "t" * 300),
        ("[" * 100_000, "[" * 300),
        ("{" + '"error":' * 2, '{"error":"error":'),
        ({"errors": ["plain", "list"]}, "plain"),
        ({"errors": [None]}, "no reason given"),
        ("\x1b]0;title\x07 words", "]0;title words"),
    ],
    ids=["surrogate and control", "long", "deep", "no JSON", "list of texts", "list of nothing", "escape"],
)
def test_what_zendesk_says_is_quoted_as_one_plain_line(account: Simulator, body: Any, said: str) -> None:
    text = body if isinstance(body, str) else json.dumps(body)
    account.fault("status", status=418, body=text)
    with pytest.raises(ContractError) as caught:
        connect(account).get(Request("/api/v2/groups", route="groups"), page_decoder("groups"), Usage())
    assert str(caught.value) == f'groups: Zendesk answered 418: "{said}".'


def test_a_run_with_every_kind_of_endless_answer_loads_the_other_streams(
    tmp_path: Path, simulate: Simulate, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("zendesk_support.api.connections.MAX_BODY", 4 << 20)
    account = simulate()
    account.fault("bomb", size=20_000_000, route="macros", times=None)
    account.fault("endless", route="triggers", times=None)
    account.fault("trickle", route="automations", times=None, pause=600)
    account.fault("trickle", route="user_fields", pause=600)
    account.fault("status", headers={"X-Much": "x" * 70_000}, route="brands", times=None)
    account.fault("redirect", to=account.base_url, route="ticket_fields", times=None)
    account.fault("status", status=200, body='{"sla_policies":' + "[" * 100_000, route="sla_policies", times=None)
    account.fault(
        "status", status=418, body="\ud83d\ud800".encode("utf-8", "surrogatepass").decode("latin-1"), route="tags"
    )
    streams = ("macros", "triggers", "automations", "brands", "ticket_fields", "sla_policies", "tags")
    made = source(account, request_timeout=1.5, retry_deadline=3600).with_resources(*streams, "user_fields", "groups")
    found = reasons(pipeline(tmp_path), made)
    wanted = {
        "macros": "macros: the answer is larger than any of Zendesk's; the limits are 4 MB",
        "triggers": "triggers: the answer is larger than any of Zendesk's; the limits are 4 MB",
        "automations": f"no whole answer of {account.base_url} within request_timeout = 1.5 s",
        "brands": "LineTooLong",
        "ticket_fields": "too many redirects",
        "sla_policies": "200 with a body of another shape",
        "tags": "Zendesk answered 418",
    }
    assert {name: expected for name, expected in wanted.items() if expected not in str(found[name])} == {}, found
    assert (found["groups"], found["user_fields"]) == (None, None)


BOMBED = """
import re, sys, threading
from pathlib import Path
from zendesk_support.api.rate_limiter import RateLimiter
from zendesk_support.api.clock import Clock
from zendesk_support.api.tokens import FixedAuth
from zendesk_support.errors import ContractError
from zendesk_support.records.json_rows import page_decoder
from zendesk_support.settings import Settings
from zendesk_support.api.request import Request
from zendesk_support.api.transport import Transport
from zendesk_support.api.request import Usage

clock = Clock()
made = Transport(Settings(sys.argv[1], start=0), clock, RateLimiter(clock, 1), threading.Event())
made.auth = FixedAuth(sys.argv[2])
peak = lambda: int(re.search(r"VmHWM:\\s+(\\d+) kB", Path("/proc/self/status").read_text())[1]) >> 10
before = peak()
try:
    made.get(Request("/api/v2/groups", route="groups"), page_decoder("groups"), Usage())
except ContractError as error:
    print(peak() - before)
"""


def test_a_zip_bomb_takes_no_more_memory_than_the_limit(account: Simulator) -> None:
    """A third of a megabyte on the way."""
    account.fault("bomb", size=320_000_000, route="groups")
    token = f"Bearer {account.credentials['access_token']}"
    done = subprocess.run(
        [sys.executable, "-c", BOMBED, account.base_url, token], capture_output=True, text=True, timeout=120
    )
    assert done.stderr == ""
    assert 200 < int(done.stdout) < 500


# Settings that lead elsewhere


@pytest.mark.parametrize(
    "address",
    [
        "http://127.0.0.1.evil.example",
        "HTTP://acme.example",
        " http://acme.example",
        "\thttp://acme.example",
        "http://[::1]@evil.example",
        "http://127.0.0.1@evil.example",
        "http://127.0.0.1\\@evil.example",
        "http://127.0.0.1#@evil.example",
        "http://evil.example#127.0.0.1",
        "http://evil.example?127.0.0.1",
        "http://evil.example\\127.0.0.1",
        "http://2130706433",
        "http://0x7f000001",
        "http://0x7f.1",
        "http://0177.0.0.1",
        "http://127.1",
        "http://127.0.0.1.",
        "http://localhost.",
        "http://localhost.evil.example",
        "http://127\u30020\u30020\u30021.evil.example",
        "http://\u2460\u2461\u2466.0.0.1",
        "http://127.0.0.1\n.evil.example",
        "http://127.0.0.1\x00.evil.example",
        "http://127.0.0.1%2eevil.example",
        "http://0.0.0.0",
        "http://192.168.1.1",
        "http://[::ffff:10.0.0.1]",
        "http://[::1",
        "http:///127.0.0.1",
        "http:127.0.0.1",
        "//127.0.0.1",
        "ftp://127.0.0.1",
        "https://acme.example:0",
        "https://acme.example:99999",
        "https://user@acme.example",
        "https://acme.example?token=word",
        "https://acme.example#fragment",
        "https://",
    ],
)
def test_a_base_url_that_is_not_plainly_safe_is_refused_before_the_first_request(
    address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """L35."""

    def refuse(*_: Any) -> None:
        raise AssertionError("a connection was opened")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    with pytest.raises(
        ConfigurationError, match=r"(?s)base_url = .* (unencrypted|is not the address of a server)"
    ) as caught:
        zendesk_support_source(base_url=address, credentials={"access_token": "secret-word"})
    assert "secret-word" not in str(caught.value)
    assert "token=word" not in str(caught.value)


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("HTTP://127.0.0.1:8080", "http://127.0.0.1:8080"),
        ("http://LOCALHOST:8080/", "http://localhost:8080"),
        (" http://[::1]:8080 ", "http://[::1]:8080"),
        ("HTTPS://Proxy.Example:443", "https://proxy.example"),
    ],
)
def test_a_safe_base_url_is_read_in_every_spelling(address: str, expected: str) -> None:
    assert account_url(None, address) == expected


@pytest.mark.parametrize(
    "subdomain",
    [
        "acm\u00e9",
        "\u0430cme",
        "acme\u3002zendesk.com",
        "acme.zendesk.com.",
        "acme.zendesk.com.evil.example",
        "https://evil.example/acme.zendesk.com",
        "https://evil.example\\.zendesk.com",
        "evil.example/.zendesk.com",
        "http://acme.zendesk.com",
        "acme:8080",
        "acme\n.evil.example",
        "-acme",
        ".",
    ],
)
def test_a_subdomain_leads_nowhere_but_to_zendesk(subdomain: str) -> None:
    """L35."""
    with pytest.raises(ConfigurationError, match="is not a Zendesk subdomain"):
        account_url(subdomain, None)


@pytest.mark.parametrize(
    "settings",
    [
        {"base_url": "user:pass-word@acme.example"},
        {"base_url": "https://user:pass@word/pass-word@acme.example"},
        {"base_url": "https://acme.example/?access_token=pass-word"},
        {"base_url": "http://user:pass-word@127.0.0.1:8080"},
        {"subdomain": "https://user:pass-word@acme.zendesk.com"},
        {"subdomain": "user:pass-word@acme"},
        {"subdomain": "acme?token=pass-word"},
    ],
)
def test_a_password_in_an_address_is_not_quoted(settings: dict[str, str]) -> None:
    """L35."""
    with pytest.raises(ConfigurationError, match=r"\*\*\*") as caught:
        zendesk_support_source(**settings, credentials={"access_token": "another-word"})
    assert "pass-word" not in str(caught.value)


@pytest.mark.parametrize("name", ["access_token", "client_secret", "api_token", "refresh_token", "email"])
@pytest.mark.parametrize(
    "spoilt", ["secret\nword", "secret word", "secret\0word", "secret\udcffword", "secret\u200bword"]
)
def test_a_credential_that_no_header_can_carry_is_refused_without_being_shown(name: str, spoilt: str) -> None:
    """L34, L35."""
    (fields,) = [
        fields for fields in KINDS.values() if name in fields and (name != "client_secret" or len(fields) == 2)
    ]
    given = {field: spoilt if field == name else "fine-word" for field in fields}
    with pytest.raises(ConfigurationError, match=f"{name} holds a blank, a control character or a letter") as caught:
        zendesk_support_source(subdomain="acme", credentials=given)
    evidence = Evidence()
    evidence.add_error("error", caught.value)
    assert "secret" not in evidence["error"].replace("client_secret", "")


def test_blanks_around_credentials_are_left_out(tmp_path: Path, account: Simulator) -> None:
    """A token that a file ends with a line break."""
    given = {"access_token": f" {account.credentials['access_token']}\n"}
    assert reasons(pipeline(tmp_path), source(account, credentials=given).with_resources("groups")) == {"groups": None}
