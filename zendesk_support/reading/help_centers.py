"""Help centers: each brand that has one is a parent whose rows are asked for at the brand's own host."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import msgspec
from dlt.common import logger

from zendesk_support.reading.base import Job
from zendesk_support.reading.few import FewParents
from zendesk_support.reading.lists import Listing
from zendesk_support.reading.parents import Parent
from zendesk_support.records.json_rows import Row, raw


@dataclass(frozen=True)
class HelpCenters(FewParents):
    """Every brand that has a help center."""

    path = "brands with a help center"
    title = "brands"
    names = ("id",)

    def listed_by(self, job: Job) -> Iterator[list[Parent]]:
        """Yield the help centers of each page of brands."""
        for chunk in Listing("brands", "brands").read(replace(job, base="")):
            found = (help_center(row, job) for row in chunk.rows)
            yield [center for center in found if center is not None]


def help_center(row: Row, job: Job) -> Parent | None:
    """The help center of a brand; None where it has none."""
    brand = msgspec.json.decode(msgspec.json.encode(row), type=Brand)
    if brand.has_help_center is False or brand.is_deleted is True or brand.active is False:
        return None
    base = next(filter(None, map(job.transport.allow_host, brand.addresses)), None)
    if base is None:
        logger.warning(
            f"brand {brand.id}: none of {list(brand.addresses)} is a host of this account; it gets no credentials, and "
            "its help center is left out"
        )
        return None
    title = f"the help center of brand {brand.id} ({base})"
    return Parent(base, {"id": raw(brand.id)}, title, is_certain=brand.has_help_center is True)


class Brand(msgspec.Struct):
    """What decides whether and where a brand's help center is read."""

    id: int
    brand_url: Any = None
    subdomain: Any = None
    has_help_center: Any = None
    active: Any = None
    is_deleted: Any = None

    @property
    def addresses(self) -> tuple[str, str]:
        """Where its help center may answer; `brand_url` may be a domain of the brand's own."""
        return str(self.brand_url), f"https://{self.subdomain}.zendesk.com"


HELP_CENTERS = HelpCenters()
