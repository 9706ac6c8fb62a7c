"""Load Zendesk Support and Help Center into Postgres every hour, with Airflow 3; docs/airflow.md says how."""

from datetime import datetime, timezone
from functools import partial

import dlt
from airflow.sdk import DAG, CronDataIntervalTimetable, Param
from dlt.helpers.airflow_helper import PipelineTasksGroup

from zendesk_support.airflow import SyncPipeline, parsing, places, read_secrets, source
from zendesk_support.groups import by_limit
from zendesk_support.postgres import postgres

NAME = DATASET = "zendesk_support"
STREAMS = None  # what a new pipeline loads; or such as ["default", "custom_objects"]
BOUND = {"type": ["null", "string"], "description": "With both dates, the run loads this period and no other."}

with parsing():
    PLACES = places(NAME, DATASET)

with DAG(
    NAME,
    schedule=CronDataIntervalTimetable("0 * * * *", timezone="UTC"),
    start_date=datetime(2010, 1, 1, tzinfo=timezone.utc),
    catchup=False,
    max_active_runs=1,
    params={"start_date": Param(None, **BOUND), "end_date": Param(None, **BOUND)},
):
    for account, prefix, dataset in PLACES:
        # The arrow tables of this library are larger than the buffer that the group would set.
        with parsing(), PipelineTasksGroup(prefix, buffer_max_items=0, prefix_group_id=False) as tasks:
            for group in by_limit(STREAMS):
                name = f"{prefix}_{group}"
                pipeline = dlt.pipeline(name, destination=postgres(), dataset_name=dataset, _impl_cls=SyncPipeline)
                # One at a time of each, of the schedule or of a backfill: they share a limit, positions and tables.
                tasks.run(
                    pipeline,
                    partial(source, STREAMS, group, name, account),
                    on_before_run=partial(read_secrets, account),
                    retries=3,
                    max_active_tis_per_dag=1,
                )
