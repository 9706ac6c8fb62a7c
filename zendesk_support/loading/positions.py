"""Where a stream goes on: in its state, by the name of a feed and the part of it that was read.

    {"positions": {"rows": {"all": {"at": 1767225600, …}}, "scrubs": {"all": {…}}}, "layout": 2}

A feed has its position under its own name, so that one that is added or taken out hands it to no other. A feed that is
read in parts, such as one for each of several objects, has one a part. While older time is still to be read, the layout
is the next one, which versions that know no such part refuse: they would never read it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from zendesk_support.errors import ConfigurationError
from zendesk_support.reading.base import WHOLE
from zendesk_support.reading.windows import OLDER
from zendesk_support.streams.base import Stream

POSITIONS = "positions"
LAYOUT = "layout"
BY_NAME, WITH_OLDER = 2, 3
NEWEST = WITH_OLDER


class Positions:
    """A stream's saved positions."""

    def __init__(self, state: dict[str, Any], stream: Stream) -> None:
        """Take them out of the stream's state, and keep them there; those of an earlier layout are moved.

        Raises:
            ConfigurationError: a newer version of this package has written them.
        """
        found = state.get(LAYOUT, BY_NAME if POSITIONS not in state else 1)
        if found > NEWEST:
            raise ConfigurationError(
                f"the positions of {stream.name} were saved by a newer version of this package (layout {found}, this "
                f"one knows {NEWEST}). Install that, or load the stream anew: --full-refresh --streams {stream.name}"
                f"{stream.loses}."
            )
        if found < BY_NAME:
            state[POSITIONS] = by_name(state[POSITIONS], stream)
        self._state = state
        self._saved: dict[str, dict[str, Any]] = state.setdefault(POSITIONS, {})
        self._tell_layout()

    def __contains__(self, feed: str) -> bool:
        """Whether a feed has any."""
        return bool(self._saved.get(feed))

    def of(self, feed: str, part: str = WHOLE) -> dict[str, Any]:
        """Where a part of a feed goes on; empty where it was never read."""
        return dict(self._saved.get(feed, {}).get(part, {}))

    def parts(self, feed: str) -> dict[str, dict[str, Any]]:
        """Where each part of a feed goes on."""
        return {part: dict(position) for part, position in self._saved.get(feed, {}).items()}

    def forget(self, feed: str, part: str, last: Mapping[str, Any]) -> None:
        """Take out the position of a part that is there no more; what was refused below it stays with the whole."""
        parts = self._saved.get(feed, {})
        parts.pop(part, None)
        if WHOLE in parts and (again := last.get("again")):
            parts[WHOLE]["again"] = list(dict.fromkeys((*parts[WHOLE].get("again", ()), *again)))
        self._tell_layout()

    def move(self, feed: str, position: Mapping[str, Any], part: str = WHOLE) -> None:
        """Let a part of a feed go on from there."""
        self._saved.setdefault(feed, {})[part] = dict(position)
        self._tell_layout()

    def _tell_layout(self) -> None:
        """Say which versions may go on from here."""
        self._state[LAYOUT] = WITH_OLDER if any(OLDER in parts for parts in self._saved.values()) else BY_NAME


def by_name(numbered: Mapping[str, Any], stream: Stream) -> dict[str, dict[str, Any]]:
    """Positions that were kept under the numbers of feeds, by the names that those feeds have."""
    names = {str(number): feed.name for number, feed in enumerate(stream.feeds)}
    return {names[number]: {WHOLE: position} for number, position in numbered.items() if number in names}
