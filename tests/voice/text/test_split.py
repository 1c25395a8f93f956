"""Splitting of long texts: where sentences end, what stays whole, lengths, pauses, and what holds for any text."""

from __future__ import annotations

import time
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from voice.errors import UserError
from voice.text.pauses import PAUSES, pause_tags
from voice.text.split import LONGEST, TARGET, Piece, estimate, split_text

# "¦" stands where a sentence ends; short limits keep sentences apart.
SENTENCES = r"""
The boats came home.¦ A thin mist lay there.¦ Nobody spoke.
Is that so?¦ Yes, it is!¦ Very well then.
What?! You cannot mean it!!!¦ Of course I do.
Dr. Smith met Mrs. Jones and Prof. Brown.¦ They talked at length.
He was born on St. Mary's Road.¦ Gen. Lee was not.
See e.g. the first part, i.e. the short one.¦ Then go on.
Use tools, e.g. Python or C.¦ They help a lot.
No. 5 is alive and No. 7 is not.¦ Count them.
He said no.¦ I heard him say it.
Is it true?¦ No. It is certainly not.
See Fig. 3 and Eq. 12 on pp. 4 and 5.¦ Both are clear.
The U.S. Government paid.¦ The U.K. did not.
He lives in the U.S.¦ The house is old.
We met at 10:30 a.m. on Monday.¦ It rained all day.
We met at 5 p.m.¦ Then we left for home.
J. K. Rowling and George W. Bush met.¦ They shook hands.
Acme Inc. sells goods, Foo Ltd. buys them.¦ Bar Corp. waits.
It costs 3.14 dollars.¦ Or 1,000.5 if you wait.
The date is 2026-11-23.¦ The time is 10:30:15 now.
Version 2.0.1 is out.¦ Get it from 192.168.0.1 today.
The ratio is 3:4 or 1/2.¦ Call 555-123-4567 now.
Open https://example.com/a.b?c=d,e.f.¦ Then read it.
Write to first.last@mail.example.org.¦ We answer soon.
Visit www.example.com/index.html now.¦ It is free.
The file is notes.txt in the folder.¦ Read it first.
"How are you?" he asked at once.¦ "I am fine."
“Stop right there!” she cried out.¦ Nobody stopped.
He said, “Go away. Never come back. I mean it.”¦ Then he left.
(This is an aside. It has two sentences.)¦ This one follows.
The end [see note 3. It is long] was near.¦ So they said.
She read 'Great Expectations.'¦ It was very long.
It was cold ... and it was dark.¦ They went home.
Wait... what is that thing over there?¦ Look again.
I do not know...¦ Perhaps we will see.
Yahoo! is a company name.¦ It was large once.
The apples, pears, etc. were gone.¦ We were hungry.
He has a Ph.D. in physics.¦ She has an M.D. as well.
Born in Sept. 1999 or Oct. 2000.¦ Nobody knows.
It rose 5% vs. 3% last year.¦ That is a lot.
A man approx. fifty years old came.¦ He sat down.
你好，我是小明。¦今天天气很好！¦我们去公园吧？
真的吗？！¦太好了！！！¦我们走吧。
那就出发，不要迟到……记得带水——还有帽子。
圆周率是3.14。¦一共1,234.56元。
现在是10:30。¦日期是2026-11-23。¦版本是2.0.1。
“你好吗？今天出海吗？”¦老人没有回答。
“你好吗？”他问。¦“我很好。”
「引用。再引用。」¦测试完了。
他说：“好的。我们走吧。”¦大家都站了起来。
（这是旁白。一共两句。）¦正文从这里开始。
《红楼梦。上》是一本书。¦我没有读过。
这里说的是(例如。这样)的情况。¦明白了吗？
他走了。¦"你好。再见。"¦大家都很难过。
他说:"好的。"¦然后就走了。
请访问https://example.com/a?b=c。¦谢谢大家。
邮箱是a.b@c.com。¦请写信给我们。
今天是星期一.¦明天是星期二.¦后天是星期三
「どこへ行きますか。」¦駅へ行きます。¦そうですか。
오늘은 날씨가 좋습니다.¦ 내일은 비가 옵니다.¦ 집에 있겠습니다.
我用 Python 写了代码。¦It works very well.¦ 你试试看。
他在 Apple Inc. 工作。¦工资很高。
Mr. Wang 来了。¦他住在 U.S. 很多年。
这是 v2.0 版本。¦请下载 app.exe 文件。
{行|hang2}走在路上。¦{U.S.|united states} is big.
他的名字是字(zi4)。¦很好听的名字。
[en]One thing. Two things.[/en]¦三件东西在这里。
1. Open the red box.\n¦2. Take the ball out.\n¦3. Close the box.
- 苹果和香蕉\n¦- 梨子和桃子\n¦- 葡萄和西瓜
一、打开这个盒子\n¦二、拿出里面的球
Chapter 1\n¦The boats came home.\n\n¦Nobody spoke.
# A heading here\n¦The text follows.
海港的早晨\n\n¦第一批渔船回来了。\n\n¦薄雾笼罩着水面。
床前明月光，\n¦疑是地上霜。\n¦举头望明月，
"""
LINES = [line.replace("\\n", "\n") for line in SENTENCES.strip().split("\n")]
TRICKY = (
    "0123456789 .,:;!?/-~%$€'\"#@&+()[]{}|“”‘’「」『』（）《》。，、；：？！…—·"
    + "aAbZéß中一不说他かーン가\n\r\t\u3000\u2029\u200b\u0301\U0001f600[pause 1s][en][/en]{字|zi4}字(zi4)"
)
ANY = st.text(max_size=200) | st.text(alphabet=TRICKY, max_size=200)
WORDS = st.sampled_from("boat harbour the a quiet came 清晨的 港口 渔船 回来 水 3.14 Dr. U.S. かもめ 오늘은".split())
SENTENCE = st.builds(
    lambda words, mark: " ".join(words) + mark,
    st.lists(WORDS, min_size=1, max_size=30),
    st.sampled_from([".", "!", "?", "。", "，", "……", ";", "\n", "\n\n"]),
)
PROSE = st.lists(SENTENCE, min_size=1, max_size=12).map(" ".join)


