"""Reads an account with one of Airbyte's Zendesk sources, inside its own environment.

Usage: python drive_airbyte.py JOB; the job names the client, the address, the credentials and the file for the result.
"""

from __future__ import annotations

import json
import logging
import os
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

START = "2015-01-01T00:00:00Z"
HOST = "https://simulator.zendesk.com"
# The simulator has no overview of agents, and no routing settings of Chat; the menus of IVRs are within their rows.
LEFT_OUT = ("agents_overview", "routing_settings", "ivr_menus", "ivr_routes")
TALK = {"addresses": "talk_addresses"}
CHAT = {"accounts": "chat_account", "chats": "chats"}


def of_support(credentials: dict[str, str]) -> tuple[Callable[[Any, dict[str, Any]], Any], dict[str, Any]]:
    """How the source of Support is made, and its own part of a configuration."""
    from airbyte_cdk.sources.declarative.retrievers.file_uploader import DefaultFileUploader
    from source_zendesk_support import SourceZendeskSupport

    # The source downloads every attachment; the simulator has no files.
    DefaultFileUploader.upload = lambda self, record: None  # type: ignore[method-assign]
    login = {"credentials": "api_token", **{name: credentials[name] for name in ("email", "api_token")}}
    return (
        lambda catalog, config: SourceZendeskSupport(catalog=catalog, config=config, state=None),
        {"credentials": login, "num_workers": 4},
    )


def of_talk(credentials: dict[str, str]) -> tuple[Callable[[Any, dict[str, Any]], Any], dict[str, Any]]:
    """The same of the source of Talk."""
    from source_zendesk_talk import SourceZendeskTalk

    login = {"auth_type": "api_token", **{name: credentials[name] for name in ("email", "api_token")}}
    return lambda catalog, config: SourceZendeskTalk(), {"credentials": login}


def of_chat(credentials: dict[str, str]) -> tuple[Callable[[Any, dict[str, Any]], Any], dict[str, Any]]:
    """The same of the source of Chat."""
    from source_zendesk_chat.source import SourceZendeskChat

    login = {"credentials": "access_token", "access_token": credentials["chat_access_token"]}
    return (
        lambda catalog, config: SourceZendeskChat(catalog=catalog, config=config, state=None),
        {"credentials": login},
    )


def redirect(url: str) -> None:
    """Send what goes to the account's host to another address."""
    import requests

    prepare = requests.Session.prepare_request

    def redirected(self: requests.Session, request: requests.Request) -> requests.PreparedRequest:
        request.url = request.url.replace(HOST, url)
        return prepare(self, request)

    requests.Session.prepare_request = redirected  # type: ignore[method-assign]


def stream_of(client: str, name: str) -> str:
    """Name a stream of Airbyte's as the simulator does."""
    if client == "airbyte_chat":
        return CHAT.get(name, f"chat_{name}")
    return TALK.get(name, name) if client == "airbyte_talk" else name


def main(job: dict[str, Any], keep: Callable[[Any], Any] = lambda row: row) -> dict[str, Any]:
    """Read every stream of a fresh connection; return by stream what is kept of its rows, and what went wrong."""
    # As on Airbyte's own platform: the cache in memory, which is the default, locks among the source's threads.
    os.environ.setdefault("REQUEST_CACHE_PATH", str(Path(job["result"]).parent))
    redirect(job["url"])

    from airbyte_cdk.models import (
        ConfiguredAirbyteCatalog,
        ConfiguredAirbyteStream,
        DestinationSyncMode,
        SyncMode,
        Type,
    )

    client, logger = job["client"], logging.getLogger("airbyte")
    parts = {"airbyte": of_support, "airbyte_talk": of_talk, "airbyte_chat": of_chat}
    make, own = parts[client](job["credentials"])
    config = {"subdomain": "simulator", "start_date": START, **own}
    catalog = ConfiguredAirbyteCatalog(
        streams=[
            ConfiguredAirbyteStream(
                stream=stream,
                sync_mode=max(stream.supported_sync_modes, key=lambda mode: mode is SyncMode.incremental),
                destination_sync_mode=DestinationSyncMode.append,
            )
            for stream in make(None, config).discover(logger, config).streams
            if stream.name not in LEFT_OUT and (not job["only"] or stream.name in job["only"])
        ]
    )
    names = [each.stream.name for each in catalog.streams]
    found: dict[str, Any] = {name: {"stream": stream_of(client, name), "rows": []} for name in names}
    errors: dict[str, str] = {}
    try:
        for message in make(catalog, config).read(logger, config, catalog, None):
            if message.type is Type.RECORD:
                found[message.record.stream]["rows"].append(keep(message.record.data))
            elif message.type is Type.TRACE and message.trace.error:
                told = message.trace.error
                descriptor = getattr(told, "stream_descriptor", None)
                errors[str(descriptor.name if descriptor else "?")] = (
                    f"{told.message} {told.internal_message} {told.stack_trace}"
                )
    except Exception:
        errors.setdefault("sync", traceback.format_exc())
    return {"reads": found, "errors": errors}


if __name__ == "__main__":
    given = json.loads(Path(sys.argv[1]).read_text())
    Path(given["result"]).write_text(json.dumps(main(given), default=str))
