"""A step goes on from its checkpoint only where it was begun: with the same options, inputs and code.

Without this rule a stage of the pipeline that was stopped, or has been run before, would go on from weights of other
settings and record them as the result of the new ones. By hand (`--resume any`) one may want just that.
"""

from __future__ import annotations

import argparse
import inspect
import json
import shutil
import sys
from pathlib import Path
from typing import Any

from voice.files import sha256_code, sha256_file, write_json

SOUND_16, SOUND_24, INDEX = "arrays/16000.i16", "arrays/24000.i16", "arrays/index.jsonl"
F0 = "work/f0.f16"
TAUGHT = ("target/teacher.safetensors", "target/teacher_head.safetensors", "target/frames.safetensors")
TOKENS = ("work/tokens.jsonl", "work/tokens.safetensors")
# What a step reads: the option that names the folder, and the file there; the option alone is the whole folder.
READS: dict[str, tuple[str, ...]] = {
    "prepare": ("corpus",),
    "content": (SOUND_16, INDEX),
    "frames": (SOUND_16, INDEX, "work/content.safetensors"),
    "teacher": (SOUND_16, INDEX, "teacher"),
    "realign": (SOUND_16, INDEX, "target/teacher.f16", "work/frames.safetensors"),
    "units": (SOUND_16, INDEX, "teacher", *TAUGHT),
    "pitch": (SOUND_24, INDEX),
    "envelope": (SOUND_24, INDEX, F0),
    "tokens": (SOUND_16, INDEX, "work/content.safetensors", "work/units.f16"),
    "acoustic": (SOUND_24, INDEX, F0, *TOKENS, "work/envelope.safetensors", "work/quantiser.safetensors"),
    "semantic": (INDEX, *TOKENS),
}
KEPT_IN = {
    name: "target" if name in ("teacher", "realign", "units") else "work"
    for name in ("content", "teacher", "realign", "units", "envelope", "acoustic", "semantic")
}
# Where files lie and how long a run may take do not change what it makes.
BESIDE = ("arrays", "corpus", "first", "listeners", "minutes", "out", "recordings", "resume", "start", "target",
          "teacher", "work")  # fmt: skip


def files_read(args: argparse.Namespace) -> dict[str, Path]:
    """Every file that `args.step` reads, by a name that does not tell where the folders lie."""
    found: dict[str, Path] = {}
    for item in READS[args.step]:
        option, _, name = item.partition("/")
        folder: Path = getattr(args, option)
        if name:
            found[item] = folder / name
        else:
            found |= {f"{option}/{f.relative_to(folder)}": f for f in sorted(folder.rglob("*")) if f.is_file()}
    if args.start is not None:
        found |= {f"start/{file.name}": file for file in sorted(args.start.glob("*.safetensors"))}
    return found


def made_from(args: argparse.Namespace) -> dict[str, Any]:
    """All that decides what a step makes: its options, sha256 of the files it reads and of the code now loaded.

    The text front end is left out: what it says of the corpus lies in the index.
    """
    names = [name for name in sys.modules if name.startswith("voice.") and not name.startswith("voice.text")]
    modules = [sys.modules[name] for name in sorted(names)]
    code = [Path(inspect.getfile(module)) for module in modules if getattr(module, "__file__", None)]
    options = {name: str(value) for name, value in sorted(vars(args).items()) if name not in BESIDE}
    files = {name: sha256_file(path) for name, path in files_read(args).items() if path.is_file()}
    return {"options": options, "files": files, "code": sha256_code(*code)}


def settle(args: argparse.Namespace) -> None:
    """Remove the checkpoint of `args.step` unless it was made from the same; note what the next one is made from."""
    folder: Path = getattr(args, KEPT_IN[args.step]) / args.step
    note, now = folder / "made_from.json", made_from(args)
    if folder.exists():
        before = json.loads(note.read_text(encoding="utf-8")) if note.is_file() else {}
        changed = [name for name in now if before.get(name) != now[name]]
        if not changed:
            return
        print(f"{args.step}: begins anew, its checkpoint was made with other {', '.join(changed)}", flush=True)
        shutil.rmtree(folder)
    write_json(note, now)
