"""Reads an account with dlt's verified sources for Zendesk, which ingestr carries, inside an environment of its own.

Usage: python drive_ingestr.py JOB; the job names the addresses, the credentials and the file for the result.
"""

from __future__ import annotations

import json
import os
import sys
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import Any

START = "2015-01-01T00:00:00Z"
HOSTS = {"https://simulator.zendesk.com": "url", "https://www.zopim.com": "chat_url"}
STREAMS = {
    "activities": "ticket_activities",
    "addresses": "talk_addresses",
    "calls_incremental": "calls",
    "legs_incremental": "call_legs",
}
# Zendesk's documentation has no such list of calls; the simulator has no settings of Talk, and no requests of a user.
LEFT_OUT = ("calls", "settings", "requests")


def redirect(job: dict[str, Any]) -> None:
    """Send what goes to Zendesk's hosts to the simulator's."""
    import requests

    prepare = requests.Session.prepare_request

    def redirected(self: requests.Session, request: requests.Request) -> requests.PreparedRequest:
        for host, name in HOSTS.items():
            request.url = request.url.replace(host, job[name])
        return prepare(self, request)

    requests.Session.prepare_request = redirected  # type: ignore[method-assign]


def end_repetitions() -> None:
    """Stop at a page that only repeats the one before: the source asks for Talk's last second for ever."""
    from ingestr.src.zendesk.helpers.talk_api import ZendeskAPIClient

    get_pages = ZendeskAPIClient.get_pages

    def ending(self: Any, *args: Any, **more: Any) -> Iterator[Any]:
        last = None
        for page in get_pages(self, *args, **more):
            if page == last:
                return
            yield page
            last = page

    ZendeskAPIClient.get_pages = ending


def main(job: dict[str, Any]) -> dict[str, Any]:
    """Read every resource; return the rows by resource, and what went wrong."""
    os.environ["RUNTIME__DLTHUB_TELEMETRY"] = "false"
    redirect(job)
    end_repetitions()
    from ingestr.src.zendesk import zendesk_chat, zendesk_support, zendesk_talk
    from ingestr.src.zendesk.helpers.credentials import ZendeskCredentialsOAuth, ZendeskCredentialsToken

    given = job["credentials"]
    account = ZendeskCredentialsToken()
    account.subdomain, account.email, account.token = "simulator", given["email"], given["api_token"]
    chat = ZendeskCredentialsOAuth()
    chat.subdomain, chat.oauth_token = "simulator", given["chat_access_token"]
    found: dict[str, Any] = {}
    errors: dict[str, str] = {}
    sources = (
        zendesk_talk(account, start_date=START),
        zendesk_chat(chat, start_date=START),
        zendesk_support(account, pivot_ticket_fields=False, start_date=START),
    )
    for source in sources:
        for name, resource in source.resources.items():
            if name in LEFT_OUT or (job["only"] and name not in job["only"]):
                continue
            try:
                found[name] = {"stream": STREAMS.get(name, name), "rows": list(resource)}
            except Exception:
                errors[name] = traceback.format_exc()
    return {"reads": found, "errors": errors}


if __name__ == "__main__":
    given = json.loads(Path(sys.argv[1]).read_text())
    Path(given["result"]).write_text(json.dumps(main(given), default=str))
