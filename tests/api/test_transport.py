"""Requests that go wrong: repeated while that can help, else a clear error, and never a wrong or foreign answer."""

from __future__ import annotations

import logging
import socketserver
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from connected import connect
from documented import says
from support import SCALE

from zendesk_support.api import connections
from zendesk_support.api.answers import retry_after
from zendesk_support.api.clock import Clock
from zendesk_support.api.credentials import ZendeskRefreshToken
from zendesk_support.api.limits import ACCOUNT, EXPORTS
from zendesk_support.api.rate_limiter import RateLimiter
from zendesk_support.api.request import Request, Usage
from zendesk_support.api.tokens import FixedAuth, Token, TokenAuth, make_auth
from zendesk_support.api.transport import Transport
from zendesk_support.errors import (
    Cancelled,
    ConfigurationError,
    ContractError,
    CredentialsError,
    CursorExpiredError,
    PageTooHeavyError,
    StartTimeTooRecentError,
    TransientError,
    UnavailableError,
)
from zendesk_support.records import json_repair as mending
from zendesk_support.records.json_rows import Page, page_decoder
from zendesk_support.settings import Settings
from zendesk_support.simulator import Simulator
from zendesk_support.simulator.clock import http_date

FIELDS = Request("/api/v2/ticket_fields", {"page[size]": 100}, route="ticket_fields")
TICKETS = Request(
    "/api/v2/incremental/tickets/cursor", {"start_time": 0, "per_page": 100}, (ACCOUNT, EXPORTS), "tickets"
)
DAMAGE = ("empty", "html", "truncated_json", "truncate", "bad_gzip", "cut_chunk", "reset")


def fields(made: Transport, request: Request = FIELDS, usage: Usage | None = None) -> int:
    """Ask for the ticket fields; returns how many came."""
    return len(made.get(request, page_decoder("ticket_fields"), usage or Usage()).rows)


def statuses(account: Simulator) -> list[int | None]:
    """The status of every answer given."""
    return [request["status"] for request in account.requests()]


@pytest.mark.parametrize("status", [408, 409, 425, 500, 502, 503, 504, 507, 520, 522, 524, 525, 529, 530, 599])
def test_an_answer_that_may_pass_is_asked_for_again(account: Simulator, status: int) -> None:
    """L24."""
    account.fault("status", status=status, times=2)
    usage = Usage()
    assert fields(connect(account), usage=usage) == len(account.truth("ticket_fields"))
    assert statuses(account) == [status, status, 200]
    assert (usage.requests, usage.retries) == (3, 2)


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_damaged_answer_is_asked_for_again(account: Simulator, damage: str) -> None:
    """L24, L38."""
    account.fault(damage, times=2)
    assert fields(connect(account)) == len(account.truth("ticket_fields"))
    assert len(statuses(account)) == 3


@pytest.mark.parametrize("damage", DAMAGE)
def test_an_answer_that_stays_damaged_ends_in_an_error_that_names_stream_and_setting(
    account: Simulator, damage: str
) -> None:
    """L24, L38."""
    account.fault(damage, times=None)
    with pytest.raises(TransientError, match=r"ticket_fields: .* retry_deadline = 200 s; the last was \".+\""):
        fields(connect(account, retry_deadline=200))
    assert len(statuses(account)) > 1


def test_a_storm_of_errors_ends_at_the_deadline(account: Simulator) -> None:
    account.fault("status", status=503, times=None)
    with pytest.raises(TransientError, match=r'ticket_fields: .*within retry_deadline = 120 s; the last was "503: '):
        fields(connect(account, retry_deadline=120))
    first, *_, last = [request["time"] for request in account.requests()]
    assert last - first <= 130


