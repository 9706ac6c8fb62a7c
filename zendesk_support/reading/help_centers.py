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
from zendesk_support.records.json_rows import raw

DEFAULT = "default"


@dataclass(frozen=True)
class HelpCenters(FewParents):
    """Every brand that has a help center; its `brand` is its id as a text."""

    path = "brands with a help center"
    title = "brands"
    names = ("id", "brand")

    def listed_by(self, job: Job) -> Iterator[list[Parent]]:
        """Yield the help centers of each page of brands."""
        for brands in brands_of(job):
            found = (help_center(brand, job) for brand in brands)
            yield [center for center in found if center is not None]


class OneHelpCenter(HelpCenters):
    """That of the default brand, or else of the first brand that has one: for what the account has only once."""

    path = "the help center of the default brand"
    each = path

    def listed_by(self, job: Job) -> Iterator[list[Parent]]:
        """Yield it, from the list of all help centers, which is asked for once a run."""
        shown = job.shared.parents(HELP_CENTERS.path)
        centers = shown.each(lambda: HELP_CENTERS.read(job), job.transport.stopped)
        yield sorted(centers, key=lambda center: bytes(center.values[DEFAULT]) != b"true")[:1]


def brands_of(job: Job) -> Iterator[list[Brand]]:
    """The brands of each page of their list."""
    for chunk in Listing("brands", "brands").read(replace(job, base="")):
        yield [msgspec.json.decode(msgspec.json.encode(row), type=Brand) for row in chunk.rows]


def help_center(brand: Brand, job: Job) -> Parent | None:
    """The help center of a brand; None where it has none."""
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
    values = {"id": raw(brand.id), "brand": raw(str(brand.id)), DEFAULT: raw(bool(brand.default))}
    return Parent(base, values, title, is_certain=brand.has_help_center is True)


class Brand(msgspec.Struct):
    """What decides whether and where a brand's help center is read."""

    id: int
    brand_url: Any = None
    subdomain: Any = None
    has_help_center: Any = None
    default: Any = None
    active: Any = None
    is_deleted: Any = None

    @property
    def addresses(self) -> tuple[str, str]:
        """Where its help center may answer; `brand_url` may be a domain of the brand's own."""
        return str(self.brand_url), f"https://{self.subdomain}.zendesk.com"


HELP_CENTERS = HelpCenters()
ONE_HELP_CENTER = OneHelpCenter()
