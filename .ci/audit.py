"""Looks up the pinned packages among the known vulnerabilities; where nobody answers, says so and lets the run pass."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import venv
from pathlib import Path
from typing import Any

AUDITOR = "pip-audit==2.10.1"
PATIENCE = 300
PINNED = Path(__file__).parent.parent / "constraints.txt"


def audit(pinned: Path) -> str | None:
    """The auditor's report as JSON; None where it could not be installed or had no answer."""
    with tempfile.TemporaryDirectory() as folder:
        venv.create(folder, with_pip=True)
        programs, report = Path(folder, "bin"), Path(folder, "report.json")
        install = [programs / "pip", "install", "--quiet", AUDITOR]
        look_up = [
            programs / "pip-audit",
            "-r",
            pinned,
            "--require-hashes",
            "--disable-pip",
            "--progress-spinner",
            "off",
        ]
        for command in (install, [*look_up, "--timeout", "10", "--format", "json", "--output", report]):
            try:
                subprocess.run(command, capture_output=True, timeout=PATIENCE, check=False)
            except (OSError, subprocess.TimeoutExpired):
                return None
        return report.read_text() if report.exists() else None


def verdict(report: str | None) -> tuple[int, str]:
    """The exit code, and what to print: 1 only where a vulnerability is known."""
    if report is None:
        return 0, "audit: NOT DONE, the database of vulnerabilities did not answer"
    packages: list[dict[str, Any]] = json.loads(report)["dependencies"]
    lines = [
        f"audit: {package['name']} {package['version']} has {known['id']}, mended in {known['fix_versions']}"
        for package in packages
        for known in package.get("vulns", ())
    ]
    skipped = sum("skip_reason" in package for package in packages)
    if skipped or not packages:
        lines.append(f"audit: NOT DONE for {skipped} of {len(packages)} packages, which the database does not know")
    else:
        lines.append(f"audit: {len(packages)} packages looked up")
    return int(any(package.get("vulns") for package in packages)), "\n".join(lines)


if __name__ == "__main__":
    code, told = verdict(audit(PINNED))
    print(told)
    sys.exit(code)