def test_a_wait_for_quota_does_not_use_up_the_deadline(simulate: Callable[..., Simulator]) -> None:
    account = simulate(limits={"incremental_exports": 1})
    made = connect(account, retry_deadline=20)
    decode = page_decoder("tickets")
    made.get(TICKETS, decode, Usage())
    account.fault("status", status=500)
    assert made.get(TICKETS, decode, Usage()).rows


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("23", 23),
        ("1.5", 1.5),
        ("0", 1),
        ("-5", 1),
        (None, 10),
        ("", 10),
        ("soon", 10),
        ("date", 42),
        ("nan", 1),
        ("past", 1),
    ],
)
def test_retry_after_is_read_in_every_form(value: str | None, expected: float) -> None:
    """L22."""
    headers = {} if value is None else {"Retry-After": value}
    if value in ("date", "past"):
        headers = {"Retry-After": http_date(1_700_000_042 if value == "date" else 0), "Date": http_date(1_700_000_000)}
    assert retry_after(headers) == expected


@pytest.mark.parametrize("value", ["2", "1.5", "date", "missing", "0"])
@pytest.mark.parametrize("as_json", [False, True])
def test_a_429_is_waited_out_whatever_its_body_and_header(
    simulate: Callable[..., Simulator], value: str, as_json: bool
) -> None:
    """L22, L23."""
    scale = 10.0 if value == "0" else SCALE  # a second's wait is to stand out from the moments around it
    account = simulate(clock_scale=scale)
    account.fault("status_429", retry_after=value, seconds=30, json=as_json)
    usage = Usage()
    assert fields(connect(account, clock_scale=scale), usage=usage) == len(account.truth("ticket_fields"))
    assert statuses(account) == [429, 200]
    least = {"2": 2, "1.5": 1.5, "date": 28, "missing": 10, "0": 1}[value]
    first, second = [request["time"] for request in account.requests()]
    assert second - first >= least
    assert usage.waited >= least - 0.5  # the moments between an answer and the wait are not waiting


def test_a_429_beyond_the_deadline_is_not_waited_out(account: Simulator) -> None:
    account.fault("status_429", retry_after="3600", times=None)
    with pytest.raises(TransientError, match='retry_deadline = 900 s; the last was "429: Number of allowed API'):
        fields(connect(account))
    assert statuses(account) == [429]


@pytest.mark.parametrize("status", [504, 524])
def test_a_heavy_page_is_told_apart_from_a_broken_gateway(account: Simulator, status: int) -> None:
    """L25."""
    account.fault("status", status=status, times=None)
    heavy = Request(TICKETS.url, TICKETS.params, TICKETS.limits, "tickets", shrinkable=True)
    with pytest.raises(PageTooHeavyError):
        connect(account).get(heavy, page_decoder("tickets"), Usage())
    assert statuses(account) == [status]


@pytest.mark.parametrize(
    ("fault", "parameters", "error"),
    [
        ("start_time_too_recent", {"status": 400}, StartTimeTooRecentError),
        ("start_time_too_recent", {"status": 422}, StartTimeTooRecentError),
        ("invalid_cursor", {}, CursorExpiredError),
        ("status", {"status": 403}, UnavailableError),
        ("status", {"status": 404}, UnavailableError),
        ("status", {"status": 403, "body": "", "content_type": "text/html"}, UnavailableError),
        ("status", {"status": 404, "body": "<html>The page you were looking for</html>"}, UnavailableError),
        ("status", {"status": 422}, ContractError),
        ("status", {"status": 418, "body": "[1]"}, ContractError),
        ("status", {"status": 501}, ContractError),
        ("status", {"status": 505}, ContractError),
        ("status", {"status": 600}, ContractError),
    ],
)
def test_a_refusal_becomes_the_error_of_its_remedy_at_once(
    account: Simulator, fault: str, parameters: dict[str, Any], error: type[Exception]
) -> None:
    """L26, L27."""
    account.fault(fault, **parameters)
    with pytest.raises(error) as caught:
        connect(account).get(TICKETS, page_decoder("tickets"), Usage())
    assert type(caught.value) is error
    assert len(statuses(account)) == 1


