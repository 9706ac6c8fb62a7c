"""deploy/kubernetes: what can be known of it without a cluster."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from environments import environment, kept_in
from postgres_server import PostgresServer
from repository import ROOT
from support import environment_of, truth

from zendesk_support.groups import by_limit
from zendesk_support.simulator import Simulator

FOLDER = ROOT / "deploy" / "kubernetes"
AIRFLOW = ("apache-airflow==3.3.*", "apache-airflow-providers-cncf-kubernetes==10.25.*", "kubernetes-validate==1.37.0")
PODS = """
import json
import sys
from datetime import datetime, timezone

import kubernetes_validate
import yaml
from airflow.providers.cncf.kubernetes.kubernetes_helper_functions import create_unique_id
from airflow.providers.cncf.kubernetes.pod_generator import PodGenerator
from kubernetes.client import ApiClient

folder, *tasks = sys.argv[1:]
for version in ("1.29", "1.33", "1.37"):
    for name in ("cronjob.yaml", "airflow_worker_pod.yaml"):
        with open(f"{folder}/{name}") as file:
            kubernetes_validate.validate(yaml.safe_load(file), version, strict=True)
pods = []
for task in tasks:
    made = PodGenerator.construct_pod(
        dag_id="zendesk_support",
        task_id=task,
        pod_id=create_unique_id("zendesk_support", task),
        try_number=1,
        kube_image="",
        date=datetime.now(timezone.utc),
        args=["python", "-m", "airflow.sdk.execution_time.execute_workload"],
        pod_override_object=None,
        base_worker_pod=PodGenerator.deserialize_model_file(f"{folder}/airflow_worker_pod.yaml"),
        namespace="data",
        scheduler_job_id="1",
        run_id="scheduled__2026-11-30T21:00:00+00:00",
    )
    pod = ApiClient().sanitize_for_serialization(made)
    kubernetes_validate.validate({"apiVersion": "v1", "kind": "Pod", **pod}, "1.37", strict=True)
    pods.append(pod)
print(json.dumps(pods))
"""


def container(pod: Any) -> Any:
    [found] = pod["spec"]["containers"]
    return found


def test_the_job_loads_and_writes_only_where_it_has_a_volume(
    tmp_path: Path, account: Simulator, postgres: PostgresServer
) -> None:
    job = yaml.safe_load((FOLDER / "cronjob.yaml").read_text())
    pod = job["spec"]["jobTemplate"]["spec"]["template"]
    [volume] = container(pod)["volumeMounts"]
    work, elsewhere = tmp_path / "work", tmp_path / "elsewhere"
    work.mkdir()
    elsewhere.mkdir()
    named = {one["name"]: one["value"].replace(volume["mountPath"], str(work)) for one in container(pod)["env"]}
    secret = {**environment_of(account), "DESTINATION__POSTGRES__CREDENTIALS": postgres.url}
    place = {"HOME": str(elsewhere), "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
    command = [*container(pod)["command"], "--streams", "tickets,groups", "--dataset", "kubernetes"]
    done = subprocess.run(
        command, env={**named, **secret, **place}, cwd=elsewhere, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert list(elsewhere.rglob("*")) == []
    [(tickets,)] = postgres.query("SELECT count(*) FROM kubernetes.tickets")
    assert tickets == len(truth(account, "tickets"))


@pytest.mark.airflow
def test_airflow_makes_a_pod_of_each_task_that_the_schemas_accept(pytestconfig: pytest.Config) -> None:
    python = environment(kept_in(pytestconfig, "kubernetes"), AIRFLOW)
    tasks = [f"zendesk_support_{group}" for group in by_limit()]
    done = subprocess.run(
        [python, "-c", PODS, FOLDER, *tasks],
        env={**os.environ, "AIRFLOW_HOME": str(Path.cwd())},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    pods = json.loads(done.stdout.splitlines()[-1])
    template = yaml.safe_load((FOLDER / "airflow_worker_pod.yaml").read_text())
    for task, pod in zip(tasks, pods, strict=True):
        assert pod["metadata"]["labels"]["task_id"] == task
        assert pod["metadata"]["namespace"] == "data"
        assert container(pod)["args"][-1].endswith("execute_workload")
        kept = ("image", "envFrom", "resources", "securityContext", "volumeMounts")
        assert {name: container(pod)[name] for name in kept} == {name: container(template)[name] for name in kept}
        assert pod["spec"]["securityContext"] == template["spec"]["securityContext"]
