"""`reprovoice import` and `reprovoice export`: voices in GPT-SoVITS's own files, both ways, and as graphs."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, cast

import typer

from pipeline.output import emit_json
from voice.errors import UserError

if TYPE_CHECKING:
    from voice.official_files import OfficialFile

FORMATS = ("official", "onnx", "torch")
SEMANTIC, ACOUSTIC, RECORD = "semantic.safetensors", "acoustic.safetensors", "import.json"
CONSENT = "a consent record is needed before this voice is trained or published (reprovoice consent new)"
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]
Force = Annotated[bool, typer.Option("--force", help="Write into a folder that is not empty.")]


def register(app: typer.Typer) -> None:
    """Add the two commands to `app`."""
    app.command("import")(import_)
    app.command("export")(export)


def import_(
    gpt: Annotated[Path, typer.Option("--gpt", help="The s1 file, .ckpt.")],
    sovits: Annotated[Path, typer.Option("--sovits", help="The s2 file, .pth.")],
    out: Annotated[Path, typer.Option("--out", help="A new folder for the voice.")],
    version: Annotated[str | None, typer.Option("--version", help="Refuse other versions, as v2Pro.")] = None,
    force: Force = False,
    as_json: Json = False,
) -> None:
    """Read a voice out of a pair of GPT-SoVITS files; nothing in them is run."""
    _check_out(out, force)
    from voice.files import write_json
    from voice.official_convert import rounding, to_networks
    from voice.official_files import read_official

    pair = {"gpt": read_official(gpt, version), "sovits": read_official(sovits, version)}
    semantic, acoustic = to_networks(pair["gpt"], pair["sovits"])
    found = pair["sovits"].versions[0]
    sources = {name: _facts(file) | {"max_rounding": rounding(file)} for name, file in pair.items()}
    for name, network, target in (("gpt", semantic, SEMANTIC), ("sovits", acoustic, ACOUSTIC)):
        source = {key: sources[name][key] for key in ("file", "sha256", "info")}
        network.save(out / target, {"base": f"official-{found.lower()}", "source": source | _counts(source["info"])})
    record = {"version": found, "posterior": pair["sovits"].has_posterior, "sources": sources}
    write_json(out / RECORD, record)
    if as_json:
        emit_json(record | {"out": str(out)})
    else:
        print(f"{out}: {found}, posterior {'kept' if record['posterior'] else 'not in the file'}")
        for facts in sources.values():
            print(
                f"{facts['file']}: {facts['precision']}, {facts['tensors']} tensors, {facts['elements']} values, "
                f"changed by {facts['max_rounding']:.3g} at most, sha256 {facts['sha256'][:16]}..."
            )
    print(f"note: {CONSENT}", file=sys.stderr)


def export(
    folder: Annotated[Path, typer.Argument(help=f"A folder with {SEMANTIC} and {ACOUSTIC}.", metavar="DIR")],
    out: Annotated[Path, typer.Option("--out", help="A new folder for the files.")],
    form: Annotated[str, typer.Option("--format", help=f"One of: {', '.join(FORMATS)}.")] = "official",
    name: Annotated[str | None, typer.Option("--name", help="What the files are called; default: the voice.")] = None,
    force: Force = False,
    as_json: Json = False,
) -> None:
    """Write a voice as the pair of files that GPT-SoVITS itself loads, or as ONNX or torch.export graphs; checked."""
    if form not in FORMATS:
        raise UserError(f"--format {form}: unknown", f"formats: {', '.join(FORMATS)}")
    _check_out(out, force)
    from voice.consent import permit_weights

    permit_weights(folder, "publish")  # no consent follows the files to where they go
    if form in ("onnx", "torch"):
        _export_graphs(folder, out, cast(Literal["onnx", "torch"], form), as_json)
        return
    from voice.files import sha256_file
    from voice.nets.acoustic import Acoustic
    from voice.nets.semantic import Semantic
    from voice.official_convert import find_version, write_official
    from voice.weights import read_meta

    semantic, acoustic = Semantic.load(folder / SEMANTIC), Acoustic.load(folder / ACOUSTIC)
    version = find_version(semantic, acoustic)
    if version is None:
        raise UserError(
            f"{folder}: its sizes are not a published version's", "only voices on an official base can be exported"
        )
    s1, s2 = read_meta(folder / SEMANTIC), read_meta(folder / ACOUSTIC)
    (epoch1, step1), (epoch2, step2) = _trained(s1), _trained(s2)
    called = name or str(s2.get("voice") or folder.resolve().name)
    paths = write_official(
        semantic, acoustic, version, out, called,
        semantic_epoch=step1 if epoch1 is None else epoch1, epoch=epoch2 or 0, step=step2,
    )  # fmt: skip
    record: dict[str, Any] = {
        "version": version,
        "files": [{"file": str(path), "bytes": path.stat().st_size, "sha256": sha256_file(path)} for path in paths],
    }
    if as_json:
        emit_json(record)
        return
    for entry in record["files"]:
        print(f"{entry['file']}: {version}, {entry['bytes']} bytes, sha256 {entry['sha256'][:16]}..., read back equal")


def _export_graphs(folder: Path, out: Path, form: Literal["onnx", "torch"], as_json: bool) -> None:
    from pipeline.cli_export_graphs import export_graphs

    report = export_graphs(folder, out, form)
    if as_json:
        emit_json(report)
        return
    for file in report["files"]:
        print(f"{out / file['file']}: {file['bytes']} bytes, at most {file['max_abs_difference']:.2g} from the network")


def _check_out(folder: Path, force: bool) -> None:
    if folder.exists() and not folder.is_dir():
        raise UserError(f"{folder}: a file, not a folder", "choose another --out")
    if not force and folder.is_dir() and any(folder.iterdir()):
        raise UserError(f"{folder}: not empty", "choose another --out, or add --force to write into it")


def _facts(file: OfficialFile) -> dict[str, Any]:
    from voice.files import sha256_file

    return {
        "file": file.path.name,
        "bytes": file.path.stat().st_size,
        "sha256": sha256_file(file.path),
        "precision": file.precision,
        "tensors": len(file.weights),
        "elements": sum(tensor.numel() for tensor in file.weights.values()),
        "info": file.info,
    }


def _counts(info: str) -> dict[str, int]:
    """Epoch and step of "GPT-e15" or "8epoch_592iteration", as far as they are told."""
    found = re.fullmatch(r"GPT-e(?P<epoch>\d{1,12})|(?P<epochs>\d{1,12})epoch(?:_(?P<step>\d{1,12})iteration)?", info)
    if not found:
        return {}
    told = {"epoch": found["epoch"] or found["epochs"], "step": found["step"]}
    return {key: int(value) for key, value in told.items() if value is not None}


def _trained(meta: dict[str, Any]) -> tuple[int | None, int]:
    """Epoch, None where only steps were counted as in our own trainings, and step: of the metadata of a network."""
    told = meta.get("chosen") or meta.get("source") or {}
    return told.get("epoch"), int(told.get("step") or 0)
