"""The sentences of the demonstration voices are read whole, without a warning."""

from __future__ import annotations

import pytest

from voice.text import read_text

ENGLISH = """The harbour was quiet when the first boats came home.
Why do you always count them twice, her brother asked.
Children ran between the stalls and shouted for their mothers.
Only the lighthouse keeper stayed, watching the grey line of the sea.
He knew that every honest record begins with what you saw yourself."""
CHINESE = """清晨的港口很安静，第一批渔船刚刚回来。
弟弟问她，你为什么总是要数两遍？
到了中午，市场里充满了吆喝声、铃声和面包的香味。
一位老人在卖地图，上面的岛屿谁也没有去过。
北风吹起来的时候，商贩们收起布匹回家了。"""


@pytest.mark.parametrize("line", ENGLISH.splitlines())
def test_english_demo_lines_keep_every_word(line: str) -> None:
    reading = read_text(line, "en")
    assert reading.warnings == ()
    assert reading.norm == line


@pytest.mark.parametrize("line", CHINESE.splitlines())
def test_chinese_demo_lines_keep_every_character(line: str) -> None:
    reading = read_text(line, "zh")
    assert reading.warnings == ()
    assert reading.norm == line.translate(str.maketrans("，。？、", ",.?,"))
