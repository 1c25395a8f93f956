"""Users' mistakes through the real commands: one line, status 2, no traceback, and after the mend it goes on."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import yaml

from tests.tiny_project import Tiny, executed, of_all, only_line
from voice.audio import read_audio, write_flac, write_wav
from voice.consent import write_consent

INGEST = ("stages.ingest", "--voice", "demo_en")
Mend = Callable[[], object]


def voice_files(project: Tiny) -> Path:
    return project.raw("demo_en")


def edit_recording(project: Tiny, change: Callable[[np.ndarray], np.ndarray]) -> Mend:
    """Other sound under the same name, with consent for it; how to undo it."""
    folder = voice_files(project)
    path = folder / "recording.flac"
    kept = {file: file.read_bytes() for file in (path, folder / "consent.yaml")}
    wave, rate = read_audio(path)
    write_flac(path, change(wave), rate)
    write_consent(folder, basis="synthetic", scope="tests")
    return lambda: [file.write_bytes(data) for file, data in kept.items()]


def remove(path: Path) -> Mend:
    data = path.read_bytes()
    path.unlink()
    return lambda: path.write_bytes(data)


def no_transcript(project: Tiny) -> Mend:
    return remove(voice_files(project) / "transcript.txt")


def no_consent(project: Tiny) -> Mend:
    return remove(voice_files(project) / "consent.yaml")


def empty_file(project: Tiny) -> Mend:
    path = voice_files(project) / "recording.flac"
    data, record = path.read_bytes(), (voice_files(project) / "consent.yaml").read_bytes()
    path.write_bytes(b"")
    write_consent(voice_files(project), basis="synthetic", scope="tests")
    return lambda: (path.write_bytes(data), (voice_files(project) / "consent.yaml").write_bytes(record))


def no_samples(project: Tiny) -> Mend:
    mend = edit_recording(project, lambda wave: wave)
    # A WAV header alone: FLAC of no samples is no file at all. Sound files are known by content, not by name.
    write_wav(voice_files(project) / "recording.flac", np.zeros(0, dtype=np.float32), 24000)
    write_consent(voice_files(project), basis="synthetic", scope="tests")
    return mend


def nineteen_seconds(project: Tiny) -> Mend:
    return edit_recording(project, lambda wave: wave[: 19 * 24000])


def other_recording(project: Tiny) -> Mend:
    path = voice_files(project) / "recording.flac"
    data = path.read_bytes()
    shutil.copy(project.raw("demo_zh") / "recording.flac", path)
    return lambda: path.write_bytes(data)


def wrong_key(project: Tiny) -> Mend:
    path = project.root / "params.yaml"
    data = path.read_bytes()
    project.edit_params(lambda params: params["ingest"].update(loudnes_lufs=params["ingest"].pop("loudness_lufs")))
    return lambda: path.write_bytes(data)


def wrong_value(project: Tiny) -> Mend:
    path = project.root / "params.yaml"
    data = path.read_bytes()
    project.edit_params(lambda params: params["ingest"].update(sample_rate="fast"))
    return lambda: path.write_bytes(data)


BAD_VOICES = {
    no_transcript: "ingest: data/raw/demo_en/transcript.txt: ",
    no_consent: "ingest: data/raw/demo_en/consent.yaml: no consent record (",
    empty_file: "ingest: data/raw/demo_en/recording.flac: the file is empty (",
    no_samples: "ingest: data/raw/demo_en/recording.flac: holds no samples (",
    nineteen_seconds: "ingest: data/raw/demo_en: 19.0 s of audio, ingest.min_seconds is 20 (",
    other_recording: "ingest: demo_en: consent c-",
    wrong_key: "ingest: params.yaml: ingest.loudnes_lufs: unknown key; and 1 more (did you mean loudness_lufs?)",
    wrong_value: "ingest: params.yaml: ingest.sample_rate = 'fast': ",
}


def test_every_mistake_in_a_voice_is_one_line_and_the_mended_project_goes_on(source: Tiny) -> None:
    for mistake, line in BAD_VOICES.items():
        mend = mistake(source)
        said = source.refused(*INGEST)
        assert said.startswith(line), (mistake.__name__, said)
        mend()
    assert not (source.root / "data/demo_en/recordings.jsonl").exists()
    assert source.run("git", "status", "--porcelain", "data/raw", "params.yaml").stdout == ""
    assert source.repro("ingest@demo_en") == {"ingest@demo_en"}


def test_dvc_shows_the_line_stops_there_and_goes_on_after_the_mend(source: Tiny) -> None:
    mend = no_transcript(source)
    targets = ("pretrained", "slice@demo_zh", "slice@demo_en")
    done = source.dvc("repro", *targets, status=255)
    ran = executed(done.stdout)
    # DVC takes independent targets in no fixed order, so the others may or may not have run before it stopped.
    assert "ingest@demo_en" in ran and "slice@demo_en" not in ran
    ours, theirs = [line for line in done.stderr.splitlines() if line.strip()]
    assert ours.startswith("ingest: data/raw/demo_en/transcript.txt: ")
    assert theirs.startswith("ERROR: failed to reproduce 'ingest@demo_en'")
    mend()
    wanted = {"pretrained"} | of_all("ingest", "slice")
    assert source.repro(*targets) == (wanted - ran) | {"ingest@demo_en"}


def test_an_unknown_voice_is_named_with_the_nearest_one(source: Tiny) -> None:
    assert source.refused("stages.ingest", "--voice", "nobody") == (
        "ingest: params.yaml: voices: no voice 'nobody' (known: demo_en, demo_zh)"
    )
    assert "did you mean demo_en?" in source.refused("stages.ingest", "--voice", "demo_em")


def test_a_voice_without_a_folder_is_named(source: Tiny) -> None:
    source.edit_params(lambda params: params["voices"].update(third={"lang": "en"}))
    assert source.refused("stages.ingest", "--voice", "third").startswith("ingest: data/raw/third: no such folder (")


def test_one_changed_byte_in_a_base_weight_is_refused_and_the_restored_one_taken(source: Tiny) -> None:
    path = source.base / "semantic.safetensors"
    whole = path.read_bytes()
    path.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    line = source.refused("stages.pretrained")
    assert line.startswith("pretrained: models/base/mini/semantic.safetensors: sha256 is ")
    assert line.endswith("(restore it from Git)")
    path.write_bytes(whole[:-1])
    assert f"{len(whole) - 1} bytes, the card says {len(whole)}" in source.refused("stages.pretrained")
    assert not (source.root / "models/pretrained").exists()
    path.write_bytes(whole)
    assert source.repro("pretrained") == {"pretrained"}
    assert (source.root / "models/pretrained/mini/semantic.safetensors").read_bytes() == whole


def test_a_stage_outside_the_root_says_where_to_go(source: Tiny) -> None:
    inside = Tiny(source.root / "stages")
    done = subprocess.run(
        [sys.executable, "-c", "import sys; sys.path[0] = '..'; from stages import ingest; ingest.run(ingest.main)",
         "--voice", "demo_en"],
        cwd=inside.root, env=source.environment(), text=True, capture_output=True,
    )  # fmt: skip
    assert done.returncode == 2
    assert only_line(done.stderr).endswith(f"(cd {source.root.resolve()})")


def own_mounts(project: Tiny) -> list[str]:
    """A command prefix that gives its command file systems of its own, gone when it ends. Skips where none may."""
    for way in (["unshare", "--mount"], ["unshare", "--user", "--map-root-user", "--mount"]):
        probe = [*way, "mount", "-t", "tmpfs", "-o", "size=64k", "small", str(project.root)]
        done = subprocess.run(probe, text=True, capture_output=True)
        if done.returncode == 0:
            return way
    return pytest.skip(f"no small file system can be mounted here: {done.stderr.strip()}")


def on_small_disk(project: Tiny, folder: str, *module: str, kib: int = 64) -> list[str]:
    """`python -m module` while `folder` is an empty file system of a few KiB.

    Returns the one line on stderr, then the files left there. Once the disk has grown the same command must succeed.
    """
    command = " ".join(["python", "-m", *module])
    script = f"""
        mount -t tmpfs -o size={kib}k small {folder} || exit 77
        {command}; status=$?
        find {folder} -type f >left.txt
        [ $status = 2 ] || exit $status
        mount -o remount,size=64m {folder} || exit 77
        {command} || exit 78
    """
    (project.root / folder).mkdir(parents=True, exist_ok=True)
    done = project.run(*own_mounts(project), "sh", "-c", script)
    return [only_line(done.stderr), *(project.root / "left.txt").read_text().split()]


@pytest.mark.skipif(shutil.which("unshare") is None, reason="unshare (util-linux) is not installed")
class TestFullDisk:
    """A stage on a full disk: one line, nothing half-written, and it goes on when there is space."""

    LINE = "no space left on device (free some, then run the same command again)"

    def test_while_audio_is_written(self, source: Tiny) -> None:
        line, *left = on_small_disk(source, "data/demo_en", *INGEST)
        assert line == f"ingest: {self.LINE}"
        assert left == []

    def test_while_weights_are_written(self, source: Tiny) -> None:
        line, *left = on_small_disk(source, "models/pretrained", "stages.pretrained")
        assert line == f"pretrained: {self.LINE}"
        assert left == []

    def test_while_a_checkpoint_is_written(self, project: Tiny) -> None:
        line, *left = on_small_disk(project, ".cache/train", "stages.train_acoustic", "--voice", "demo_en")
        assert line == f"train_acoustic: {self.LINE}"
        assert left == []

    def test_while_speech_is_written(self, project: Tiny) -> None:
        line, *left = on_small_disk(project, "data/demo_en/listening", "stages.synthesize", "--voice", "demo_en", kib=8)
        assert line == f"synthesize: {self.LINE}"
        assert left == []

    def test_labelled_speech_is_whole_or_absent_wherever_the_disk_ends(self, source: Tiny) -> None:
        """FLAC is the hard case: what does not fit may show only when the file is closed."""
        (source.root / "fill.py").write_text(FILL, encoding="utf-8")
        (source.root / "small").mkdir()
        script = "mount -t tmpfs -o size=64k small small && python fill.py"
        written, refused = source.run(*own_mounts(source), "sh", "-c", script).stdout.split()
        assert int(written) > 5 and int(refused) > 5


FILL = """
import errno
from pathlib import Path
import numpy as np
from voice.audio import read_audio
from voice.label import LabelledFile
noise = np.random.default_rng(0).uniform(-0.9, 0.9, 40000).astype(np.float32)
counts = {True: 0, False: 0}
for number in range(29000, 37000, 200):
    path = Path(f"small/x.flac")
    try:
        with LabelledFile(path, 24000, "x") as file:
            file.write(noise[:number])
    except OSError as error:
        assert error.errno == errno.ENOSPC, error
        assert list(path.parent.iterdir()) == []
    else:
        assert len(read_audio(path)[0]) == number
    counts[path.exists()] += 1
    path.unlink(missing_ok=True)
print(counts[True], counts[False])
"""


def test_the_guard_on_unlisted_parameters_holds_in_a_real_run(source: Tiny) -> None:
    path = source.root / "dvc.yaml"
    pipeline = yaml.safe_load(path.read_text(encoding="utf-8"))
    pipeline["stages"]["ingest"]["do"]["params"] = ["slice"]
    path.write_text(yaml.safe_dump(pipeline, sort_keys=False), encoding="utf-8")
    done = source.dvc("repro", "-s", "ingest@demo_en", status=255)
    assert done.stderr.splitlines()[0] == (
        "ingest: dvc.yaml: ingest@demo_en: reads ingest of params.yaml but does not list it under params"
    )
