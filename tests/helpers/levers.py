"""What tests of dlt's levers ask of a destination and of a run."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from dlt.pipeline.exceptions import PipelineStepFailed
from dlt.pipeline.pipeline import Pipeline

from zendesk_support import ConfigurationError


def ask(pipeline: Pipeline, query: str) -> list[tuple[Any, ...]]:
    """What a query finds at the destination."""
    with pipeline.sql_client() as client:
        return list(client.execute_sql(query) or ())


def count(pipeline: Pipeline, table: str, distinct: str = "id") -> tuple[int, int]:
    """How many rows a table has, and of how many keys."""
    return tuple(ask(pipeline, f"SELECT count(*), count(DISTINCT {distinct}) FROM {table}")[0])  # type: ignore


def refused(run: Callable[[], Any]) -> str:
    """The words of a `ConfigurationError` that a run ends with."""
    with pytest.raises((PipelineStepFailed, ConfigurationError)) as caught:
        run()
    error: BaseException | None = caught.value
    while error is not None and not isinstance(error, ConfigurationError):
        error = error.__cause__
    assert error is not None, caught.value
    return str(error)
