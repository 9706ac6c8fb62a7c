"""Keys and passwords in rows of Zendesk are left nowhere: in no package, table, state, trace, log or error."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from evidence import Evidence, every_log_line
from repository import ROOT
from support import pipeline, source

from zendesk_support import sync
from zendesk_support.simulator import Simulator
from zendesk_support.simulator.server.messages import Reply, Request, json_reply
from zendesk_support.streams import CATALOGUE
from zendesk_support.verification.verifier import verify

Simulate = Callable[..., Simulator]
TIMES = {"created_at": "2023-09-18T23:38:20Z", "updated_at": "2023-09-18T23:38:20Z"}
KEPT = "kept-and-loaded"
STREAMS = (
    "phone_numbers",
    "lines",
    "recipient_addresses",
    "targets",
    "webhooks",
    "app_installations",
    "oauth_clients",
    "oauth_tokens",
    "chat_account",
)


def planted(turn: int) -> dict[str, tuple[str, list[dict[str, Any]]]]:
    """Lists by path: the key of their rows, and rows of which every secret begins with `planted`, anew each turn."""

    def secret(name: str) -> str:
        return f"planted-{name}-{turn}-of-many"

    logins = ("token", "secret", "password", "username", "api_token")
    webhook = {"name": KEPT, "status": "active", "endpoint": "https://example.com", "http_method": "POST", **TIMES}
    basic = {"username": secret("webhook-user"), "password": secret("webhook-password")}
    headers = {"x-key": secret("custom-header")}
    signing = {"algorithm": "SHA256", "secret": secret("signing")}
    installation = {"product": KEPT, "enabled": True, **TIMES}
    settings = {"name": "App", "api_key": secret("setting")}
    objects = [{"name": "api_key", "value": secret("setting-object")}]
    code = secret("verification-code")
    return {
        "recipient_addresses": (
            "recipient_addresses",
            [{"id": 1, "name": KEPT, "email": "help@example.com", "domain_verification_code": code, **TIMES}],
        ),
        "channels/voice/phone_numbers": (
            "phone_numbers",
            [
                {"id": 1, "name": KEPT, "number": "+15550100", "token": secret("phone-token")},
                {"id": 2, "name": KEPT, "Token": secret("phone-Token")},
            ],
        ),
        "channels/voice/lines": (
            "lines",
            [
                {"id": 1, "nickname": KEPT, "line_type": "phone", "token": secret("line-token")},
                {"id": 2, "nickname": KEPT, "line_type": "digital", "full_token": secret("line-full-token")},
            ],
        ),
        "targets": (
            "targets",
            [
                {"id": 1, "title": KEPT, "type": "url_target", **{name: secret(name) for name in logins}},
                {"id": 2, "title": KEPT, "type": "http_target", "username": "", "password": None},
            ],
        ),
        "webhooks": (
            "webhooks",
            [
                {"id": "01HANAHF77W3MWXQGFPKBA5WN1", **webhook, "custom_headers": headers, "signing_secret": signing}
                | {"authentication": {"type": "basic_auth", "data": basic, "add_position": "header"}},
                {"id": "01HANAHF77W3MWXQGFPKBA5WN2", **webhook, "custom_headers": None}
                | {"authentication": {"type": "bearer_token", "data": {"token": secret("bearer")}}},
                {"id": "01HANAHF77W3MWXQGFPKBA5WN3", **webhook, "authentication": None},
                {"id": "01HANAHF77W3MWXQGFPKBA5WN4", **webhook},
            ],
        ),
        "oauth/clients": (
            "clients",
            [
                {
                    "id": 1,
                    "name": KEPT,
                    "secret": secret("client-secret"),
                    "client_secret": secret("client"),
                    "Secret": secret("Secret"),
                    **TIMES,
                }
            ],
        ),
        "oauth/tokens": (
            "tokens",
            [
                {
                    "id": 1,
                    "url": KEPT,
                    "token": secret("token"),
                    "refresh_token": secret("refresh-token"),
                    **TIMES,
                },
                {"id": 2, "url": KEPT, "token": None, "full_token": secret("full-token"), "Token": secret("Token")},
                {"id": 3, "url": KEPT, "FULL_TOKEN": secret("FULL-TOKEN"), "client_secret": secret("client-of-token")},
            ],
        ),
        "chat/account": (
            "",
            [
                {
                    "account_key": KEPT,
                    "billing": {"email": secret("billing")},
                    "plan": {"name": "long " * 60, "price": secret("price"), "Price": secret("Price")},
                }
            ],
        ),
        "apps/installations": (
            "installations",
            [
                {"id": 1, "app_id": 2, "settings": settings, "settings_objects": objects, **installation},
                {"id": 2, "app_id": 3, "settings": None, "settings_objects": [], **installation},
            ],
        ),
    }


class Answering:
    """Lists with secrets in place of the account's own, which are new with each turn."""

    def __init__(self, account: Simulator) -> None:
        self.turn = 0
        self.served = 0
        self.spoil: Callable[[bytes], bytes] = bytes
        self._handle = account.api.handle
        account.api.handle = self.answer  # type: ignore[method-assign]

    def answer(self, request: Request) -> Reply:
        """A list with secrets, or what the account answers."""
        found = planted(self.turn).get(request.path.removeprefix("/api/v2/").removesuffix(".json"))
        if found is None:
            return self._handle(request)
        self.served += 1
        key, rows = found
        reply = json_reply(200, {key: rows, "meta": {"has_more": False}, "next_page": None} if key else rows[0])
        reply.body = self.spoil(reply.body)
        return reply


