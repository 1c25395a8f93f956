"""Run one stage again in a clean copy and compare what it makes with what is recorded."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from pipeline.audit.chain import listing, step_of
from pipeline.audit.clean_copy import make_copy
from pipeline.audit.project import Project, StageFacts, open_project
from pipeline.children import Children
from pipeline.settings import child_environment
from voice.errors import UserError

CLOSE = 1e-2  # relative L2 distance of a tensor that sums in another order may cause, on a GPU
SHOWN = 5  # last lines of a stage that failed


@dataclass(frozen=True)
class Repeated:
    """One output file: md5 as recorded and as made now; `distance` is the largest relative L2 distance of a tensor.

    `state` is same, close (a GPU ran, and the tensors differ little), differs, missing (not made again) or added.
    """

    path: str
    recorded: str | None
    made: str | None
    state: str
    distance: float | None = None


@dataclass(frozen=True)
class Reproduced:
    """What a second run gave."""

    stage: str
    device: str
    seconds: float
    files: tuple[Repeated, ...]

    @property
    def ok(self) -> bool:
        """True when every file is the same, or close on a GPU."""
        return all(file.state in ("same", "close") for file in self.files)

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self) | {"ok": self.ok}


def reproduce(root: Path, stage: str) -> Reproduced:
    """Run `stage` (an address, as slice@demo_en) again in a temporary folder; the workspace and its cache stay as is.

    Raises UserError for an unknown stage, inputs that are neither in the workspace nor in the cache as recorded, and
    a command that fails.
    """
    with open_project(root) as project, tempfile.TemporaryDirectory(prefix="reprovoice-audit-") as name:
        facts = _find(project, stage)
        step, target = step_of(project, facts), Path(name)
        make_copy(project, facts, step, target)
        device = _device() if facts.gpu else "cpu"
        began = time.monotonic()
        _run(facts.address, target)
        seconds = time.monotonic() - began
        with open_project(target, fresh=True) as again:
            files = [file for out in step.outs for file in _compare(project, again, out.path, out.recorded, device)]
        return Reproduced(facts.address, device, round(seconds, 1), tuple(files))


def _find(project: Project, stage: str) -> StageFacts:
    if found := project.by_address.get(stage):
        return found
    near = [address for address in project.by_address if address.partition("@")[0] == stage]
    if near:
        raise UserError(f"--reproduce {stage}: which of {', '.join(near)}?", f"for example --reproduce {near[0]}")
    raise UserError(f"--reproduce {stage}: no such stage", f"stages: {', '.join(project.by_address)}")


def _run(address: str, folder: Path) -> None:
    said: list[str] = []
    command = [sys.executable, "-m", "dvc", "repro", "--single-item", "--force", "--no-commit", address]
    env = child_environment() | {"DVC_SITE_CACHE_DIR": str(folder / ".dvc" / "site")}
    env.pop("DVC_ROOT", None)
    status = Children().run(command, folder, env, said.append)
    if status != 0:
        last = "; ".join(" ".join(line.split()) for line in said[-SHOWN:])
        hint = "it may read something that dvc.yaml does not list"
        raise UserError(f"{address}: fails in a clean copy: {last}", hint)


def _device() -> str:
    """The device that training would take; asked in another process, since torch is not loaded here."""
    code = "import torch; print('cuda' if torch.cuda.is_available() else 'cpu')"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    return done.stdout.strip() or "cpu"


def _compare(project: Project, again: Project, path: str, recorded: str | None, device: str) -> list[Repeated]:
    if recorded is None or not recorded.endswith(".dir"):
        return [_one(project, again, path, recorded, again.hashes.md5(path), device)]
    before = listing(project, recorded)
    if before is None and project.hashes.digest(path) == recorded:
        before = project.hashes.members(path)
    made = again.hashes.digest(path)
    if before is None:  # the listing is gone: only the whole can be compared
        return [Repeated(path, recorded, made, "same" if made == recorded else "differs")]
    now = again.hashes.members(path) if made else {}
    names = sorted(before.keys() | now.keys())
    return [_one(project, again, f"{path}/{name}", before.get(name), now.get(name), device) for name in names]


def _one(project: Project, again: Project, path: str, recorded: str | None, made: str | None, device: str) -> Repeated:
    if recorded == made:
        return Repeated(path, recorded, made, "same")
    if recorded is None or made is None:
        return Repeated(path, recorded, made, "added" if recorded is None else "missing")
    distance = _distance(_original(project, path, recorded), again.root / path)
    near = device != "cpu" and distance is not None and distance <= CLOSE
    return Repeated(path, recorded, made, "close" if near else "differs", distance)


def _original(project: Project, path: str, recorded: str) -> Path:
    here = project.root / path
    return here if project.hashes.md5(path) == recorded else project.cached_file(recorded)


def _distance(one: Path, other: Path) -> float | None:
    """The largest relative L2 distance between tensors of the same name, None where they cannot be compared."""
    if other.suffix != ".safetensors" or not one.is_file():
        return None
    import numpy as np
    from safetensors import SafetensorError
    from safetensors.numpy import load_file

    try:
        old, new = load_file(one), load_file(other)
    except (SafetensorError, TypeError, KeyError, OSError):
        return None
    if {name: value.shape for name, value in old.items()} != {name: value.shape for name, value in new.items()}:
        return None
    worst = 0.0
    for name, value in old.items():
        a, b = value.astype(np.float64), new[name].astype(np.float64)
        worst = max(worst, float(np.linalg.norm(a - b) / max(float(np.linalg.norm(a)), 1e-12)))
    return worst