def check(text: str, pieces: list[Piece]) -> None:
    """What holds for every text: order, coverage, no empty piece, sensible pauses."""
    removed = "".join(text[start:end] for start, end, _ in pause_tags(text))
    place, gaps = 0, ""
    for piece in pieces:
        assert place <= piece.start < piece.end <= len(text)
        assert text[piece.start : piece.end].strip() == text[piece.start : piece.end]
        assert piece.text and piece.kind in PAUSES and piece.pause_after >= 0
        assert not pause_tags(piece.text)
        gaps += text[place : piece.start]
        place = piece.end
    gaps += text[place:]
    assert "".join(gaps.split()) == "".join(removed.split())
    assert all(piece.pause_before == 0 for piece in pieces[1:])


@pytest.mark.parametrize("line", LINES)
def test_sentences(line: str) -> None:
    text = line.replace("¦", "")
    pieces = split_text(text, target=0.5, longest=60)
    check(text, pieces)
    assert [piece.text for piece in pieces] == [part.strip() for part in line.split("¦")]


def test_the_table_is_long_enough() -> None:
    assert len(LINES) >= 60


def said(text: str, lang: str = "auto", target: float = TARGET, longest: float = LONGEST) -> list[str]:
    pieces = split_text(text, lang, target, longest)
    check(text, pieces)
    return [piece.text for piece in pieces]


def test_short_sentences_join_and_long_ones_are_cut_at_clauses() -> None:
    assert said("你好。我是小明。今天天气很好。") == ["你好。我是小明。今天天气很好。"]
    long = (
        "清晨的港口很安静而且很冷，第一批渔船刚刚从远方回来，薄雾笼罩着水面，海鸥站在石墙上等待它们，老人还在数篮子。"
    )
    halves = said(long, longest=8)
    assert len(halves) == 2 and all(half[-1] in "，。" and 3 <= estimate(half) <= 8 for half in halves)


