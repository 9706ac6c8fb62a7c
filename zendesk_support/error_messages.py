"""Says in plain words why a load ended: what stands in the way, and what to do."""

from __future__ import annotations

import errno
import re
from collections.abc import Collection, Iterator, Sequence
from difflib import get_close_matches

FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
REFUSED = (errno.EACCES, errno.EPERM, errno.EROFS)

_FULL = re.compile(r"No space left on device|File too large|Disk quota exceeded")
_REFUSED = re.compile(r"Permission denied|Read-only file system")
_LOCKED = re.compile(r'lock on file "([^"]+)": Conflicting lock is held in (\S+) \(PID (\d+)\)')
_NO_RIGHT = re.compile(r"permission denied for (?:database|schema) \S+")
_FILE = re.compile(r'file "([^"]+)"')
_LAST_OF_TRACE = re.compile(r"^[\w.]+(?:Exception|Error): (.+)$", re.MULTILINE)
_WRAPPED = re.compile(r"The actual reason given is: (.+)", re.DOTALL)


def first_of(names: Sequence[str], most: int) -> str:
    """Some names, and how many more there are: `tickets, users and 3 more`."""
    more = f" and {len(names) - most:,} more" if len(names) > most else ""
    return f"{', '.join(names[:most])}{more}"


def did_you_mean(word: str, known: Collection[str], near: float, before: str = "", after: str = "") -> str:
    """The nearest of the words there are, as a question; nothing where none is as near as that."""
    nearest = get_close_matches(word, list(known), 1, near)
    return f" Did you mean {before}{nearest[0]}{after}?" if nearest else ""


def causes(error: BaseException | None) -> Iterator[BaseException]:
    """An error and what led to it."""
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def explain(error: BaseException) -> str:
    """Why a load ended, for people: a full disk, a database in use, else what the destination said."""
    for cause in causes(error):
        if isinstance(cause, OSError) and cause.errno in (*FULL, *REFUSED):
            return _unwritable(cause.errno in FULL, cause.strerror or "", cause.filename)
        if holder := holder_of(cause):
            return f"{holder}. Close it there and run again."
        for is_full, pattern in ((True, _FULL), (False, _REFUSED)):
            if found := pattern.search(str(cause)):
                file = _FILE.search(str(cause))
                return _unwritable(is_full, found[0], file[1] if file else None)
    for cause in causes(error):
        if found := _NO_RIGHT.search(str(cause)):
            return (
                f"{found[0]}. The user needs the right to create schemas: GRANT CREATE ON DATABASE … TO …, or make the "
                "dataset and its staging dataset (…_staging) and give them to the user."
            )
    reason = str(getattr(error, "exception", None) or error).strip()
    wrapped = _WRAPPED.search(reason)
    told = wrapped[1] if wrapped else untraced(reason)[1]
    advice = getattr(error, "advice", None)
    return f"{told}\n{advice}" if advice else told


def holder_of(error: BaseException) -> str | None:
    """Who has a DuckDB file open, in words; None where an error is about something else."""
    for cause in causes(error):
        if locked := _LOCKED.search(str(cause)):
            path, program, process = locked.groups()
            return f"The database {path} is in use by {program} (process {process})"
    return None


def untraced(text: str) -> tuple[str, str]:
    """What a message says before a stack trace, and what the trace ends with."""
    head, trace, tail = text.partition("Traceback (most recent call last):")
    lines = _LAST_OF_TRACE.findall(tail)
    return (head, lines[-1]) if trace and lines else ("", text)


def _unwritable(is_full: bool, reason: str, path: str | None) -> str:
    where = f"{path} cannot be written" if path else "a file cannot be written"
    if is_full:
        return f"The disk is full: {where} ({reason}). Free some space and run again."
    return f"Not allowed: {where} ({reason}). Make it writable, or choose another place: --database, DLT_DATA_DIR."
