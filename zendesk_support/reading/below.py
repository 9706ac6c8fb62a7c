"""Rows that hang below other rows: comments below articles, audits below tickets, articles below a brand."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from string import Formatter
from typing import Any

from zendesk_support.api.limits import Limit
from zendesk_support.api.rate_limiter import Priority
from zendesk_support.errors import ContractError, UnavailableError
from zendesk_support.reading.base import ANSWERED_WITHIN, Chunk, Endpoint, Job, Position
from zendesk_support.reading.embedded import Side
from zendesk_support.reading.first import first_below
from zendesk_support.reading.known import KnownParents
from zendesk_support.reading.lists import Listing
from zendesk_support.reading.page_size import EXPORT_PAGE
from zendesk_support.reading.parallel import IN_PLACE, Answers, FanOut
from zendesk_support.reading.parents import DAY, Parent, Parents, has_children, text_of
from zendesk_support.reading.shown_pass import Wanted
from zendesk_support.records.json_rows import NULL, Row, Rows, raw, seconds
from zendesk_support.warehouse.snapshot import SnapshotDiff

MOST_REFUSED = 1000
MOST_ALONE = 20_000
"""Refused parents that a position keeps, to be asked for again: 200 KB of state."""
SEVERAL = 10
"""Refusals after which nobody is thought to be allowed, below an export: a pass may have brought a single parent."""


@dataclass(frozen=True)
class Below(Endpoint):
    """A list below each row of another endpoint.

    The state is that of the parents. Below a list, each sync compares with the table, and rows whose parent was not
    read stay; below an export, only the parents that it brings are asked, and the position is the export's.

    Attributes:
        parents: what lists the parents.
        child: what is asked of each; `{name}` in its path is a value of the parent, or of what that hangs below.
        named: by the column of a child that says whose it is, the parent's value that it has; none below one parent.
        counted: read only parents whose `vote_count` or `vote_sum` differs from the votes at the destination.
        is_dated: parents that did not change since `start_date` are left out, and those that did not since the last
            pass where `help_center_children = "changed"`.
        is_since_start: parents that did not change since `start_date` are left out, and no others.
        is_long: a parent may have any number of rows, so that they are read one parent after the other, page by page.
        asked: which rows of an export may have children.
        refused_alone: below an export, a refusal may be about one parent: it is asked for again once a day, one that
            is not found (404) not.
        named_again: the time of an export's rows that name one parent again and again: it is asked for once a pass.
        compares: below an export, rows are compared with the table's, since each parent gives all it has every time.
        is_fixed: what a parent has, changes only with the parent: those that did not change since the last pass are
            left out. One that the last pass did not list is read whatever its time, here as in `is_dated`.
        is_shared_out: a row may come below several parents; it is taken below the one that it names itself.
    """

    parents: Endpoint
    child: Listing
    named: Mapping[str, str]
    counted: bool = False
    is_dated: bool = False
    is_since_start: bool = False
    is_long: bool = False
    asked: Callable[[Row], bool] = has_children
    refused_alone: bool = False
    named_again: str = ""
    compares: bool = False
    is_fixed: bool = False
    is_shared_out: bool = False
    path: str = field(init=False)

    def __post_init__(self) -> None:
        wanted = {*self.named.values(), *filter(None, (name for _, name, _, _ in Formatter().parse(self.child.path)))}
        if unknown := sorted(wanted - {*self.parents.handed_down}):
            raise TypeError(f"{self.child.path}: {unknown[0]} is none of what {self.parents.path} hands down")
        object.__setattr__(self, "path", self.child.path)

    @property
    def title(self) -> str:
        """How it is read, in a few words."""
        if not self.parents.snapshot:
            return f"one request for each row of {self.parents.title}"
        return f"{'whole list per brand' if self.is_long else 'one request a parent'}, differences written"

    @property
    def listed(self) -> str:
        """What the child's rows are."""
        return self.child.rows

    @property
    def cost(self) -> str:
        """How many requests a sync takes, in a few words."""
        if self.is_long:
            return f"{self.child.cost} of each help center"
        if self.is_fixed:
            return f"1 for each changed row of {self.parents.listed}"
        return f"1 for {self.parents.each}" + (" with other votes" if self.counted else "")

    @property
    def limits(self) -> tuple[Limit, ...]:
        """Those of the parents and of what hangs below them."""
        return tuple(dict.fromkeys((*self.parents.limits, *self.child.limits)))

    @property
    def snapshot(self) -> bool:
        """Whether the parents are listed whole."""
        return self.parents.snapshot

    @property
    def is_shared(self) -> bool:
        """Not where it goes by what one stream's table has."""
        return not self.snapshot or self.is_long

    @property
    def digested(self) -> bool:
        """Whether rows are compared with the table's."""
        return self.snapshot or self.compares

    @property
    def compared_below(self) -> str | None:
        """Below an export, the column that says whose a row is."""
        return next(iter(self.named)) if self.compares else None

    @property
    def compared(self) -> tuple[str, ...]:
        """Whose a row is, and the vote to compare sums with."""
        if not self.snapshot:
            return ()
        return (*self.named, "value") if self.counted else tuple(self.named)

    @property
    def names(self) -> tuple[str, ...]:
        """The child's."""
        return self.child.names

    @property
    def handed_down(self) -> tuple[str, ...]:
        """The child's names, and the columns that say whose it is."""
        return (*self.named, *self.names)

    @property
    def is_export(self) -> bool:
        """Whether its parents are those of an export."""
        return self.parents.is_export

    @property
    def marks_end(self) -> bool:
        """Whether the export of its parents does."""
        return self.parents.marks_end

    @property
    def fans_out(self) -> bool:
        """Whether many parents are asked."""
        return not self.is_long

    @property
    def depth(self) -> int:
        """One more than a list's; an export is read by itself."""
        return self.parents.depth + 1 if self.snapshot else 0

    @property
    def kinds(self) -> tuple[type, ...]:
        """What it is made of."""
        return (type(self), *(() if self.snapshot else self.parents.kinds), *self.child.kinds)

    def every(self) -> Endpoint:
        """The same, whatever the parents count."""
        return replace(self, counted=False, is_fixed=False) if self.counted or self.is_fixed else self

    def probe(self, job: Job) -> None:
        """Ask for one parent, and below a list for one row of what it has."""
        self.first(job)

    def first(self, job: Job, path: str = "", above: Parent | None = None) -> Parent | None:
        """As `probe`; the row, for what hangs below it."""
        return first_below(job, self.parents, self.child, self._parents, self._as_parent)

    def read(self, job: Job) -> Iterator[Chunk]:
        """Yield what hangs below each parent that needs reading, and show it to what hangs below that."""
        if not self.parents.snapshot:
            yield from self.below(job, self.parents_of(job))
        elif self.is_long:
            yield from self._page_by_page(job)
        else:
            yield from self._side_by_side(job)

    def _parents(self, job: Job) -> Iterator[Parent]:
        """The parents as they are listed, by their own stream or by us."""
        unknown = replace(job, diff=None, held=0, diffs=[], embedded={})
        return job.shared.parents(self.parents.path).each(lambda: self.parents.read(unknown), job.transport.stopped)

    def _key(self, parent: Parent) -> tuple[object, ...]:
        """A parent as the child's columns name it."""
        return parent.key(self.named.values())

    def _show(self, shown: Parents, parent: Parent, rows: Rows, now: int) -> None:
        """Show rows of a parent to what hangs below them."""
        if self.names:
            shown.add([Parent.of(row, self.names, self._as_parent(parent)) for row in rows], now)

    def _as_parent(self, parent: Parent) -> Parent:
        """A parent with the values that its children hand down, by the names of their columns."""
        return replace(parent, values={column: parent.values[name] for column, name in self.named.items()})

    def _page_by_page(self, job: Job) -> Iterator[Chunk]:
        """Read one parent after the other. One that is refused is left out while others answer: its rows stay."""
        refused: list[tuple[Parent, UnavailableError]] = []
        answered = False
        columns = tuple(self.named)
        with job.shared.parents(self.path).from_here() as shown:
            for parent in self._parents(job):
                try:
                    held = max((diff.count(columns, self._key(parent)) for diff in job.diffs), default=0)
                    below = replace(job, base=parent.base, held=held)
                    for chunk in self.child.chunks(below, parent.path(self.child.path)):
                        rows = parent.stamp(chunk.rows, self.named)
                        self._show(shown, parent, rows, job.now())
                        side = chunk.side.stamped(parent, self.named) if isinstance(chunk.side, Side) else []
                        yield Chunk(rows, side=side)
                    answered = True
                except UnavailableError as error:
                    refused.append((parent, error))
                    shown.partial = True
            missed = [refusal for parent, refusal in refused if parent.is_certain]
            if missed and not answered:
                raise missed[0]
        for parent, refusal in refused:
            for diff in job.diffs:
                diff.keep(columns, [self._key(parent)])
            if parent.is_certain:
                job.note(f"{parent.title} is left out, its rows stay: {refusal}")
        yield Chunk([], complete=True)

    def _side_by_side(self, job: Job) -> Iterator[Chunk]:
        """Read many parents at once."""
        gathered: Rows = []
        above = job.shared.parents(self.parents.path)
        with job.shared.parents(self.path).from_here() as shown:
            answers = Answers(self._fan_out(job), lambda parent: self._rows_of(job, parent))
            known = self._known(job)
            for parent, found in answers.of(self._due(job, above, shown, known)):
                self._show(shown, parent, found, job.now())
                gathered += found
                if len(gathered) >= EXPORT_PAGE:
                    yield Chunk(gathered)
                    gathered = []
            shown.partial |= bool(answers.refused)
        if answers.refused:
            job.note(f"{self.path}: {answers.told()}; their rows stay as they are")
        if job.diff and answers.refused:
            job.diff.keep(tuple(self.named), [self._key(parent) for parent in answers.refused])
        if not (self.is_dated or self.counted or self.is_fixed):
            yield Chunk(gathered, complete=True)
            return
        began = above.began if above.began is not None else job.now()
        # No later than the newest parent: a wrong Date header must not hide changes to come.
        reached = min(began - ANSWERED_WITHIN, above.newest + 1)
        again: tuple[Any, ...] = tuple(self._key(parent)[-1] for parent in answers.refused)
        listed = known.saved if known is not None else None
        yield Chunk(gathered, max(job.position.at, reached), began=began, again=again, known=listed, complete=True)

    def _fan_out(self, job: Job) -> FanOut:
        """Threads for many parents."""
        return FanOut(job.pools, self.child.limits[-1].name, job.transport.at_once())

    def _rows_of(self, job: Job, parent: Parent) -> Rows:
        """What hangs below a parent."""
        below = replace(job, base=parent.base, priority=Priority.CHILDREN, pools=IN_PLACE)
        pages = self.child.pages(below, parent.path(self.child.path))
        rows = [row for page, _ in pages for row in parent.stamp(page.rows, self.named)]
        if not self.is_shared_out:
            return rows
        return [row for row in rows if all(row[column] == parent.values[name] for column, name in self.named.items())]

    def _is_changed_only(self, job: Job) -> bool:
        """Whether parents are left out that did not change since the last pass."""
        return self.is_fixed or (self.is_dated and not self.counted and job.settings.help_center_children == "changed")

    def _known(self, job: Job) -> KnownParents | None:
        """The parents that the last pass has listed, where that matters."""
        return KnownParents(job.position.known, job.diff, tuple(self.named)) if self._is_changed_only(job) else None

    def _due(self, job: Job, above: Parents, shown: Parents, known: KnownParents | None) -> Iterator[Parent]:
        """Parents to read; those left out keep the rows they have."""
        diff, columns = job.diff, tuple(self.named)
        is_unchanged = self._unchanged(job, diff, above)
        left: list[tuple[object, ...]] = []
        listed: list[tuple[object, ...]] = []
        for parent in self._parents(job):
            listed.append(self._key(parent))
            was_listed = known is None or known.take(self._key(parent))
            if is_unchanged(parent, was_listed):
                left.append(self._key(parent))
            else:
                yield parent
        shown.partial = above.partial or bool(left)
        if known is not None and above.partial:
            known.keep()
        if diff and columns:
            diff.keep(columns, left)
            if above.partial:
                diff.keep_all_but(columns, listed)

    def _unchanged(self, job: Job, diff: SnapshotDiff | None, above: Parents) -> Callable[[Parent, bool], bool]:
        """Whether what hangs below a parent need not be read, given whether the last pass has listed it.

        Votes may change and leave their count and sum as they were: each parent with votes has its day of thirty on
        which they are read whatever it counts.
        """
        loaded = diff.sums(tuple(self.named), "value") if diff and self.counted else {}
        changed_only = self._is_changed_only(job) and not (self.is_fixed and job.position.began is None)

        def is_unchanged(parent: Parent, was_listed: bool) -> bool:
            if (self.is_dated or self.is_since_start) and 0 < parent.updated_at < job.settings.start:
                return True
            if self.counted:
                due = parent.votes[0] > 0 and parent.is_due(job.position.began, above.began or 0)
                return loaded.get(self._key(parent), (0, 0)) == parent.votes and not due
            if not (changed_only and was_listed and 0 < parent.updated_at < job.position.at):
                return False
            return self._key(parent)[-1] not in job.position.again

        return is_unchanged

    def parents_of(self, job: Job) -> Iterator[Chunk]:
        """What is wanted of the export's chunks, from the job's position on."""
        above, wanted = replace(job, priority=Priority.PARENTS), self.wanted(job.position)
        for chunk in self.parents.read(above):
            yield wanted(chunk, above.began, job.until)

    def wanted(self, position: Position) -> Wanted:
        """What of the export's chunks is wanted from a position on."""
        (name,) = self.parents.names
        return Wanted(name, self.named_again, self.asked, position.edge, position.again)

    def below(self, job: Job, chunks: Iterator[Chunk]) -> Iterator[Chunk]:
        """Read below every row that an export brings; one that is refused is asked for again by a later pass."""
        (name,) = self.parents.names
        position = job.position
        missed = {bytes(value): Parent("", {name: value}, text_of(value)) for value in map(raw, position.again)}
        answers = Answers(
            self._fan_out(job),
            partial(self._rows_of, job),
            telling=SEVERAL,
            refused_before=[parent.title for parent in missed.values()] if self.refused_alone else (),
        )
        answered: set[bytes] = set()
        left: tuple[int | str, ...] = ()
        again, asked_at = missed, position.began
        for number, chunk in enumerate(chunks):
            if number == 0 and self.refused_alone and job.now() - (position.began or 0) < DAY:
                again, left = {}, position.again
            elif number == 0:
                asked_at = job.now()
            changed = chunk.rows
            if self.named_again:
                changed = self._untold(changed, answered, chunk.began or 0)
                answered.update(bytes(row.get(name, NULL)) for row in changed)
            found = [Parent.of(row, self.parents.names) for row in changed]
            wanted = again | {bytes(parent.values[name]): parent for parent in found}
            for row in chunk.side:
                wanted.pop(bytes(row[name]), None)
            rows, again = [row for _, below in answers.of(wanted.values()) for row in below], {}
            yield replace(chunk, rows=rows, side=[], again=self._refused(answers, name, left), began=asked_at)
        if answers.refused:
            when = "a sync of tomorrow" if self.refused_alone else "the next sync"
            job.note(f"{self.path}: {answers.told()}; {when} asks again")

    def _untold(self, rows: Rows, answered: set[bytes], began: int) -> Rows:
        """Rows whose parent was not asked for yet in this pass, or may have changed since."""
        (name,) = self.parents.names
        times = seconds(rows, self.named_again)
        recent = (times == 0) | (times >= began - ANSWERED_WITHIN)
        return [row for row, is_recent in zip(rows, recent) if is_recent or bytes(row.get(name, NULL)) not in answered]

    def _refused(self, answers: Answers, name: str, left: tuple[int | str, ...]) -> tuple[int | str, ...]:
        """The parents that are there and were refused, with those `left` of earlier passes.

        Raises:
            ContractError: they are too many to be asked for again and again.
        """
        asked = answers.there if self.refused_alone else answers.refused
        refused = [parent.key((name,))[0] for parent in asked]
        known = tuple(dict.fromkeys((*left, *refused)))
        if len(known) > (MOST_ALONE if self.refused_alone else MOST_REFUSED):
            raise ContractError(
                f"{self.path}: Zendesk refused it for {len(known):,} rows of {self.parents.path} "
                "and answered for others; the position stays."
            )
        return known
