"""Few rows of another list that paths of other endpoints name: nobody reads them but what hangs below them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from zendesk_support.reading.base import Chunk, Endpoint, Job
from zendesk_support.reading.parents import Parent


@dataclass(frozen=True)
class FewParents(Endpoint):
    """Parents that are no stream of their own; listed once a run."""

    cost = "1"
    limits = ()
    snapshot = True
    is_few = True

    def listed_by(self, job: Job) -> Iterator[list[Parent]]:
        """Yield them as they are listed."""
        raise NotImplementedError

    def read(self, job: Job) -> Iterator[Chunk]:
        """Show them to what hangs below them."""
        with job.shared.parents(self.path).from_here() as shown:
            for parents in self.listed_by(job):
                shown.add(parents, job.now())
        yield Chunk([], complete=True)

    def promise(self, shared: Any) -> None:
        """Nobody reads them but what hangs below them."""

    def give_up(self, shared: Any, error: BaseException) -> None:
        """Nobody but those can give them up."""
