"""What a trial asks below a list: the first row of the first parent."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

from zendesk_support.reading.base import Endpoint, Job
from zendesk_support.reading.lists import Listing
from zendesk_support.reading.parents import Parent


def first_below(
    job: Job,
    parents: Endpoint,
    child: Listing,
    each: Callable[[Job], Iterator[Parent]],
    as_parent: Callable[..., Parent],
) -> Parent | None:
    """Ask for the first parent, and for one row of what it has.

    Args:
        job: what to work with.
        parents: what lists the parents,
        child: and what is asked of each.
        each: yields the parents, where they are few.
        as_parent: a parent with what it hands down.

    Returns:
        That row, as a parent of what hangs below it; None where there is none.

    Raises:
        UnavailableError: one of the two is refused.
    """
    above = next(each(job), None) if parents.is_few else parents.first(job)
    if above is None:
        return None
    return child.first(replace(job, base=above.base), above.path(child.path), as_parent(above))