def test_a_401_of_credentials_that_zendesk_knows_is_of_that_request_alone(account: Simulator) -> None:
    made = connect(account)
    account.fault("status", status=401)
    with pytest.raises(UnavailableError, match=r"refused `ticket_fields` \(401: .* yet it accepts the credentials"):
        fields(made)
    assert fields(made) == len(account.truth("ticket_fields"))


def ending_tokens(account: Simulator, monkeypatch: pytest.MonkeyPatch, **times: int) -> Transport:
    """A transport whose token another thread's renewal ends, while the first requests of some routes are under way."""
    made, known = connect(account), account.credentials
    credentials = ZendeskRefreshToken()
    for name in ("client_id", "client_secret", "refresh_token"):
        setattr(credentials, name, known[name])
    made.auth, _ = make_auth(credentials, account.base_url, made.post_token, Clock(SCALE))
    auth, handle = made.auth, account.api.handle

    def ending(request: Any) -> Any:
        route = request.path.rpartition("/")[2]
        if times.get(route, 0) > 0:
            times[route] -= 1
            auth.renew(request.headers["authorization"])
        return handle(request)

    monkeypatch.setattr(account.api, "handle", ending)
    return made


@pytest.mark.parametrize("refused", [0, 1])
def test_a_request_whose_token_ends_while_it_is_under_way_is_asked_again(
    account: Simulator, monkeypatch: pytest.MonkeyPatch, refused: int
) -> None:
    """L33. It may still be refused for once."""
    made = ending_tokens(account, monkeypatch, ticket_fields=3)
    if refused:
        account.fault("status", status=401, route="ticket_fields")
    assert fields(made) == len(account.truth("ticket_fields"))
    assert statuses(account).count(401) == 3 + refused


def test_a_token_that_ends_while_the_credentials_are_judged_does_not_condemn_them(
    account: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = ending_tokens(account, monkeypatch, me=2)
    account.fault("status", status=401, route="ticket_fields", times=2)
    with pytest.raises(UnavailableError, match=r"refused `ticket_fields` \(401: .* yet it accepts the credentials"):
        fields(made)
    assert fields(made) == len(account.truth("ticket_fields"))


def test_tokens_that_are_dead_on_arrival_are_not_asked_for_without_end(account: Simulator) -> None:
    made = connect(account)
    tokens = (Token(f"dead-{number}", expires_in=1e-9) for number in range(100))
    made.auth = TokenAuth({}, lambda _: next(tokens), Clock(SCALE), None)
    with pytest.raises(CredentialsError, match="Zendesk refused the credentials"):
        fields(made)
    assert len(statuses(account)) < 20


@pytest.mark.parametrize("body", ["[" * 100_000, '{"user":{"id":"\\ud800"}}', "{\xff", ""])
def test_an_unreadable_answer_does_not_condemn_the_credentials(account: Simulator, body: str) -> None:
    account.fault("status", status=401, route="ticket_fields")
    account.fault("status", status=200, body=body, route="users_me")
    made = connect(account)
    with pytest.raises(ContractError) as caught:
        fields(made)
    assert says("401 while nobody says whose the credentials are", str(caught.value))
    assert fields(made) == len(account.truth("ticket_fields"))


def test_many_requests_of_a_route_that_refuses_good_credentials_cost_one_renewal_and_one_question(
    account: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = ending_tokens(account, monkeypatch)
    account.fault("status", status=401, route="ticket_fields", times=None)
    for _ in range(10):
        with pytest.raises(UnavailableError):
            fields(made)
    asked = Counter(request["route"] for request in account.requests())
    assert asked == {"ticket_fields": 11, "oauth_tokens": 2, "users_me": 1}


def test_a_401_of_credentials_that_zendesk_does_not_know_ends_every_request(account: Simulator) -> None:
    made = connect(account)
    account.fault("anonymous", times=None)
    with pytest.raises(CredentialsError, match="Zendesk refused the credentials"):
        fields(made)
    asked = len(statuses(account))
    account.clear_faults()
    with pytest.raises(CredentialsError):
        fields(made)
    assert len(statuses(account)) == asked


def test_an_account_that_does_not_exist_is_a_matter_of_settings(account: Simulator) -> None:
    """L34."""
    body = {"error": {"title": "No help desk at acme.zendesk.com", "message": "There is no help desk configured"}}
    account.fault("status", status=404, body=body)
    with pytest.raises(ConfigurationError) as caught:
        fields(connect(account))
    assert says("no such account", str(caught.value))


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({"error": "RecordNotFound", "description": "Not found"}, "RecordNotFound: Not found"),
        ({"error": {"title": "Forbidden", "message": "No access"}}, "Forbidden: No access"),
        ({"errors": [{"code": "Odd", "title": "Very odd"}]}, "Odd: Very odd"),
        ("plain words", "plain words"),
        ("<html>", "an HTML page"),
        ("", "no body"),
    ],
)
def test_an_error_quotes_what_zendesk_said(account: Simulator, body: Any, said: str) -> None:
    account.fault("status", status=403, body=body)
    with pytest.raises(UnavailableError) as caught:
        fields(connect(account))
    assert str(caught.value) == (
        f'Zendesk refused `ticket_fields` (403: "{said}"). '
        "The plan or role lacks it; leave it out, or use an admin's credentials."
    )