def test_lengths_of_ordinary_prose() -> None:
    text = (
        "The harbour was quiet when the first boats came home, and nobody spoke. " * 40
        + "清晨的港口很安静，第一批渔船回来。" * 40
    )
    lengths = [estimate(piece) for piece in said(text)]
    assert sum(3 <= length <= 8 for length in lengths) > 0.95 * len(lengths) and max(lengths) <= LONGEST


def test_without_marks_words_are_kept_whole() -> None:
    text = "这是一个很长的没有任何标点的句子它一直继续下去直到所有的读者都感到疲倦为止" * 3
    pieces = said(text)
    assert len(pieces) > 2 and all(4 <= estimate(piece) <= 8 for piece in pieces)
    assert not any(first[-1] + second[0] in ("标点", "继续", "读者", "句子") for first, second in pairwise(pieces))
    english = said("boats " * 100)
    assert all(set(piece.split()) == {"boats"} for piece in english)
    units = said("it weighs 5 kg and " * 30, target=2, longest=3)
    assert not any(piece.startswith("kg") or piece.endswith("5") for piece in units)


def test_one_endless_word_is_cut_by_characters_but_never_inside_markup() -> None:
    assert "".join(said("a" * 1000)) == "a" * 1000
    assert all(estimate(piece) <= LONGEST for piece in said("a" * 1000))
    assert all(piece[0] != "\u0301" for piece in said("e\u0301" * 500))
    marked = said("{行|hang2}" * 60 + "字(zi4)" * 60, target=1, longest=2)
    assert all(piece.count("{") == piece.count("}") and piece.count("(") == piece.count(")") for piece in marked)


def test_quotations_stay_whole_unless_too_long() -> None:
    inner = "我们走吧。天要黑了。"
    text = f"他说了很久的话，大家都在听他讲，没有人离开：“{inner}”然后他就走了，再也没有人见过他。"
    assert any(f"“{inner}”" in piece for piece in said(text, target=2, longest=5))
    assert len(said(f"“{inner * 10}”")) > 2
    assert len(said("(" * 500 + "字。" * 100 + ")" * 500)) > 1


def test_a_long_language_span_is_cut_and_its_tags_written_again() -> None:
    sentence = "This is a sentence of some length that goes on for a while. "
    pieces = said(f"[en]{sentence * 8}".strip() + "[/en]")
    assert len(pieces) > 3
    assert all(piece.startswith("[en]This") and piece.endswith(".[/en]") for piece in pieces)
    assert said("[ja]東京[pause 1s]京都[/ja]") == ["[ja]東京[/ja]", "[ja]京都[/ja]"]


def test_wrapped_lines_go_on_with_a_space() -> None:
    text = "The harbour was quiet when the first boats of the\nmorning came home.\nNobody spoke."
    assert said(text)[0].startswith("The harbour was quiet when the first boats of the morning came home.")
    shouted = "THE HARBOUR WAS QUIET WHEN THE FIRST BOATS OF THE MORNING CAME HOME TO\nTHE BAY."
    assert said(shouted, target=1, longest=20) == [shouted.replace("\n", " ")]


def test_listed_lines_are_not_wrapped_lines() -> None:
    line = "Take the long red box from the upper shelf and open it with the small key"
    assert said(f"1. {line}\n2. {line}") == [f"1. {line}", f"2. {line}"]


def test_kinds_and_pauses() -> None:
    text = "第一章 海港\n\n清晨的港口很安静，渔船回来。大家都很高兴。\n\n薄雾笼罩着水面。[pause 2s]海鸥站在石墙上。"
    pieces = split_text(text, target=1.0, longest=4.0)
    assert [(piece.kind, piece.pause_after) for piece in pieces] == [
        ("heading", PAUSES["heading"]), ("sentence", PAUSES["sentence"]), ("paragraph", PAUSES["paragraph"]),
        ("tag", 2.0), ("end", 0.0),
    ]  # fmt: skip
    assert split_text(text, pauses={"heading": 3.0})[0].pause_after == 3.0
    assert 0.15 <= PAUSES["comma"] <= 0.2 and 0.3 <= PAUSES["sentence"] <= 0.4 and PAUSES["paragraph"] == 0.8


