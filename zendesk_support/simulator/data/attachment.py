"""Attachments of any row."""

from __future__ import annotations

from typing import Any

from zendesk_support.simulator.data.world import FIRST_ID, HOST, STEP, World


def attachment(world: World, number: int, name: str, kind: str, size: int) -> dict[str, Any]:
    """Make an attachment object."""
    rid = FIRST_ID["attachments"] + (number + 1) * STEP
    return {
        "url": f"{HOST}/api/v2/attachments/{rid}.json",
        "id": rid,
        "file_name": name,
        "content_url": f"{HOST}/attachments/token/t{world.mix(number, 16)}/?name={name}",
        "mapped_content_url": f"{HOST}/attachments/token/t{world.mix(number, 16)}/?name={name}",
        "content_type": kind,
        "size": size,
        "width": None,
        "height": None,
        "inline": False,
        "deleted": False,
        "malware_access_override": False,
        "malware_scan_result": "malware_not_found",
        "thumbnails": [],
    }
