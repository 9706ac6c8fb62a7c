"""Streams that share a limit of Zendesk, for schedulers that give each such group a task of its own."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from zendesk_support.api.limits import ACCOUNT
from zendesk_support.streams import CATALOGUE
from zendesk_support.streams.base import Stream
from zendesk_support.streams.selection import default_streams, selected


def by_limit(
    words: Collection[str] | None = None, catalogue: Mapping[str, Stream] = CATALOGUE
) -> dict[str, tuple[str, ...]]:
    """Put streams into groups so that no limit but the account's own counts requests of two of them.

    A stream belongs with every other that one of its feeds shares a limit with, whatever the settings choose among its
    feeds; streams that only the account's limit counts are a group too.

    Args:
        words: streams and families to load, such as `["default", "custom_objects"]`; the default set where it is None.
        catalogue: streams by name.

    Returns:
        Names of streams by group. A group is named after the first of its limits, such as `incremental_exports`.
    """
    groups: list[tuple[list[str], list[str]]] = []
    wanted = default_streams() if words is None else selected(words)
    for name, stream in catalogue.items():
        if name in CATALOGUE and name not in wanted:
            continue
        limits = [limit for limit in limits_of(stream) if limit != ACCOUNT.name] or [ACCOUNT.name]
        shared = [group for group in groups if not set(limits).isdisjoint(group[0])]
        groups = [group for group in groups if group not in shared]
        merged = [limit for group in shared for limit in group[0]] + limits
        groups.append((list(dict.fromkeys(merged)), [member for group in shared for member in group[1]] + [name]))
    return {limits[0].replace(" ", "_"): tuple(names) for limits, names in groups}


def limits_of(stream: Stream) -> list[str]:
    """Names of the limits that count a stream's requests, with those of feeds that settings may choose."""
    feeds = [*stream.feeds, *(feed for chosen in stream.variants.values() for feed in chosen)]
    return list(dict.fromkeys(bucket.name for feed in feeds for bucket in feed.endpoint.limits))


def is_dated(stream: Stream) -> bool:
    """Whether `start_date` limits its rows: facts, and what hangs below articles and posts. All else loads whole."""
    within = stream.feeds[0].embedded
    return stream.fact or stream.feeds[0].endpoint.is_dated or (within is not None and within.is_dated)
