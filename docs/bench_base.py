"""How well a base speaks, fine-tuned to a voice and not: clips for a judge outside the project, and its verdict.

python docs/bench_base.py speak --out OUT [--voice NAME=FOLDER] [--recordings DIR] [--seeds 3] [--sentences 40]
python docs/bench_base.py judge OUT --judge "PYTHON judge.py" [--second "moonshine=PYTHON docs/bench_base_second.py"]
python docs/bench_base.py check --corpus DIR [--corpus DIR]

`speak`: every voice of params.yaml, as built in models/ or in the FOLDER of --voice, speaks docs/sentences/ in its own
language and in the other one, in two ways: `few` is the fine-tuned voice, `zero` the base's own networks with the
voice's reference clip. A third, `copy`, has the fine-tuned voice remake the true utterances of --recordings from their
own tokens and text. Speaking follows `speaking` in params.yaml. A clip's name comes from weights, text and seed, so
one that is there is not made again; it knows nothing of the code, which after a change needs another OUT. With
--recordings (DIR/<voice>/ with recording.flac, transcript.txt, about.json) the true utterances join as way `real`.
All are listed in OUT/list.jsonl. `--corpus` refuses sentences that a training text has (60 % of their words in a row).

`judge`: the command is called with a list (rows wav, text, lang, ref, and more) and -v for each speaker, way, language
and seed. It prints a row's error and what was heard on stderr, and as last line of stdout JSON with `error` (pooled),
`similarity`, `ceiling`, `dnsmos`. The table has medians over seeds. `above real`: points of word error (zh: pinyin
without tones) above that of the speaker's own utterances. `skips`: share of sentences where the recogniser misses a
word or hears one twice; these are listed.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import bench_base_texts as texts

from voice.errors import UserError


def named(value: str) -> tuple[str, str]:
    """NAME=VALUE of a command line."""
    name, mark, rest = value.partition("=")
    if not (name and mark and rest):
        raise argparse.ArgumentTypeError(f"{value!r}: should be NAME=VALUE")
    return name, rest


def speak(options: argparse.Namespace) -> None:
    if "copy" in options.ways and not options.recordings:
        raise UserError("--ways copy: there is nothing to copy", "give --recordings DIR")
    from bench_base_speak import run  # it loads torch

    run(options)


def judge(options: argparse.Namespace) -> None:
    from bench_base_judge import run

    run(options)


def check(options: argparse.Namespace) -> None:
    count = texts.check(options.corpus)
    print(f"{count} sentences: none is in {', '.join(map(str, options.corpus))}")


def arguments() -> argparse.ArgumentParser:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(required=True)
    part = commands.add_parser("speak", help="make the clips and their list")
    part.set_defaults(main=speak)
    part.add_argument("--out", type=Path, required=True)
    part.add_argument("--voice", type=named, action="append", default=[], metavar="NAME=FOLDER")
    part.add_argument("--base", type=Path, help="default: that of params.yaml in models/pretrained/")
    part.add_argument("--recordings", type=Path)
    part.add_argument("--ways", nargs="+", choices=("few", "zero", "copy"), default=["few", "zero"])
    part.add_argument("--languages", nargs="+", choices=("native", "other"), default=["native", "other"])
    part.add_argument("--seeds", type=int, default=3)
    part.add_argument("--sentences", type=int, help="the first so many; default: all")
    part.add_argument("--threads", type=int, help="default: that of params.yaml")
    part.add_argument("--corpus", type=Path, action="append", default=[])
    part = commands.add_parser("judge", help="have the clips judged and print a table")
    part.set_defaults(main=judge)
    part.add_argument("out", type=Path)
    part.add_argument("--judge", required=True, metavar="COMMAND")
    part.add_argument("--second", type=named, metavar="NAME=COMMAND", help="a second recogniser for English")
    part.add_argument("--json", action="store_true", help="JSON instead of Markdown")
    part = commands.add_parser("check", help="are the sentences new?")
    part.set_defaults(main=check)
    part.add_argument("--corpus", type=Path, action="append", required=True)
    return parser


if __name__ == "__main__":
    given = arguments().parse_args()
    try:
        given.main(given)
    except UserError as error:
        print(f"bench_base: {error}", file=sys.stderr)
        sys.exit(2)
