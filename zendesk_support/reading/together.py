"""Several lists whose rows are of one kind, and stand in one table: the followers of sections and of topics."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from zendesk_support.api.limits import Limit
from zendesk_support.errors import UnavailableError
from zendesk_support.reading.base import Chunk, Endpoint, Job
from zendesk_support.reading.below import Below
from zendesk_support.records.json_rows import raw


@dataclass(frozen=True)
class Together(Endpoint):
    """Lists read one after the other, and compared with one table.

    One that is refused is left out while others answer, and its rows stay.

    Attributes:
        path: what the rows are, in a few words.
        column: that tells the lists apart; ours, whatever Zendesk sends in it.
        lists: by what that column holds for their rows.
    """

    path: str
    column: str
    lists: Mapping[str, Below]
    snapshot = True
    is_shared = False
    fans_out = True

    @property
    def title(self) -> str:
        """How it is read, in a few words."""
        return "one request a parent, differences written"

    @property
    def cost(self) -> str:
        """How many requests a sync takes, in a few words."""
        each = [below.parents.each.removeprefix("each row of ") for below in self.lists.values()]
        return f"1 for each row of {', '.join(each[:-1])} and {each[-1]}"

    @property
    def limits(self) -> tuple[Limit, ...]:
        """Those of all lists."""
        return tuple(dict.fromkeys(limit for below in self.lists.values() for limit in below.limits))

    @property
    def compared(self) -> tuple[str, ...]:
        """Which list a row is of, and whose it is."""
        return (self.column, *dict.fromkeys(name for below in self.lists.values() for name in below.compared))

    @property
    def depth(self) -> int:
        """That of the deepest list."""
        return max(below.depth for below in self.lists.values())

    @property
    def kinds(self) -> tuple[type, ...]:
        """What it is made of."""
        return (type(self), *(kind for below in self.lists.values() for kind in below.kinds))

    def probe(self, job: Job) -> None:
        """Ask for each list, below one parent; as in a pass, one that is refused is left out while others answer.

        Raises:
            UnavailableError: all are refused.
        """
        refused: list[UnavailableError] = []
        for below in self.lists.values():
            try:
                below.probe(job)
            except UnavailableError as error:
                refused.append(error)
        if len(refused) == len(self.lists):
            raise refused[0]

    def read(self, job: Job) -> Iterator[Chunk]:
        """Yield the rows of each list."""
        refused: dict[str, UnavailableError] = {}
        for name, below in self.lists.items():
            try:
                for chunk in below.read(job):
                    yield Chunk([{**row, self.column: raw(name)} for row in chunk.rows])
            except UnavailableError as error:
                refused[name] = error
        if len(refused) == len(self.lists):
            raise next(iter(refused.values()))
        for name, refusal in refused.items():
            if job.diff:
                job.diff.keep((self.column,), [(name,)])
            job.note(f"{self.path}, {name}: left out, its rows stay: {refusal}")
        yield Chunk([], complete=True)
