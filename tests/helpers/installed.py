"""Packages in versions of their own, beside those that the tests run with."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path


def installed(cache: Path, *packages: str) -> Path:
    """A folder with some packages, made once: it goes first in PYTHONPATH."""
    name = hashlib.sha256(" ".join([*packages, sys.version]).encode()).hexdigest()[:12]
    if not (cache / name).exists():
        cache.mkdir(parents=True, exist_ok=True)
        fresh = tempfile.mkdtemp(dir=cache)
        uv = shutil.which("uv")
        pip = [uv, "pip"] if uv else [sys.executable, "-m", "pip"]
        subprocess.run([*pip, "install", "--quiet", "--target", fresh, *packages], check=True, timeout=600)
        try:
            os.rename(fresh, cache / name)
        except OSError:  # another process was faster
            shutil.rmtree(fresh)
    return cache / name
