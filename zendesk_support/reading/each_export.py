"""An incremental export of each row of a list: each has a position of its own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from zendesk_support.api.limits import Limit
from zendesk_support.errors import UnavailableError
from zendesk_support.reading.base import ANSWERED_WITHIN, Chunk, Endpoint, Job, Position
from zendesk_support.reading.exports import CursorExport
from zendesk_support.reading.lists import Listing
from zendesk_support.reading.parents import DAY, Parent
from zendesk_support.records.json_rows import raw

MARGIN = DAY


@dataclass(frozen=True)
class EachExport(Endpoint):
    """An incremental export by cursor of each row of a list, such as the records of each custom object.

    A parent that is new is read from its beginning. One that was read before and is listed no longer is asked for all
    the same: if it is not found, what the table has of it is removed; if it is refused, its rows stay. One whose last
    pass lies further back than Zendesk tells of deletions is read anew, and so is one that was made anew; the position
    stays until that pass is complete, and what it does not list is removed.

    Attributes:
        parents: what lists them.
        export: of one, with `{name}` in its path for a value of the parent.
        named: the column that says whose a row is, and the parent's value that it has.
        days: for how long Zendesk tells of a deletion.
    """

    parents: Listing
    export: CursorExport
    named: Mapping[str, str]
    days: int
    path: str = field(init=False)
    is_parted = True
    title = "export (cursor) of each parent"

    def __post_init__(self) -> None:
        object.__setattr__(self, "path", self.export.path)

    @property
    def limits(self) -> tuple[Limit, ...]:
        """Those of the list and of the export."""
        return tuple(dict.fromkeys((*self.parents.limits, *self.export.limits)))

    @property
    def cost(self) -> str:
        """How many requests a sync takes, in a few words."""
        return f"{self.export.cost}, at least 1 for {self.parents.each}"

    @property
    def kinds(self) -> tuple[type, ...]:
        """What it is made of."""
        return (type(self), *self.export.kinds)

    @property
    def marks_end(self) -> bool:
        """Whether each export does."""
        return self.export.marks_end

    @property
    def is_shared(self) -> bool:
        """Not, since one stream's parts are its own."""
        return False

    @property
    def part_column(self) -> str:
        """The column that says whose a row is."""
        return next(iter(self.named))

    @property
    def depth(self) -> int:
        """One more than the list's."""
        return self.parents.depth + 1

    def probe(self, job: Job) -> None:
        """List the parents, and ask for one row of the first."""
        shown = job.shared.parents(self.parents.path)
        for parent in shown.each(lambda: self.parents.read(job), job.transport.stopped):
            replace(self.export, path=parent.path(self.path)).probe(job)
            break

    def read(self, job: Job) -> Iterator[Chunk]:
        """Yield the export of each parent, one after the other: they share one limit.

        Raises:
            UnavailableError: all parents are refused.
        """
        listed: set[str] = set()
        refused: list[tuple[Parent, UnavailableError]] = []
        answered = False
        shown = job.shared.parents(self.parents.path)
        unknown = replace(job, diff=None, held=0)
        for parent in shown.each(lambda: self.parents.read(unknown), job.transport.stopped):
            listed.add(parent.title)
            try:
                yield from self._of(parent, job)
                answered = True
            except UnavailableError as error:
                refused.append((parent, error))
        if refused and not answered:
            raise refused[0][1]
        (name,) = self.named.values()
        for part in sorted(job.parts.keys() - listed):
            parent = Parent("", {name: raw(part)}, part)
            try:
                yield from self._of(parent, job)
            except UnavailableError as error:
                if error.is_gone:
                    yield Chunk([], part=part, lists_part=True, is_gone=True, complete=True)
                else:
                    refused.append((parent, error))
        for parent, refusal in refused:
            why = "listed, yet not found (404); its rows stay until it is listed no more"
            why = why if refusal.is_gone else f"refused, its rows stay as they are ({refusal})"
            job.note(f"{parent.path(self.path)}: {why}")
        yield Chunk([], complete=not refused)

    def _of(self, parent: Parent, job: Job) -> Iterator[Chunk]:
        """The export of one parent, from its position on."""
        saved = job.parts.get(parent.title)
        start = Position(job.position.at)
        position = Position.of(saved, start.at) if saved else start
        began = job.now() - ANSWERED_WITHIN
        made = parent.made or position.made
        is_anew = bool(saved) and self._is_lost(position, made, began)
        export = replace(self.export, path=parent.path(self.path))
        part = replace(job, position=start if is_anew else position)
        for chunk in export.read(part):
            rows = parent.stamp(chunk.rows, self.named)
            chunk = replace(chunk, rows=rows, part=parent.title, made=made, lists_part=is_anew)
            chunk.at = chunk.at if chunk.complete or not is_anew else None
            chunk.began = began if chunk.complete else position.began or began
            yield chunk

    def _is_lost(self, position: Position, made: str | None, now: int) -> bool:
        """Whether the export from a position on would leave out deletions."""
        last = position.began or 0
        is_other = position.made is not None and made != position.made
        return is_other or now - last > self.days * DAY - MARGIN