def test_a_shape_nobody_knows_is_a_contract_error(account: Simulator) -> None:
    account.fault("status", status=200, body={"ticket_fields": 7}, times=None)
    with pytest.raises(ContractError, match="ticket_fields: 200 with a body of another shape: "):
        fields(connect(account))


@pytest.mark.parametrize("told", [{"error": "InternalError"}, {"errors": [{"title": "InternalError"}]}])
def test_an_error_beside_a_list_is_no_answer(account: Simulator, told: dict[str, Any]) -> None:
    """What the list lacks would else be removed from the table."""
    account.fault("status", status=200, body={"ticket_fields": [], **told}, times=None)
    with pytest.raises(ContractError, match="ticket_fields: 200 with an error: InternalError"):
        fields(connect(account))
    account.clear_faults()
    account.fault("status", status=200, body={"ticket_fields": [], **told}, times=2)
    assert fields(connect(account))


@pytest.mark.parametrize("told", [{"error": None}, {"errors": []}, {"ticket_fields": [{"id": 1, "error": "x"}]}])
def test_an_answer_that_names_no_error_of_its_own_is_one(account: Simulator, told: dict[str, Any]) -> None:
    account.fault("status", status=200, body={"ticket_fields": [{"id": 1}], **told}, times=1)
    assert fields(connect(account))
    assert len([request for request in account.requests() if request["route"] == "ticket_fields"]) == 1


def test_a_body_that_is_too_large_to_be_mended_is_a_contract_error(
    account: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mending, "LARGEST", 1 << 20)
    account.fault("status", status=200, body='{"ticket_fields":[{"id":NaN}' + " " * (3 << 20) + "]}", times=None)
    with pytest.raises(ContractError) as caught:
        fields(connect(account))
    assert str(caught.value).startswith("ticket_fields: 200 with a body that is no JSON: 3 MB, and faults are ")
    assert says("a body too large to be mended", str(caught.value))


@pytest.mark.parametrize("body", ['{"ticket_fields":[{"id":1,"x":"\\ud800"}]}', '{"ticket_fields":[{"id":1,"x":"'])
def test_a_run_that_ends_while_an_answer_is_read_waits_neither_for_mending_nor_for_another_try(
    account: Simulator, body: str
) -> None:
    made, decode = connect(account), page_decoder("ticket_fields")
    account.fault("status", status=200, body=body.replace("1,", "1," + " " * (1 << 17)), times=None)

    def ending(body: bytes) -> Page:
        made.stopped.set()
        return decode(body)

    with pytest.raises(Cancelled):
        made.get(FIELDS, ending, Usage())
    assert statuses(account) == [200]


