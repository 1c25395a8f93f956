"""Mandarin reading: numbers in characters, then pinyin with its spoken tones."""

from __future__ import annotations

import pytest

from voice.text import read_text


def pinyin(text: str) -> str:
    """Onset and rime of every character joined, a space between characters, marks as they are."""
    reading = read_text(text, "zh")
    assert reading.warnings == ()
    pieces, place = [], 0
    for size in reading.word2ph:
        pieces.append("".join(reading.phones[place : place + size]))
        place += size
    return " ".join(pieces)


@pytest.mark.parametrize(
    ("text", "spoken"),
    [
        ("你好", "ni2 hao3"),
        ("行长", "hang2 zhang3"),
        ("银行行长", "yin2 hang2 hang2 zhang3"),
        ("长江长大", "chang2 jiang1 zhang3 da4"),
        ("音乐快乐", "yin1 yve4 kuai4 le4"),
        ("不对", "bu2 dui4"),
        ("不要看不懂", "bu2 yao4 kan4 bu5 dong3"),
        ("一个", "yi2 ge5"),
        ("一本书", "yi4 ben3 shu1"),
        ("看一看", "kan4 yi5 kan4"),
        ("第一天", "di4 yi1 tian1"),
        ("统一", "tong3 yi1"),
        ("星期一早上", "xing1 qi1 yi1 zao3 shang5"),
        ("一百一十一", "yi4 bai3 yi1 shir2 yi1"),
        ("纸老虎", "zhir3 lao2 hu3"),
        ("展览馆", "zhan2 lan2 guan3"),
        ("很好理解", "hen2 hao3 li2 jie3"),
        ("我想买酒", "wo2 xiang3 mai2 jiu3"),
        ("孩子们", "hai2 zi05 men5"),
        ("电子王子", "dian4 zi03 wang2 zi03"),
        ("花儿", "hua1 EEer1"),
        ("女儿", "nv3 EEer2"),
        ("三只小猫", "san1 zhir1 xiao3 mao1"),
        ("我得走了", "wo3 dei2 zou3 le5"),
        ("数两遍数字", "shu2 liang3 bian4 shu4 zi04"),
        ("知识,资源", "zhir1 shir5 , zi01 yvan2"),
        ("嗯，是的。", "EEen1 , shir4 de5 ."),
        ("安哦鹅", "AAan1 OOo2 EEe2"),
    ],
)
def test_words_are_read_with_their_spoken_tones(text: str, spoken: str) -> None:
    assert pinyin(text) == spoken


@pytest.mark.parametrize(
    ("text", "norm"),
    [
        ("8:30-12:30开会，15:05:09结束。", "八点半至十二点半开会,十五点零五分零九秒结束."),
        ("第1名得到0.5分", "第一名得到零点五分"),
        ("2023-10-01到2023-10-07放假", "二零二三年十月一日到二零二三年十月七日放假"),
        ("2024年3月15日", "二零二四年三月十五日"),
        ("20年后，5000年历史", "二十年后,五千年历史"),
        ("0078号", "零零七八号"),
        ("5~10个，20%~30%", "五到十个,百分之二十至百分之三十"),
        ("2个苹果，2月", "两个苹果,二月"),
        ("速度100km/h，5kg，3mm", "速度一百千米每小时,五千克,三毫米"),
        ("1+1=2，5×3=15", "一加一等于二,五乘三等于十五"),
        ("气温-3.5°C，零下5℃", "气温零下三点五摄氏度,零下五摄氏度"),
        ("价格是¥1,234.56元", "价格是一千二百三十四点五六元"),
        ("电话13812345678", "电话幺三八幺二三四五六七八"),
        ("房间号302", "房间号三零二"),
        ("100000000人", "一亿人"),
        ("第1-3节，比分3:2", "第一到三节,比分三比二"),
        ("1/3，1.2.3版本", "三分之一,一点二点三版本"),
        ("２０２４年", "二零二四年"),
        ("《书名》（括号）", "书名括号"),
        ("慢慢走……好吧", "慢慢走…好吧"),
        ("谢谢、再见；走吧！！", "谢谢,再见,走吧!"),
        ("人々", "人人"),
    ],
)
def test_text_is_written_out_in_characters(text: str, norm: str) -> None:
    reading = read_text(text, "zh")
    assert reading.norm == norm
    assert reading.warnings == ()


def test_every_character_has_two_phones_and_every_mark_one() -> None:
    reading = read_text("今天天气很好，我们去公园吧？")
    assert reading.words == tuple("今天天气很好,我们去公园吧?")
    assert reading.word2ph == (2,) * 6 + (1,) + (2,) * 6 + (1,)
    assert set(reading.langs) == {"zh"}


def test_segmentation_leaves_no_file_behind(tmp_path: object, monkeypatch: pytest.MonkeyPatch) -> None:
    import os
    import tempfile

    from voice.text import segment_zh

    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    segment_zh._load.cache_clear()
    assert segment_zh.words_of("今天天气很好") == ["今天天气", "很", "好"]
    assert os.listdir(str(tmp_path)) == []
