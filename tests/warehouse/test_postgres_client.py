"""What of a parquet file is in memory while it is copied into Postgres."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from zendesk_support.warehouse.postgres_client import BATCH, jsonb_batches


def test_a_file_is_copied_a_page_at_a_time(tmp_path: Path) -> None:
    rows = 5 * BATCH
    written = pa.table({"id": range(rows), "tags": ["[]"] * rows})
    pq.write_table(written, tmp_path / "tickets.parquet", row_group_size=BATCH)
    batches = list(jsonb_batches(str(tmp_path / "tickets.parquet"), ["tags"]))
    assert [batch.num_rows for batch in batches] == [BATCH] * 5
    assert pa.concat_arrays([batch.column("id") for batch in batches]) == written["id"].combine_chunks()
