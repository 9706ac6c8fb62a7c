"""Rows that a list gives within its own rows where it is asked to, such as the translations within articles."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import msgspec
import numpy as np

from zendesk_support.api.rate_limiter import Priority
from zendesk_support.errors import ContractError, UnavailableError, ZendeskError
from zendesk_support.reading.base import Job
from zendesk_support.reading.included import Included
from zendesk_support.reading.parallel import IN_PLACE, Answers, FanOut
from zendesk_support.reading.parents import Parent
from zendesk_support.records.json_rows import NULL, Page, Row, Rows, quoted, seconds

Pages = Callable[[Job, str], Iterator[tuple[Page, str | None]]]
"""Walks the pages of a path."""

_objects: msgspec.json.Decoder[Any] = msgspec.json.Decoder(list[Row] | None)


@dataclass(frozen=True)
class Embedded:
    """What may stand within the rows of a list.

    Attributes:
        name: what `include` asks for, and the member of a row that holds them.
        path: of the list that each row has of them, with `{id}` of the row.
        column: theirs, that names the row.
        is_dated: those of rows that did not change since `start_date` are left out.
    """

    name: str
    path: str
    column: str
    is_dated: bool = False


class Side(list[Row]):
    """Rows that stood within others.

    Attributes:
        error: why some could not be read: that of the streams that take them, and of no other.
    """

    def __init__(self, rows: Iterable[Row] = (), error: Exception | None = None) -> None:
        super().__init__(rows)
        self.error = error

    def stamped(self, parent: Parent, named: Mapping[str, str]) -> Side:
        """The rows with the columns that say whose they are."""
        return Side(parent.stamp(self, named), self.error)


class Pass:
    """Takes what is embedded out of the rows of one pass; rows that lack it are asked for it, one request each.

    A row whose own list is refused keeps what the table has of it. Where all are, `Included.refusal` says it.
    """

    def __init__(self, embedded: Embedded, job: Job, pages: Pages, limit: str) -> None:
        """Begin.

        Args:
            embedded: what is taken out.
            job: of the list that the rows are of.
            pages: walks the list that a row has of them,
            limit: and the name of what counts the requests for it.
        """
        self._embedded, self._job = embedded, replace(job, pools=IN_PLACE, priority=Priority.CHILDREN)
        self._pages = pages
        self._diffs = job.embedded.get(embedded.name, ())
        self._error: Exception | None = None
        self._is_refused = False
        self._came = job.included.setdefault(embedded.name, Included())
        pool = FanOut(job.pools, limit, job.transport.at_once())
        self._answers = Answers(pool, self._asked)

    def of(self, rows: Rows) -> Side:
        """What stands within some rows, from which it is taken out; nothing where nobody wants it."""
        held = [row.pop(self._embedded.name, NULL) for row in rows]
        if not self._diffs or self._error is not None:
            return Side(error=self._error)
        try:
            found = Side(self._found(*self._wanted(rows, held)))
        except ZendeskError as error:
            self._error = error
            return Side(error=error)
        self._came.has_rows |= bool(found)
        return found

    def _wanted(self, rows: Rows, held: list[msgspec.Raw]) -> tuple[Rows, list[msgspec.Raw]]:
        """The rows, and what stands in them, less those that are left out, of which the table keeps what it has."""
        if not self._embedded.is_dated:
            return rows, held
        times = seconds(rows, "updated_at")
        is_old = (times > 0) & (times < self._job.settings.start)
        self._keep([Parent.of(rows[i], ("id",)) for i in np.flatnonzero(is_old)])
        wanted = np.flatnonzero(~is_old)
        return [rows[i] for i in wanted], [held[i] for i in wanted]

    def _found(self, rows: Rows, held: list[msgspec.Raw]) -> Rows:
        found: Rows = []
        lacking: list[Parent] = []
        for row, value in zip(rows, held):
            within = self._decoded(row, value)
            found += within
            if not within:  # each has one at least, that of its own language: an empty list is doubted as well
                lacking.append(Parent.of(row, ("id",)))
        return found + self._asked_for(lacking)

    def _asked_for(self, lacking: list[Parent]) -> Rows:
        """What rows give in answers of their own."""
        if self._is_refused:
            self._keep(lacking)
            return []
        before = len(self._answers.refused)
        found: Rows = []
        try:
            found += [row for _, below in self._answers.of(lacking) for row in below]
        except UnavailableError as error:
            self._is_refused = True
            self._keep(lacking)
            self._came.refusal = error
        if refused := self._answers.refused[before:]:
            self._keep(refused)
            self._came.note(f"{self._embedded.path}: {self._answers.told()}; their rows stay as they are")
        return found

    def _decoded(self, row: Row, value: msgspec.Raw) -> Rows:
        try:
            return _objects.decode(value) or []
        except msgspec.ValidationError as error:
            raise ContractError(
                f"{self._embedded.name} of the row with id {quoted(bytes(row.get('id', NULL)))} of an answer "
                f"are no list of objects ({error}); nothing of its page was loaded."
            ) from error

    def _asked(self, parent: Parent) -> Rows:
        pages = self._pages(self._job, parent.path(self._embedded.path))
        return [row for page, _ in pages for row in parent.stamp(page.rows, {self._embedded.column: "id"})]

    def _keep(self, parents: list[Parent]) -> None:
        for diff in self._diffs:
            diff.keep((self._embedded.column,), [parent.key(("id",)) for parent in parents])
