"""Rows that other rows hang below, as they are listed: once a run, for the readers of all their children."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote
from zlib import crc32

import msgspec

from zendesk_support.errors import Cancelled, ContractError
from zendesk_support.records.json_rows import NULL, Row, Rows, count, is_id, quoted, seconds

DAY = 86400
REREAD_DAYS = 30
NAME = re.compile(r"(?!\.+$)[\w:.~-]+", re.ASCII)
"""A text by which a path may name a row: a key, a ULID, a UUID."""


@dataclass(frozen=True)
class Parent:
    """A row that others hang below.

    Attributes:
        base: origin of the host that its children are asked at; empty for the account's own.
        values: what the paths and the columns of its children may take of it, by name, as JSON.
        title: what a message calls it.
        updated_at: when it changed, Unix seconds; 0 where it does not say.
        made: when it was made, as Zendesk writes it; empty where it does not say.
        votes: how many it counts, and their sum.
        is_certain: Zendesk says that something hangs below it; else a refusal means that nothing does.
    """

    base: str
    values: Mapping[str, msgspec.Raw]
    title: str
    updated_at: int = 0
    votes: tuple[int, int] = (0, 0)
    is_certain: bool = True
    made: str = ""

    @classmethod
    def of(cls, row: Row, names: Iterable[str], above: Parent | None = None, path: str = "") -> Parent:
        """The parent that a row is.

        Args:
            row: of a list.
            names: columns that paths and columns below may take of it.
            above: what the row itself hangs below, whose values it hands down.
            path: of the list, for messages.

        Raises:
            ContractError: one of those columns is missing, or holds what no path may lead through.
        """
        own = {name: row.get(name, NULL).copy() for name in names}  # lest it keeps the whole answer
        for name, value in own.items():
            if not (is_id(bytes(value)) or is_name(value)):
                where = f"{path}: {name} of a row" if path else name
                raise ContractError(f"{where} is {quoted(bytes(value))}, no id; nothing of its page was loaded.")
        base, inherited = (above.base, above.values) if above is not None else ("", {})
        changed, votes = int(seconds([row], "updated_at")[0]), (count(row, "vote_count"), count(row, "vote_sum"))
        title = text_of(next(reversed(own.values())))
        made = bytes(row.get("created_at", b"")).decode().strip('"')
        return cls(base, {**inherited, **own}, title, changed, votes, made=made)

    def key(self, names: Iterable[str]) -> tuple[Any, ...]:
        """Its values of some names."""
        return tuple(msgspec.json.decode(self.values[name]) for name in names)

    def path(self, template: str) -> str:
        """A path with its values in place of `{name}`."""
        return template.format_map({name: quote(text_of(value), safe=":") for name, value in self.values.items()})

    def stamp(self, rows: Rows, named: Mapping[str, str]) -> Rows:
        """Rows with the columns that say whose they are, in front, where Zendesk does not send them.

        Args:
            rows: what hangs below it.
            named: its names, by the columns that take them.
        """
        return [
            {**{column: self.values[name] for column, name in named.items() if column not in row}, **row}
            for row in rows
        ]

    def is_due(self, last: int | None, now: int) -> bool:
        """Whether its day of `REREAD_DAYS` has come since the last pass began; times are Unix seconds."""
        if last is None:
            return False
        number = int(self.title) if self.title.isdigit() else crc32(self.title.encode())
        days = range(last // DAY + 1, now // DAY + 1)
        return len(days) >= REREAD_DAYS or any((day - number) % REREAD_DAYS == 0 for day in days)


def has_children(row: Row) -> bool:
    """Whether something may hang below a row: it does below every one."""
    return True


def is_name(value: msgspec.Raw) -> bool:
    """Whether a JSON value is a text by which a path may name a row."""
    found = msgspec.json.decode(value)
    return isinstance(found, str) and NAME.fullmatch(found) is not None


def text_of(value: msgspec.Raw) -> str:
    """A JSON value as it stands in a path."""
    return str(msgspec.json.decode(value))


class Parents:
    """The rows of one list, followed by the readers of all that hangs below them.

    Attributes:
        partial: some were left out of the list, since they did not change or were refused.
        began: the server's time when the first of them was shown, Unix seconds; None before.
    """

    def __init__(self, path: str) -> None:
        self._path = path
        self._changed = threading.Condition()
        self._listed: list[Parent] = []
        self._promised = False
        self._is_listed = False
        self.partial = False
        self.began: int | None = None
        self._ended = False
        self._error: BaseException | None = None

    def promise(self) -> None:
        """A stream of this run will list them."""
        self._promised = True

    def from_here(self) -> Parents:
        """Themselves, for who lists them; a second reader of one list shows its rows to nobody."""
        with self._changed:
            is_first, self._is_listed = not self._is_listed, True
        return self if is_first else Parents(self._path)

    def __enter__(self) -> Parents:
        return self

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        self.end(error)

    def end(self, error: BaseException | None) -> None:
        """Show no more of them, in that the list has ended or could not be read on; the first end counts."""
        if isinstance(error, GeneratorExit):
            error = ContractError(f"{self._path}: its own stream failed; nothing more is read below it.")
        with self._changed:
            if not self._ended:
                self._ended, self._error = True, error
            self._changed.notify_all()

    def add(self, parents: list[Parent], now: int) -> None:
        """Show a page of them, at a time of the server's."""
        with self._changed:
            self.began = now if self.began is None else self.began
            self._listed += parents
            self._changed.notify_all()

    @property
    def newest(self) -> int:
        """The latest change of any shown so far, Unix seconds."""
        with self._changed:
            return max((parent.updated_at for parent in self._listed), default=0)

    def each(self, listing: Callable[[], Iterator[Any]], stopped: threading.Event) -> Iterator[Parent]:
        """Follow the list to its end; without a stream that lists them, the first who follows does."""
        with self._changed:
            ours = not self._promised
            self._promised = True
        if ours:
            for _ in listing():
                pass
        shown = 0
        while True:
            with self._changed:
                while shown == len(self._listed) and not self._ended:
                    if stopped.is_set():
                        raise Cancelled
                    self._changed.wait(0.5)
                page = self._listed[shown:]
                if not page and self._error is not None:
                    raise self._error
                if not page:
                    return
            shown += len(page)
            yield from page
