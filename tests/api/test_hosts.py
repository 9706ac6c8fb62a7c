"""Credentials by host: each host gets its own, the account's by default, and none gets another's."""

from __future__ import annotations

import base64
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from support import SCALE

from zendesk_support.api.clock import Clock
from zendesk_support.api.hosts import Hosts
from zendesk_support.api.limits import PLAIN, Limit
from zendesk_support.api.rate_limiter import RateLimiter
from zendesk_support.api.request import Request, Usage
from zendesk_support.api.tokens import FixedAuth
from zendesk_support.api.transport import Transport
from zendesk_support.errors import ConfigurationError, CredentialsError, UnavailableError
from zendesk_support.records.json_rows import page_decoder
from zendesk_support.settings import Settings
from zendesk_support.simulator import Simulator

CHAT = Limit("chat", 200, told_by=PLAIN)
TOKEN = "Bearer token-of-the-chats"


class Chat(BaseHTTPRequestHandler):
    """A server with a token of its own; remembers whose credentials came."""

    def do_GET(self) -> None:
        self.server.seen.append(self.headers["Authorization"])  # type: ignore[attr-defined]
        status, headers, body = self.server.answer  # type: ignore[attr-defined]
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        pass


@pytest.fixture
def chat() -> Iterator[Any]:
    """A Chat server beside the account."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Chat) as server:
        server.seen = []  # type: ignore[attr-defined]
        server.answer = (200, {}, b'{"chats":[{"id":1}]}')  # type: ignore[attr-defined]
        server.url = f"http://127.0.0.1:{server.server_port}"  # type: ignore[attr-defined]
        thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        yield server
        server.shutdown()


@pytest.fixture
def made(account: Simulator) -> Transport:
    """A transport with the account's API token."""
    known, clock = account.credentials, Clock(SCALE)
    token = base64.b64encode(f"{known['email']}/token:{known['api_token']}".encode()).decode()
    settings = Settings(base_url=account.base_url, start=0, clock_scale=SCALE)
    transport = Transport(settings, clock, RateLimiter(clock, 1.0), threading.Event())
    transport.auth = FixedAuth(f"Basic {token}")
    return transport


def chats(made: Transport, host: str) -> int:
    """Ask for the chats; returns how many came."""
    return len(made.get(Request(f"{host}/api/v2/chats", {}, (CHAT,), "chats"), page_decoder("chats"), Usage()).rows)


def fields(made: Transport) -> int:
    """Ask the account for its ticket fields; returns how many came."""
    request = Request("/api/v2/ticket_fields", route="ticket_fields")
    return len(made.get(request, page_decoder("ticket_fields"), Usage()).rows)


