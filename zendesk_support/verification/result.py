"""What comparing a stream's table with Zendesk has found."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from zendesk_support.report import now

Verdict = Literal["ok", "explained", "missing", "stale", "surplus", "unavailable", "not loaded"]

COLUMNS: dict[str, tuple[str, str]] = {
    "checked_at": ("timestamp", "UTC"),
    "stream": ("text", "the stream"),
    "expected": ("bigint", "rows that Zendesk has, of those that were compared"),
    "found": ("bigint", "rows that the table has, of those that were compared"),
    "difference": ("bigint", "expected less found"),
    "verdict": (
        "text",
        "ok, explained, missing, stale, surplus, unavailable or not loaded; empty where the comparison failed",
    ),
    "why": ("text", "what explains a difference, what was compared, or why the comparison failed"),
    "examples": ("text", "some keys that are missing, stale or surplus"),
    "newest_expected": ("timestamp", "time of the newest row in Zendesk, UTC"),
    "newest_found": ("timestamp", "time of the newest row in the table, UTC"),
    "account": ("text", "the account's host, or `same_account_as`"),
}


@dataclass
class Verification:
    """What comparing one stream's table with Zendesk has found.

    Attributes:
        expected: rows that Zendesk has, of those that were compared.
        found: rows that the table has, of those that were compared.
        verdict: `ok`; `explained`: they differ as they may, and `why` says how; `missing`: the table lacks rows;
            `stale`: it has older versions of rows, which no sync will bring up to date; `surplus`: it holds rows that
            Zendesk has not; `unavailable`: the plan or role refuses the stream;
            `not loaded`: there is no table; None: the comparison failed.
        missing: some keys that the table lacks.
        stale: some keys of which the table has an older version.
        surplus: some keys that only the table has, or has twice.
        error: why the comparison failed.
    """

    stream: str
    expected: int | None = None
    found: int | None = None
    newest_expected: datetime | None = None
    newest_found: datetime | None = None
    verdict: Verdict | None = None
    why: str = ""
    missing: tuple[str, ...] = ()
    stale: tuple[str, ...] = ()
    surplus: tuple[str, ...] = ()
    error: Exception | None = None
    checked_at: datetime = field(default_factory=now)
    account: str | None = None

    @property
    def difference(self) -> int | None:
        """Rows that the table lacks; negative: has too many."""
        return None if self.expected is None or self.found is None else self.expected - self.found

    @property
    def passed(self) -> bool:
        """Whether the table was compared, or could not be, and no difference is left unexplained."""
        return self.error is None and self.verdict not in ("missing", "stale", "surplus")

    @property
    def examples(self) -> str:
        """Some of the keys that differ, in one line."""
        named = (("missing", self.missing), ("stale", self.stale), ("surplus", self.surplus))
        return "; ".join(f"{word} {', '.join(keys)}" for word, keys in named if keys)
