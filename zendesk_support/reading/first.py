"""What a trial asks below a list: the first row of the first parent."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from zendesk_support.reading.base import Job
from zendesk_support.reading.parents import Parent

if TYPE_CHECKING:
    from zendesk_support.reading.below import Below


def first_below(below: Below, job: Job) -> Parent | None:
    """Ask for the first parent, and for one row of what it has; that row, if somebody wants to know of one below it.

    Raises:
        UnavailableError: one of the two is refused.
    """
    above = next(below.each_parent(job), None) if below.parents.is_few else below.parents.first(job)
    if above is None:
        return None
    asked = replace(job, base=above.base)
    return below.child.first(asked, above.path(below.child.path), below.as_parent(above))
