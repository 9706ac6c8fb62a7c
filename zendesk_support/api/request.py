"""What is asked of Zendesk, what it has cost, and what stands in its way."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import msgspec

from zendesk_support.api.limits import ACCOUNT, Limit
from zendesk_support.api.rate_limiter import Priority


@dataclass(frozen=True)
class Request:
    """One GET.

    Attributes:
        url: a path of the account's API, or a full `next` link.
        limits: that count it.
        route: its name in messages; requests of one route share the limits that answers name.
        shrinkable: a page that Zendesk cannot build in time (504, 524) is the caller's to make smaller.
        confirm_refusal: a refusal is asked about once more, as the page before this one came.
        priority: who goes first of those that wait for quota.
        reached: among those of one priority, the time that an export has reached, Unix seconds; the lowest goes first.
    """

    url: str
    params: Mapping[str, str | int | list[str]] = field(default_factory=dict)
    limits: tuple[Limit, ...] = (ACCOUNT,)
    route: str = ""
    shrinkable: bool = False
    confirm_refusal: bool = False
    priority: Priority = Priority.LIST
    reached: int = 0


@dataclass(frozen=True)
class Trouble:
    """Why a request is asked again.

    Attributes:
        reason: what Zendesk said, or why there was no answer.
        since: when it first went wrong, and
        until: when it is given up, both in seconds of the account's clock.
    """

    reason: str
    since: float
    until: float


@dataclass
class Usage:
    """What a stream has cost so far, and what keeps its request from an answer.

    Attributes:
        requests: sent.
        waited: seconds for permits and retries.
        retries: requests sent again after a failure.
        trouble: of the request under way; None where it has none.
    """

    requests: int = 0
    waited: float = 0.0
    retries: int = 0
    trouble: Trouble | None = None


class Me(msgspec.Struct):
    """Who the credentials belong to; wrong ones are answered 200 with an anonymous user."""

    id: int | None = None
    role: str | None = None


class MeAnswer(msgspec.Struct):
    """The answer of `/users/me`."""

    user: Me


WHO_AM_I = Request("/api/v2/users/me", route="users/me")
read_me = msgspec.json.Decoder(MeAnswer).decode
