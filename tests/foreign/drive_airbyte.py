"""Reads an account with Airbyte's Zendesk Support source, inside its own environment.

Usage: python drive_airbyte.py JOB; the job names the address, the credentials and the file for the result.
"""

from __future__ import annotations

import json
import os
import sys
import traceback
from pathlib import Path
from typing import Any

START = "2015-01-01T00:00:00Z"
HOST = "https://simulator.zendesk.com"
KEYS = {"tags": ("name",), "attribute_definitions": ("title", "condition")}


def main(job: dict[str, Any]) -> dict[str, Any]:
    """Read every stream of a fresh connection; return the keys by stream, and what went wrong."""
    import requests

    # As on Airbyte's own platform: the cache in memory, which is the default, locks among the source's threads.
    os.environ.setdefault("REQUEST_CACHE_PATH", str(Path(job["result"]).parent))
    prepare = requests.Session.prepare_request

    def redirected(self: requests.Session, request: requests.Request) -> requests.PreparedRequest:
        request.url = request.url.replace(HOST, job["url"])
        return prepare(self, request)

    requests.Session.prepare_request = redirected  # type: ignore[method-assign]

    from airbyte_cdk.models import (
        ConfiguredAirbyteCatalog,
        ConfiguredAirbyteStream,
        DestinationSyncMode,
        SyncMode,
        Type,
    )
    from airbyte_cdk.sources.declarative.retrievers.file_uploader import DefaultFileUploader
    from source_zendesk_support import SourceZendeskSupport
    from source_zendesk_support.source import logger

    # The source downloads every attachment; the simulator has no files.
    DefaultFileUploader.upload = lambda self, record: None  # type: ignore[method-assign]
    credentials = job["credentials"]
    config = {
        "subdomain": "simulator",
        "start_date": START,
        "credentials": {
            "credentials": "api_token",
            "email": credentials["email"],
            "api_token": credentials["api_token"],
        },
        "num_workers": 4,
    }
    source = SourceZendeskSupport(catalog=None, config=config, state=None)
    streams = source.discover(logger, config).streams
    catalog = ConfiguredAirbyteCatalog(
        streams=[
            ConfiguredAirbyteStream(
                stream=stream,
                sync_mode=max(stream.supported_sync_modes, key=lambda mode: mode is SyncMode.incremental),
                destination_sync_mode=DestinationSyncMode.append,
            )
            for stream in streams
            if not job["only"] or stream.name in job["only"]
        ]
    )
    source = SourceZendeskSupport(catalog=catalog, config=config, state=None)
    found: dict[str, Any] = {each.stream.name: {"stream": each.stream.name, "keys": []} for each in catalog.streams}
    errors: dict[str, str] = {}
    try:
        for message in source.read(logger, config, catalog, None):
            if message.type is Type.RECORD:
                row, name = message.record.data, message.record.stream
                found[name]["keys"].append([row[part] for part in KEYS.get(name, ("id",))])
            elif message.type is Type.TRACE and message.trace.error:
                told = message.trace.error
                errors[str(told.stream_descriptor.name if told.stream_descriptor else "?")] = (
                    f"{told.message} {told.internal_message} {told.stack_trace}"
                )
    except Exception:
        errors.setdefault("sync", traceback.format_exc())
    return {"reads": found, "errors": errors}


if __name__ == "__main__":
    given = json.loads(Path(sys.argv[1]).read_text())
    Path(given["result"]).write_text(json.dumps(main(given)))