def sent(account: Simulator, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The Authorization headers that the account gets from now on."""
    found: list[str] = []
    handle = account.api.handle

    def noted(request: Any) -> Any:
        found.append(request.headers["authorization"])
        return handle(request)

    monkeypatch.setattr(account.api, "handle", noted)
    return found


def test_each_host_gets_its_own_credentials_and_no_others(
    made: Transport, account: Simulator, chat: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """L35."""
    at_account = sent(account, monkeypatch)
    host = made.add_host(chat.url, FixedAuth(TOKEN))
    assert chats(made, host) == 1
    assert fields(made) == len(account.truth("ticket_fields"))
    assert chat.seen == [TOKEN]
    assert isinstance(made.auth, FixedAuth)
    assert at_account == [made.auth.value]


def test_a_host_that_was_not_named_gets_none(made: Transport, chat: Any) -> None:
    """L35."""
    with pytest.raises(ConfigurationError, match="credentials go nowhere else"):
        chats(made, chat.url)
    assert chat.seen == []


def test_a_redirect_to_a_host_of_other_credentials_is_refused_both_ways(
    made: Transport, account: Simulator, chat: Any
) -> None:
    """L35."""
    host = made.add_host(chat.url, FixedAuth(TOKEN))
    account.fault("redirect", to=chat.url)
    with pytest.raises(ConfigurationError, match="credentials go nowhere else"):
        fields(made)
    assert chat.seen == []
    chat.answer = (302, {"Location": f"{account.base_url}/api/v2/ticket_fields"}, b"")
    account.reset_requests()
    with pytest.raises(ConfigurationError, match="credentials go nowhere else"):
        chats(made, host)
    assert account.requests() == []


def test_a_host_keeps_the_credentials_it_was_given_first(made: Transport, account: Simulator, chat: Any) -> None:
    host = made.add_host(chat.url, FixedAuth(TOKEN))
    assert made.allow_host(chat.url) is None
    for known in (host, account.base_url):
        with pytest.raises(ValueError, match="has other credentials already"):
            made.add_host(known, FixedAuth("Bearer another"))
    assert chats(made, host) == 1
    assert chat.seen == [TOKEN]


@pytest.mark.parametrize("url", ["http://chat.example.com", "http://127.0.0.1:9", "https://user@chat.example.com", "x"])
def test_no_credentials_go_unencrypted_or_nowhere(url: str) -> None:
    hosts = Hosts(Settings(base_url="https://acme.zendesk.com", start=0))
    with pytest.raises(ValueError):
        hosts.add(url, FixedAuth(TOKEN))
    assert hosts.add("https://chat.example.com/api", FixedAuth(TOKEN)) == "https://chat.example.com"


@pytest.mark.parametrize("port", [":443", ""], ids=["with its port", "without"])
def test_a_link_that_names_the_usual_port_leads_to_the_same_host(port: str) -> None:
    hosts = Hosts(Settings(base_url="https://acme.zendesk.com", start=0))
    link = f"https://acme.zendesk.com{port}/api/v2/webhooks?page[after]=MDFI&page[size]=100"
    assert hosts.find("https://acme.zendesk.com/api/v2/webhooks", link, "webhooks") == (link, hosts.home)


@pytest.mark.parametrize("host", ["acme.zendesk.com:8443", "acme.zendesk.com:80", "other.zendesk.com:443"])
def test_a_link_to_another_port_or_host_gets_no_credentials(host: str) -> None:
    hosts = Hosts(Settings(base_url="https://acme.zendesk.com", start=0))
    with pytest.raises(ConfigurationError, match="credentials go nowhere else"):
        hosts.find("https://acme.zendesk.com/api/v2/webhooks", f"https://{host}/api/v2/webhooks", "webhooks")


def test_a_401_of_a_host_with_credentials_of_its_own_asks_nobody_else_and_ends_nothing_else(
    made: Transport, account: Simulator, chat: Any
) -> None:
    host = made.add_host(chat.url, FixedAuth(TOKEN))
    chat.answer = (401, {}, b'{"error":"token-of-the-chats is revoked"}')
    with pytest.raises(UnavailableError, match=r"refused `chats` \(401: .*product's own token") as caught:
        chats(made, host)
    assert "token-of-the-chats" not in str(caught.value)
    assert account.requests() == []
    assert fields(made) == len(account.truth("ticket_fields"))


class Ended:
    """Credentials that cannot be renewed any more."""

    def header(self) -> str:
        raise CredentialsError("the chat's token is gone")

    def renew(self, refused: str) -> bool:
        return False

    secrets: Callable[[], tuple[str, ...]] = staticmethod(tuple)


def test_credentials_of_a_host_that_end_do_not_end_the_accounts(made: Transport, account: Simulator, chat: Any) -> None:
    host = made.add_host(chat.url, Ended())
    with pytest.raises(CredentialsError):
        chats(made, host)
    assert fields(made) == len(account.truth("ticket_fields"))


def test_a_host_with_a_counter_of_its_own_is_paced_by_its_own_headers(made: Transport, chat: Any) -> None:
    host = made.add_host(chat.url, FixedAuth(TOKEN))
    chat.answer = (200, {"X-Rate-Limit": "30", "X-Rate-Limit-Remaining": "29"}, b'{"chats":[]}')
    chats(made, host)
    assert made._limiter.told_limit(CHAT) == 30
    assert made.at_once() == 16
