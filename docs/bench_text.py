"""Speed of the text front end: sentences read in one second of processor time.

python docs/bench_text.py --lang en|zh [--sentences 4000] [--words 10]
"""

from __future__ import annotations

import argparse
import random
import time
from collections.abc import Callable, Sequence

from voice.text import read_text

ENGLISH_WORDS = (
    "the quick brown river carried small boats under an old stone bridge while children watched from green hills and "
    "counted every white sail that passed before evening brought cold rain over quiet fields where farmers worked "
    "until dark she found a letter inside her coat with news about their brother who lived far away near mountains"
).split()


def english_sentences(count: int, words: int) -> list[str]:
    """Different sentences of so many dictionary words each."""
    chosen = random.Random(1)
    return [" ".join(chosen.choices(ENGLISH_WORDS, k=words)).capitalize() + "." for _ in range(count)]


WHO = "老师 妈妈 小明 银行行长 他们 我的朋友 那位医生 记者 司机 邻居".split()
WHEN = "昨天晚上 2026年11月23日 早上8:30 上个星期 去年冬天 刚才 周末".split()
WHERE = "在图书馆 在长江大桥上 在公园里 在教室 在重庆 在家里".split()
WHAT = "看了3本书 买了2斤苹果 一直没睡着 得去还书 不小心摔倒了 弹了一会儿钢琴 说得很清楚 花了12.5元".split()
ENDS = "。 ！ ？ 吧。 了。".split()


def chinese_sentences(count: int, words: int) -> list[str]:
    """Different sentences of about 18 characters, put together from five lists; `words` is of no use here."""
    draw = random.Random(7)
    return [
        f"{draw.choice(WHEN)}{draw.choice(WHO)}{draw.choice(WHERE)}{draw.choice(WHAT)}{draw.choice(ENDS)}"
        for _ in range(count)
    ]


SENTENCES: dict[str, Callable[[int, int], list[str]]] = {"en": english_sentences, "zh": chinese_sentences}


def sentences_per_second(lang: str, sentences: Sequence[str]) -> float:
    """Rate by process time; the first call, which loads the data, is not counted."""
    read_text(sentences[0], lang)
    started = time.process_time()
    for sentence in sentences:
        read_text(sentence, lang)
    return len(sentences) / (time.process_time() - started)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--lang", choices=sorted(SENTENCES), default="en")
    parser.add_argument("--sentences", type=int, default=4000)
    parser.add_argument("--words", type=int, default=10)
    given = parser.parse_args()
    rate = sentences_per_second(given.lang, SENTENCES[given.lang](given.sentences, given.words))
    what = f"{given.words} words" if given.lang == "en" else "about 18 characters"
    print(f"{given.lang}: {rate:.0f} sentences of {what} per second of one core")


if __name__ == "__main__":
    main()
