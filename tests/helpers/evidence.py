"""Everything a run leaves behind, as text in which a secret would be found."""

from __future__ import annotations

import base64
import gzip
import io
import json
import logging
import pickle
import traceback
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import quote

import pyarrow.parquet as pq
from dlt.pipeline.pipeline import Pipeline


class Evidence(dict[str, str]):
    """Texts by the place they were found in."""

    def add(self, place: str, text: str) -> None:
        self[place] = self.get(place, "") + text

    def add_error(self, place: str, error: BaseException | None) -> None:
        """Take an error, what led to it, and their traceback."""
        if error is None:
            return
        chain = "".join(traceback.format_exception(error))
        seen: set[int] = set()
        led_to: list[BaseException | None] = [error]
        while led_to:
            cause = led_to.pop()
            if cause is not None and id(cause) not in seen:
                seen.add(id(cause))
                chain += f"\n{cause!s}\n{cause!r}\n{cause.args!r}"
                led_to += [cause.__cause__, cause.__context__]
        self.add(place, chain)

    def add_folder(self, folder: Path) -> None:
        """Take every file, unpacked."""
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                self.add(str(path.relative_to(folder)), "\n".join(readings(path.read_bytes())) + unpacked(path))

    def add_pipeline(self, target: Pipeline) -> None:
        """Take state, schema, trace, and every table of the destination."""
        trace = target.last_trace
        self.add("trace", f"{trace}\n{trace.asstr(9)}\n{trace.asdict()}\n{pickle.dumps(trace)!r}")
        self.add("state", json.dumps(target.state, default=str))
        self.add("schema", json.dumps(target.default_schema.to_dict(), default=str))
        with target.sql_client() as client:
            query = "SELECT table_schema, table_name FROM information_schema.tables"
            with client.execute_query(query) as cursor:
                tables = cursor.fetchall()
            for schema, table in tables:
                with client.execute_query(f'SELECT * FROM "{schema}"."{table}"') as cursor:
                    for cell in (cell for row in cursor.fetchall() for cell in row if cell is not None):
                        self.add(f"table {table}", "\n".join(readings(str(cell).encode())))

    def holding(self, secrets: Iterable[str]) -> dict[str, list[str]]:
        """The places that hold a secret, in any spelling."""
        found: dict[str, list[str]] = {}
        for secret in secrets:
            for place, text in self.items():
                if any(spelling in text for spelling in spellings(secret)):
                    found.setdefault(place, []).append(secret)
        return found


def spellings(secret: str) -> set[str]:
    """A secret as it is, quoted for a URL, and in base64."""
    return {secret, quote(secret, safe=""), base64.b64encode(secret.encode()).decode().rstrip("=")[:-1]}


def readings(content: bytes) -> Iterator[str]:
    """Bytes as text, and what they are inflated to."""
    yield content.decode("utf-8", "replace")
    for packed in (content, decoded64(content)):
        with suppress(OSError, EOFError, zlib.error):
            yield gzip.decompress(packed).decode("utf-8", "replace")
        with suppress(zlib.error):
            yield zlib.decompress(packed).decode("utf-8", "replace")


def decoded64(content: bytes) -> bytes:
    try:
        return base64.b64decode(content, validate=True)
    except ValueError:
        return b""


def unpacked(path: Path) -> str:
    return str(pq.read_table(path).to_pylist()) if path.suffix == ".parquet" else ""


@contextmanager
def every_log_line(evidence: Evidence) -> Iterator[None]:
    """Take what any logger says, at any level."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(logging.Formatter("%(name)s %(levelname)s %(message)s %(args)s"))
    known = [logging.getLogger(name) for name in list(logging.root.manager.loggerDict)]
    loggers = [logging.root, *known]
    before = [(logger, logger.level, logger.disabled) for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.DEBUG)
        logger.disabled = False
        if logger is logging.root or not logger.propagate:
            logger.addHandler(handler)
    try:
        yield
    finally:
        for logger, level, disabled in before:
            logger.setLevel(level)
            logger.disabled = disabled
            logger.removeHandler(handler)
        evidence.add("log", stream.getvalue())
