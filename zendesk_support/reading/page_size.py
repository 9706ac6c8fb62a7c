"""How many rows an export is asked for."""

from __future__ import annotations

from dataclasses import dataclass

EXPORT_PAGE = 1000
SMALLEST_PAGE = 50
GROWS_AFTER = 8


@dataclass
class PageSize:
    """How many rows an export is asked for: half as many when Zendesk times out (504), twice after some good pages.

    Each time a page that had grown back is too heavy, it takes twice as many good ones until the next trial.
    """

    rows: int = EXPORT_PAGE
    _good: int = 0
    _wanted: int = GROWS_AFTER
    _on_trial: bool = False

    @property
    def shrinkable(self) -> bool:
        """Whether a smaller page makes sense."""
        return self.rows > SMALLEST_PAGE

    def shrink(self) -> None:
        """The page was too heavy."""
        self._wanted *= 2 if self._on_trial else 1
        self.rows = max(SMALLEST_PAGE, self.rows // 2)
        self._good, self._on_trial = 0, False

    def settle(self) -> None:
        """The page came."""
        self._good += 1
        if self._good >= self._wanted and self.rows < EXPORT_PAGE:
            self.rows = min(EXPORT_PAGE, self.rows * 2)
            self._good, self._on_trial = 0, True