@pytest.mark.parametrize("kind", ["bomb", "endless"])
def test_a_body_without_end_is_cut_off(account: Simulator, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "MAX_BODY", 4 << 20)
    account.fault(kind, size=60_000_000)
    made = connect(account)
    with pytest.raises(ContractError, match=r"/api/v2/ticket_fields: .* the limits are 4 MB"):
        fields(made)
    assert fields(made) == len(account.truth("ticket_fields"))


def test_a_body_that_trickles_in_is_given_up_and_asked_for_again(account: Simulator) -> None:
    """L24."""
    account.fault("trickle", pause=60)
    assert fields(connect(account, request_timeout=0.3, retry_deadline=10_000)) == len(account.truth("ticket_fields"))
    assert len(statuses(account)) >= 2


@pytest.mark.parametrize("status", [400, 403, 404, 422])
def test_a_refusal_is_asked_about_once_more_where_the_page_before_came(account: Simulator, status: int) -> None:
    confirm_refusal = Request(FIELDS.url, FIELDS.params, route="ticket_fields", confirm_refusal=True)
    account.fault("status", status=status)
    assert fields(connect(account), confirm_refusal) == len(account.truth("ticket_fields"))
    account.fault("status", status=status, times=None)
    account.reset_requests()
    with pytest.raises((UnavailableError, ContractError)):
        fields(connect(account), confirm_refusal)
    assert statuses(account) == [status, status]


class Trap(BaseHTTPRequestHandler):
    """Remembers the headers of every request."""

    def do_GET(self) -> None:
        self.server.caught.append(dict(self.headers))  # type: ignore[attr-defined]
        self.send_response(200)
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:
        pass


