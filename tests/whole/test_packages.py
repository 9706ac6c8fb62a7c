"""What is built for others: no folder of settings is in it."""

from __future__ import annotations

import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest
from repository import ROOT


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> dict[str, set[str]]:
    """The names of the files in the source distribution and in the wheel."""
    folder = tmp_path_factory.mktemp("dist")
    build = [sys.executable, "-m", "hatchling", "build", "-t", "sdist", "-t", "wheel", "-d", str(folder)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True, timeout=120)
    (archive,), (wheel,) = folder.glob("*.tar.gz"), folder.glob("*.whl")
    with tarfile.open(archive) as opened:
        source = {name.partition("/")[2] for name in opened.getnames()}
    return {"sdist": source, "wheel": set(zipfile.ZipFile(wheel).namelist())}


@pytest.mark.parametrize("kind", ["sdist", "wheel"])
def test_a_package_holds_the_library_and_no_settings(built: dict[str, set[str]], kind: str) -> None:
    names = built[kind]
    assert {"zendesk_support/__init__.py", "zendesk_support/py.typed"} <= names
    assert [name for name in names if ".dlt" in Path(name).parts or Path(name).name == "secrets.toml"] == []


def test_the_dbt_package_is_in_the_source_alone(built: dict[str, set[str]]) -> None:
    assert {"dbt/dbt_project.yml", "dbt/models/sources.yml", "dbt/seeds/zendesk_time_zones.csv"} <= built["sdist"]
    assert [name for name in built["wheel"] if name.startswith("dbt")] == []
