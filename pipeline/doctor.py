"""Is this machine and this checkout fit to work? One row per check."""

from __future__ import annotations

import os
import platform
import shutil
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

from voice.errors import UserError

PACKAGES = (
    "torch",
    "torchaudio",
    "transformers",
    "numpy",
    "dvc",
    "prefect",
    "fastapi",
    "sqlalchemy",
    "pandera",
)
DISK_GB = 2.0  # a rebuild of two voices writes some hundred MB; below this a training run may not end


@dataclass(frozen=True)
class Check:
    """One finding: `ok` False makes `doctor` end with status 1."""

    name: str
    ok: bool
    detail: str


@dataclass(frozen=True)
class Diagnosis:
    """All checks, in the order they were made."""

    checks: tuple[Check, ...]

    @property
    def ok(self) -> bool:
        """True when every check is."""
        return all(check.ok for check in self.checks)

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {"ok": self.ok, "checks": [asdict(check) for check in self.checks]}


def diagnose(root: Path) -> Diagnosis:
    """Check versions, base weights, voices, GPU, disk, threads and what is stale."""
    checks = [
        _python(),
        *_packages(),
        *_base(root),
        *_voices(root),
        _gpu(),
        _disk(root),
        _threads(),
        _stale(root),
    ]
    return Diagnosis(tuple(checks))


def _python() -> Check:
    return Check(
        "python",
        (3, 11) <= sys.version_info[:2] <= (3, 12),
        f"{platform.python_version()}, need 3.11 or 3.12",
    )


def _packages() -> Iterator[Check]:
    from packaging.requirements import Requirement

    try:
        declared = [Requirement(text) for text in metadata.requires("reprovoice") or []]
    except metadata.PackageNotFoundError:
        yield Check("reprovoice", False, "not installed in this environment: pip install -e .")
        declared = []
    limits = {need.name.lower(): need.specifier for need in declared}
    for name in PACKAGES:
        try:
            version = metadata.version(name)
        except metadata.PackageNotFoundError:
            yield Check(name, False, "not installed")
            continue
        limit = limits.get(name)
        fits = limit is None or limit.contains(version.partition("+")[0], prereleases=True)
        yield Check(name, fits, version if fits else f"{version}, need {limit}")


def _base(root: Path) -> Iterator[Check]:
    """The base that params.yaml names, each file against its card."""
    from pipeline.audit import card_hashes, weights_folder
    from stages.params import load_params
    from voice.files import sha256_file

    try:
        base = load_params(root).base
    except UserError as error:
        yield Check("params.yaml", False, str(error))
        return
    folder = weights_folder(root, base)
    hashes = card_hashes(folder)
    if not hashes and (root / "models" / "base" / base / "card.json").is_file():
        yield Check(f"base {base}", False, "its published files are not fetched yet: dvc repro pretrained")
    elif not hashes:
        yield Check(f"base {base}", False, f"models/base/{base}/card.json: missing")
    for name, expected in sorted(hashes.items()):
        file = folder / name
        found = sha256_file(file) if file.is_file() else None
        detail = "missing" if found is None else f"sha256 {found[:16]}..."
        yield Check(
            f"base {base} {name}",
            found == expected,
            detail if found == expected else f"{detail}, card has {expected[:16]}...",
        )


def _voices(root: Path) -> Iterator[Check]:
    """Every voice's consent: its record, its recordings, whether it has expired or was revoked."""
    from stages.params import load_params
    from voice.consent.listing import entry_of

    try:
        names = sorted(load_params(root).voices)
    except UserError:
        return  # reported with the base
    for name in names:
        entry = entry_of(root, name)
        good = entry["state"] == "valid"
        told = f"consent: {entry['basis']}, {entry['recordings']} recording(s)"
        yield Check(f"voice {name}", good, told if good else entry["why"])


def _gpu() -> Check:
    import torch

    if not torch.cuda.is_available():
        return Check("gpu", True, "none; everything runs on the CPU")
    return Check("gpu", True, ", ".join(torch.cuda.get_device_name(i) for i in range(torch.cuda.device_count())))


def _disk(root: Path) -> Check:
    free = shutil.disk_usage(root).free / 1e9
    return Check("disk", free >= DISK_GB, f"{free:.1f} GB free, want {DISK_GB:.0f}")


def _threads() -> Check:
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return Check("threads", True, f"{cores} cores, OMP_NUM_THREADS={os.environ.get('OMP_NUM_THREADS', 'unset')}")


def _stale(root: Path) -> Check:
    """What a rebuild would run; an unreadable pipeline is wrong, a stale one only worth knowing."""
    from pipeline.plan import read_plan

    try:
        dirty = [node.address for node in read_plan(root) if node.dirty]
    except UserError as error:
        return Check("pipeline", False, str(error))
    return Check("pipeline", True, f"stale: {', '.join(dirty)}" if dirty else "everything is up to date")