@pytest.fixture
def trap() -> Iterator[Any]:
    """A server on another port, which must never see a request."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Trap) as server:
        server.caught = []  # type: ignore[attr-defined]
        server.url = f"http://127.0.0.1:{server.server_port}"  # type: ignore[attr-defined]
        thread = threading.Thread(target=socketserver.BaseServer.serve_forever, args=(server, 0.05), daemon=True)
        thread.start()
        yield server
        server.shutdown()


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_to_another_host_is_refused(account: Simulator, trap: Any, status: int) -> None:
    """L35."""
    account.fault("redirect", to=trap.url, status=status)
    made = connect(account)
    with pytest.raises(ConfigurationError, match="which is not a host of"):
        fields(made)
    assert trap.caught == []
    assert fields(made) == len(account.truth("ticket_fields"))


def test_a_link_to_another_host_is_refused(account: Simulator, trap: Any) -> None:
    """L35."""
    account.fault("foreign_next", to=trap.url)
    made = connect(account)
    page = made.get(Request("/api/v2/ticket_fields", {"page[size]": 2}), page_decoder("ticket_fields"), Usage())
    assert page.links is not None
    assert str(page.links.next).startswith(trap.url)
    with pytest.raises(ConfigurationError, match="credentials go nowhere else"):
        fields(made, Request(str(page.links.next), route="ticket_fields"))
    assert trap.caught == []


@pytest.mark.parametrize(
    "url",
    [
        "http://evil.example/api/v2/ticket_fields",
        "//evil.example/api/v2/ticket_fields",
        "https://127.0.0.1/api/v2/ticket_fields",
        "{base}@evil.example/",
        "http://user:word@{host}/api/v2/ticket_fields",
        "{base}\\@evil.example/",
    ],
)
def test_no_form_of_a_foreign_link_is_followed(account: Simulator, url: str) -> None:
    """L35."""
    link = url.format(base=account.base_url, host=account.base_url.removeprefix("http://"))
    with pytest.raises(ConfigurationError, match="credentials go nowhere else"):
        fields(connect(account), Request(link, route="ticket_fields"))
    assert statuses(account) == []


def test_a_redirect_within_the_account_is_followed(account: Simulator) -> None:
    account.fault("redirect", to=account.base_url)
    assert fields(connect(account)) == len(account.truth("ticket_fields"))
    assert statuses(account) == [302, 200]


@pytest.mark.parametrize(
    ("base", "brand", "allowed"),
    [
        ("https://acme.zendesk.com", "https://help.acme.com/hc", None),
        ("https://acme.zendesk.com", "https://ACME2.zendesk.com:443", "https://acme2.zendesk.com"),
        ("https://acme.zendesk.com", "http://acme2.zendesk.com", None),
        ("https://acme.zendesk.com", "https://127.0.0.1", None),
        ("https://acme.zendesk.com", "https://user@acme2.zendesk.com", None),
        ("https://acme.zendesk.com", "https://acme2.zendesk.com:8443", None),
        ("https://acme.zendesk.com", "https://evilzendesk.com", None),
        ("https://acme.zendesk.com", "https://acme2.zendesk.com.evil.example", None),
        ("https://acme.zendesk.com", "https://evil.example\\.zendesk.com", None),
        ("https://acme.zendesk.com", "https://evil.example/.zendesk.com", None),
        ("https://acme.zendesk.com", "https://[::1", None),
        ("https://acme.zendesk.com", "None", None),
        ("http://127.0.0.1:1", "https://acme.zendesk.com", None),
        ("http://127.0.0.1:1", "http://127.0.0.1:2", "http://127.0.0.1:2"),
        ("http://127.0.0.1:1", "http://localhost:2", None),
        ("http://127.0.0.1:1", "https://127.0.0.1:2", None),
        ("http://127.0.0.1", "http://localhost", None),
    ],
)
def test_a_brands_host_gets_credentials_only_where_it_can_be_the_accounts(
    base: str, brand: str, allowed: str | None
) -> None:
    """L35."""
    clock = Clock()
    made = Transport(Settings(base_url=base, start=0), clock, RateLimiter(clock, 1), threading.Event())
    assert made.allow_host(brand) == allowed


def test_a_netrc_does_not_replace_the_credentials(
    account: Simulator, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """L35."""
    (home / ".netrc").write_text("machine 127.0.0.1 login somebody password else\n")
    monkeypatch.setenv("NETRC", str(home / ".netrc"))
    made = connect(account)
    made._sender.connections.session.trust_env = True
    assert fields(made) == len(account.truth("ticket_fields"))


def test_credentials_stand_in_no_log_line_and_no_error(account: Simulator, caplog: pytest.LogCaptureFixture) -> None:
    """L35."""
    caplog.set_level(logging.DEBUG)
    made = connect(account, retry_deadline=20)
    assert isinstance(made.auth, FixedAuth)
    fields(made)
    for kind in ("status", "reset", "bad_gzip", "html"):
        account.fault(kind, status=500, times=None)
        with pytest.raises(TransientError) as caught:
            fields(made)
        chain: BaseException | None = caught.value
        while chain is not None:
            assert made.auth.value.split()[1] not in repr(chain)
            chain = chain.__cause__ or chain.__context__
        account.clear_faults()
    assert caplog.records
    for secret in (made.auth.value.split()[1], account.credentials["api_token"]):
        assert secret not in caplog.text


@pytest.mark.parametrize("kind", ["bomb", "redirect"])
def test_a_request_that_ends_in_an_error_holds_nobody_up(
    account: Simulator, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first request of a bucket goes alone: its error must let the next one go."""
    monkeypatch.setattr(connections, "MAX_BODY", 1 << 20)
    account.fault(kind, size=20_000_000, to="http://127.0.0.1:9")
    made = connect(account)
    with pytest.raises((ContractError, ConfigurationError)):
        fields(made)
    found: list[int] = []
    thread = threading.Thread(target=lambda: found.append(fields(made)), daemon=True)
    thread.start()
    thread.join(5)
    assert found == [len(account.truth("ticket_fields"))]


def test_the_end_of_the_run_ends_a_wait(account: Simulator) -> None:
    account.fault("status", status=503, retry_after="800", times=None)
    made = connect(account)
    made._stop.set()
    with pytest.raises(Cancelled):
        fields(made)
