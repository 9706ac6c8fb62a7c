"""What lists bring besides their own rows, and why they do not."""

from __future__ import annotations

from dataclasses import dataclass, field

from zendesk_support.errors import UnavailableError


@dataclass
class Included:
    """What came of asking a list for rows within or beside its own.

    Attributes:
        has_rows: whether any came.
        refusal: why none could be asked for in another way.
        notes: what the report says of it, to those alone who take these rows.
    """

    has_rows: bool = False
    refusal: UnavailableError | None = None
    notes: list[str] = field(default_factory=list)

    def note(self, text: str) -> None:
        """Have the report say something, once."""
        if text not in self.notes:
            self.notes.append(text)