def test_a_piece_too_short_joins_across_a_paragraph_but_not_across_a_tag() -> None:
    assert said("序\n\n很久以前有一个人。") == ["序\n\n很久以前有一个人。"]
    assert said("很久以前有一个人。\n\n——\n\n他走了很远的路。") == ["很久以前有一个人。\n\n——", "他走了很远的路。"]
    assert said("嗯。[pause]他走了很远的路。") == ["嗯。", "他走了很远的路。"]


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("One.[pause]Two.", 0.5), ("One. [PAUSE 0.5s] Two.", 0.5), ("One.[pause 500ms]Two.", 0.5),
        ("One.[Pause 10 s]Two.", 10.0), ("One.[pause 0s]Two.", 0.0), ("One.[pause .25s]Two.", 0.25),
        ("One.[pause 1s] [pause 2s]Two.", 3.0),
    ],
)  # fmt: skip
def test_pause_tags(text: str, seconds: float) -> None:
    first, second = split_text(text)
    assert (first.text, second.text) == ("One.", "Two.") and first.pause_after == seconds


def test_pause_tags_at_the_ends() -> None:
    (piece,) = split_text("[pause 1s]Hello there.[pause 2s]")
    assert (piece.text, piece.pause_before, piece.pause_after) == ("Hello there.", 1.0, 2.0)
    assert split_text("[pause 1s]") == split_text(" \n") == []


@pytest.mark.parametrize(
    "tag", ["[pause 1x]", "[pause 1]", "[pause -1s]", "[pause 11s]", "[pause 1.2.3s]", "[pause 1e3s]"]
)
def test_a_bad_pause_is_refused_with_its_place(tag: str) -> None:
    with pytest.raises(UserError, match="at character 8") as caught:
        split_text(f"Hello. {tag} there")
    assert caught.value.hint and "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "text", ["A [pause for effect] here", "[pauses 1s] here", "[pause 1s", "[ pause ]", "[paused]"]
)
def test_other_brackets_are_text(text: str) -> None:
    assert said(text) == [text]


@pytest.mark.parametrize(("target", "longest"), [(0, 1), (-1, 1), (5, 4), (float("nan"), 4)])
def test_bad_limits_are_refused(target: float, longest: float) -> None:
    with pytest.raises(UserError, match="target"):
        split_text("text", target=target, longest=longest)


@settings(max_examples=300, deadline=None)
@given(ANY, st.sampled_from([(TARGET, LONGEST), (0.5, 1.0)]))
def test_nothing_is_lost_of_any_text(text: str, limits: tuple[float, float]) -> None:
    try:
        pause_tags(text)
    except UserError:
        return
    pieces = split_text(text, target=limits[0], longest=limits[1])
    check(text, pieces)
    for piece in pieces:  # only markup is never cut
        assert estimate(piece.text) <= limits[1] + 0.01 or any(sign in piece.text for sign in "{([")


@settings(max_examples=200, deadline=None)
@given(PROSE)
def test_a_piece_split_again_is_that_piece(text: str) -> None:
    """But for line ends in it, which may look like those of wrapped text once they stand alone."""
    for piece in split_text(text):
        assert [again.text.split() for again in split_text(piece.text)] == [piece.text.split()]


@settings(max_examples=100, deadline=None)
@given(PROSE, PROSE)
def test_paragraphs_are_split_apart(first: str, second: str) -> None:
    """A paragraph of its own length is not split differently for what follows it."""
    opening = "The harbour was quiet when the first boats came home. "
    first, second = opening + first.strip() + ". " + opening.strip(), opening + second
    alone = [piece.text for piece in split_text(first)]
    assert [piece.text for piece in split_text(f"{first}\n\n{second}")][: len(alone)] == alone


@pytest.mark.parametrize(
    "unit",
    ["港口很安静，渔船回来。", "The boats came home at 10:30. ", "a", "1,", "(", "啊!”", "a\n", "港", '"', "[en]"],
)
def test_time_is_linear(unit: str) -> None:
    def spent(size: int) -> float:
        text = unit * (size // len(unit.encode()))
        start = time.process_time()
        split_text(text)
        return time.process_time() - start

    small = min(spent(30_000) for _ in range(3))
    assert min(spent(120_000) for _ in range(2)) < 8 * small + 0.5