@pytest.mark.parametrize("nested", ["json", "tables"])
def test_secrets_of_rows_are_left_nowhere(tmp_path: Path, simulate: Simulate, nested: str) -> None:
    account = simulate(tickets=1)
    answering, evidence, target = Answering(account), Evidence(), pipeline(tmp_path)

    def chosen() -> Any:
        return source(account, nested=nested).with_resources(*STREAMS)

    with every_log_line(evidence):
        target.extract(chosen())
        evidence.add_folder(tmp_path)
        target.normalize()
        evidence.add_folder(tmp_path)
        target.load()
        answering.turn = 1
        report = sync(target, chosen())
        loaded = {stream.stream: (stream.status, stream.rows) for stream in report.streams.values()}
        assert loaded == dict.fromkeys(STREAMS, ("loaded", 0))
        evidence.add("verification", repr(verify(target, chosen(), keys=True)))
        for spoil in (lambda body: body[: len(body) // 2 + 90], lambda body: body.replace(b'"id":', b'"id":null,"n":')):
            answering.spoil = spoil
            for stream in sync(target, chosen()).streams.values():
                evidence.add("report", f"{stream!r}")
                evidence.add_error(f"error of {stream.stream}", stream.error)
    evidence.add_pipeline(target)
    evidence.add_folder(tmp_path)
    assert answering.served >= 5 * len(STREAMS)
    assert evidence.holding(["planted-"]) == {}
    assert {f"table {name}" for name in STREAMS} <= evidence.holding([KEPT]).keys()
    assert {f"error of {name}" for name in STREAMS} <= evidence.keys()


def test_no_stream_has_a_column_for_a_secret_and_the_page_on_security_names_each() -> None:
    named = {name: getattr(stream.feeds[0].endpoint, "secrets", ()) for name, stream in CATALOGUE.items()}
    secrets = {name: of_rows for name, of_rows in named.items() if of_rows}
    assert [name for name, of_rows in secrets.items() if not set(CATALOGUE[name].columns).isdisjoint(of_rows)] == []
    page = (ROOT / "docs" / "security.md").read_text()
    listed = [f"| `{name}` | {', '.join(f'`{secret}`' for secret in of_rows)} |" for name, of_rows in secrets.items()]
    assert sorted(secrets) == sorted(STREAMS)
    assert [line for line in listed if line not in page] == []
