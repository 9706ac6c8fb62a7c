"""Lists that are asked for many rows of another list at a time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

import msgspec

from zendesk_support.api.limits import Limit
from zendesk_support.api.rate_limiter import Priority
from zendesk_support.error_messages import first_of
from zendesk_support.errors import ContractError
from zendesk_support.reading.base import Chunk, Endpoint, Job
from zendesk_support.reading.lists import Listing
from zendesk_support.reading.parallel import IN_PLACE, Answers, FanOut
from zendesk_support.reading.parents import Parent, text_of
from zendesk_support.records.json_rows import NULL, Rows, quoted, raw

MEMBERS = "members"


@dataclass(frozen=True)
class InBatches(Endpoint):
    """A list that must be told whose rows it is to give, so many parents a request, such as the skills of agents.

    The parents are listed whole by each sync, and so is what the child has of them: differences are written. Rows of
    parents that were not asked for are left out. Where a batch is refused and others are answered, its rows stay.

    Attributes:
        parents: what lists them; it is no stream of its own.
        child: the list.
        named: the child's column that says whose a row is, and the parent's value that it has.
        told_by: the parameter that takes the parents' values, joined by commas.
        size: how many it takes.
    """

    parents: Listing
    child: Listing
    named: Mapping[str, str]
    told_by: str
    size: int = 100
    path: str = field(init=False)
    snapshot = True
    is_shared = False
    fans_out = True
    title = "list in batches of parents, differences written"

    def __post_init__(self) -> None:
        object.__setattr__(self, "path", self.child.path)

    @property
    def listed(self) -> str:
        """What the child's rows are."""
        return self.child.rows

    @property
    def cost(self) -> str:
        """How many requests a sync takes, in a few words."""
        return f"{self.parents.cost} of {self.parents.rows}, and 1 for {self.size} of them"

    @property
    def limits(self) -> tuple[Limit, ...]:
        """Those of the parents and of the child."""
        return tuple(dict.fromkeys((*self.parents.limits, *self.child.limits)))

    @property
    def compared(self) -> tuple[str, ...]:
        """Whose a row is."""
        return tuple(self.named)

    @property
    def depth(self) -> int:
        """One more than a list's."""
        return 1

    @property
    def kinds(self) -> tuple[type, ...]:
        """What it is made of."""
        return (type(self), *self.parents.kinds, *self.child.kinds)

    def probe(self, job: Job) -> None:
        """Ask for what the first parent has."""
        pages = self.parents.pages(job, self.parents.path, enough=lambda page: bool(page.rows))
        ids = [id for page, _ in pages for id in self._ids(page.rows)]
        if ids:
            replace(self.child, params={**self.child.params, self.told_by: text_of_ids(ids[:1])}).probe(job)

    def read(self, job: Job) -> Iterator[Chunk]:
        """Yield what each batch of parents has."""
        (column,) = self.named
        answers = Answers(
            FanOut(job.pools, self.child.limits[-1].name, job.transport.at_once()),
            lambda batch: self._rows_of(job, batch),
        )
        others: Rows = []
        has_own = False
        for batch, rows in answers.of(self._batches(job)):
            own, strange = self._parted(batch, rows)
            has_own |= bool(own)
            others = others or strange
            yield Chunk(own)
        self._tell_others(job, others, alone=not has_own)
        if answers.refused:
            job.note(f"{self.path}: {answers.told()}; their rows stay as they are")
        if job.diff:
            job.diff.keep((column,), [(id,) for batch in answers.refused for id in members_of(batch)])
        yield Chunk([], complete=True)

    def _batches(self, job: Job) -> Iterator[Parent]:
        """The parents as they are listed, in batches of the size."""
        waiting: list[int | str] = []
        for chunk in self.parents.chunks(replace(job, diff=None), self.parents.path):
            waiting += self._ids(chunk.rows)
            while len(waiting) >= self.size:
                yield batch_of(waiting[: self.size])
                waiting = waiting[self.size :]
        if waiting:
            yield batch_of(waiting)

    def _ids(self, rows: Rows) -> list[int | str]:
        names = tuple(self.named.values())
        return [Parent.of(row, names).key(names)[0] for row in rows]

    def _rows_of(self, job: Job, batch: Parent) -> Rows:
        """What the parents of a batch have.

        Raises:
            ContractError: a row does not say whose it is.
        """
        (column,) = self.named
        ids = members_of(batch)
        below = replace(job, priority=Priority.CHILDREN, pools=IN_PLACE)
        pages = self.child.pages(below, self.path, {self.told_by: text_of_ids(ids)})
        rows = [row for page, _ in pages for row in page.rows]
        if any(bytes(row.get(column, NULL)) == b"null" for row in rows):
            raise ContractError(f"{self.path}: a row has no {column}; nothing of its batch was loaded.")
        return rows

    def _parted(self, batch: Parent, rows: Rows) -> tuple[Rows, Rows]:
        """Those of some rows that are of a parent of the batch, which they name as it is, and the others."""
        (column,) = self.named
        asked = {str(id): raw(id) for id in members_of(batch)}
        names = [asked.get(text_of(row[column])) for row in rows]
        own = [{**row, column: name} for row, name in zip(rows, names) if name is not None]
        return own, [row for row, name in zip(rows, names) if name is None]

    def _tell_others(self, job: Job, others: Rows, *, alone: bool) -> None:
        """Say that rows came of parents that were not asked for.

        Raises:
            ContractError: no others came.
        """
        if others and alone:
            (column,) = self.named
            raise ContractError(
                f"{self.path}: no row came of those that {self.told_by} names, but others did; the first has {column} "
                f"{quoted(bytes(others[0][column]))}. Nothing was loaded or removed."
            )
        if others:
            job.note(f"{self.path}: rows came of others than {self.told_by} names, and are left out")


def batch_of(ids: list[int | str]) -> Parent:
    """Some parents as one that is asked for."""
    return Parent("", {MEMBERS: raw(ids)}, first_of(list(map(str, ids)), 1))


def members_of(batch: Parent) -> list[int | str]:
    """The parents of a batch."""
    return msgspec.json.decode(batch.values[MEMBERS], type=list[int | str])


def text_of_ids(ids: list[int | str]) -> str:
    """Parents as a parameter takes them."""
    return ",".join(map(str, ids))
