"""Arrow arrays are those that pyarrow would make, without pandas."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from zendesk_support import columnar

SYNCS = """
import sys
from pathlib import Path
from support import load, pipeline, simulated

for mode in ("incremental", "overwrite", "history"):
    with simulated(tickets=20) as account:
        target = pipeline(Path(sys.argv[1]), mode)
        for _ in range(2):
            load(target, account, sync_mode=mode)
            account.mutate("delete_groups", count=1)
print("pandas" in sys.modules)
"""


@pytest.mark.parametrize(
    ("made", "expected"),
    [
        (columnar.strings([b"a", None, "ä\U0001f600".encode(), b""]), pa.array(["a", None, "ä\U0001f600", ""])),
        (columnar.strings([]), pa.array([], pa.string())),
        (columnar.texts([None]), pa.array([None], pa.string())),
        (columnar.integers([2**63 - 1, None, -(2**63)]), pa.array([2**63 - 1, None, -(2**63)])),
        (columnar.integers(list(range(20))), pa.array(range(20))),
        (columnar.floats([1.5, None, 1e300]), pa.array([1.5, None, 1e300])),
        (columnar.booleans([True] * 9 + [False, None]), pa.array([True] * 9 + [False, None])),
        (
            columnar.moments([datetime(1969, 12, 31, 23, 59, 59, 1, tzinfo=timezone.utc), None]),
            pa.array([-999_999, None]).cast(pa.timestamp("us", "UTC")),
        ),
        (columnar.guessed([None, None]), pa.nulls(2)),
        (columnar.guessed([None, "x"]), pa.array([None, "x"])),
        (columnar.guessed([True, None]), pa.array([True, None])),
    ],
)
def test_an_array_has_the_values_and_type(made: pa.Array, expected: pa.Array) -> None:
    made.validate(full=True)
    assert made.equals(expected)


@pytest.mark.parametrize("value", [2**63, -(2**63) - 1])
def test_an_integer_of_more_than_64_bits_is_refused(value: int) -> None:
    with pytest.raises(OverflowError):
        columnar.integers([1, value])


@pytest.mark.parametrize(
    "column", [pa.array([5, 6, 7]).slice(1), pa.chunked_array([[], [1], [2, 3]], pa.int64()), pa.nulls(0, pa.int64())]
)
def test_integers_come_back_as_they_are(column: Any) -> None:
    assert columnar.to_numpy(column).tolist() == column.to_pylist()
    assert columnar.to_numpy(column).dtype == np.int64


def test_no_sync_imports_pandas(tmp_path: Path) -> None:
    """dlt fails when it meets pandas half imported by a reader's thread."""
    pytest.importorskip("pandas")
    here = Path(__file__).parent
    environment = {
        **os.environ,
        "PYTHONPATH": f"{here}{os.pathsep}{here.parent}",
        "DLT_DATA_DIR": str(tmp_path / "dlt"),
    }
    done = subprocess.run(
        [sys.executable, "-c", SYNCS, str(tmp_path)], env=environment, capture_output=True, text=True, timeout=200
    )
    assert done.stdout.splitlines()[-1:] == ["False"], done.stderr[-3000:]
