"""Tone changes of spoken Mandarin: 不, 一, neutral syllables and third tones, over one phrase.

A phrase is what stands between two marks. Rules follow specification 5.3 where a word list is not
needed; neutral tone uses a short list of everyday words.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate

from voice.text.segment_zh import parts_of

_NUMERALS = frozenset("零一二三四五六七八九十百千万亿〇两几")
_CARRIERS = frozenset("百千万亿")  # 一 changes before these although they are numerals
_ORDINAL_BEFORE = ("第", "周", "星期", "礼拜", "初", "月", "年", "点", "号")
_ORDINAL_AFTER = frozenset("月日号")
_RESULTS = frozenset("懂见到起动住完清开出下上来去得好了过")
_VERBS = frozenset("看听说想找吃买来起受站坐做写读记忍走跑赶睡打算对舍料管进出回过用")
_PARTICLES = frozenset("吗呢吧啊呀哇嘛啦们么")
_NEUTRAL_LAST = frozenset(
    (
        "东西 事情 朋友 先生 学生 知识 消息 时候 地方 衣服 漂亮 便宜 舒服 明白 清楚 告诉 认识 意思 "
        "关系 休息 喜欢 觉得 晓得 记得 舍得 懂得 值得 麻烦 客气 葡萄 萝卜 豆腐 馒头 石头 木头 骨头 "
        "舌头 前头 后头 里头 外头 上头 丫头 念头 跟头 眼睛 耳朵 鼻子 嘴巴 下巴 尾巴 胳膊 头发 指甲 "
        "屁股 脑袋 身子 妈妈 爸爸 爷爷 奶奶 哥哥 弟弟 姐姐 妹妹 叔叔 舅舅 姑姑 公公 婆婆 太太 娃娃 "
        "星星 猩猩 宝宝 丈夫 媳妇 亲家 亲戚 大夫 护士 师傅 徒弟 伙计 姑娘 月亮 云彩 棉花 窗户 钥匙 "
        "扫帚 算盘 行李 买卖 生意 力气 福气 脾气 运气 名字 故事 笑话 答应 招呼 商量 打听 收拾 打扮 "
        "打算 安排 耽误 咳嗽 哆嗦 糊涂 聪明 老实 厉害 痛快 凉快 暖和 热闹 干净 结实 新鲜 模糊 随便 "
        "别人 人家 咱们 什么 怎么 那么 这么 多么 这个 那个 哪个 晚上 早上 世界上 桌上 身上 墙上 地上 "
        "天上 路上 书上 手上 家里 屋里 心里 手里 夜里 城里 这里 那里 哪里 进来 出来 回来 起来 下来 "
        "上来 过来 进去 出去 回去 下去 上去 过去 部分 分量 分寸 本事 见识 薪水 利索 规矩 讲究"
    ).split()
)
_PLAIN_CHILD = frozenset("女儿 婴儿 幼儿 孤儿 男儿 少儿 胎儿 患儿 健儿 宠儿 婴幼儿 托儿 小儿 儿 产儿 新生儿".split())

# Words where 子 is a full syllable, "child", "master" or "particle".
_FULL_CHILD = frozenset(
    (
        "孔子 老子 孟子 庄子 君子 才子 王子 太子 弟子 质子 中子 离子 粒子 量子 光子 莲子 精子 游子 "
        "棋子 因子 电子 原子 分子 女子 男子 父子 母子 子子 天子 独子 长子 次子 赤子 臣子 浪子 骄子 "
        "瓜子 鱼子"
    ).split()
)


def apply_sandhi(words: Sequence[str], syllables: Sequence[Sequence[str]], fixed: Sequence[bool]) -> list[str]:
    """Numbered pinyin of a phrase, one syllable a character, with its spoken tones.

    fixed: words whose reading the user gave; they influence others but are not changed.
    """
    text = "".join(words)
    starts = [0, *accumulate(len(word) for word in words)]
    flat = [syllable for group in syllables for syllable in group]
    tones = [syllable[-1:] for syllable in flat]
    for word, start in zip(words, starts, strict=False):
        _neutral(word, start, tones)
    base = list(tones)
    _third_tones(words, starts, tones)
    for place, character in enumerate(text):
        if character == "不":
            tones[place] = _tone_of_bu(text, place, base)
        elif character == "一":
            tones[place] = _tone_of_yi(words, starts, text, place, base)
    kept = [given for word, given in zip(words, fixed, strict=True) for _ in word]
    return [
        syllable if keep or not syllable else syllable[:-1] + tone
        for syllable, tone, keep in zip(flat, tones, kept, strict=True)
    ]


def _neutral(word: str, start: int, tones: list[str]) -> None:
    """Particles, suffixes and listed words end in a neutral syllable; a final 儿 copies its neighbour."""
    end = start + len(word) - 1
    if len(word) > 1 and word[-1] == "儿" and word not in _PLAIN_CHILD:
        tones[end] = tones[end - 1]
    elif word in _FULL_CHILD:
        tones[end] = "3"
    elif word in _NEUTRAL_LAST or word[-1] in _PARTICLES or (word[-1] == "子" and len(word) == 2):
        tones[end] = "5"


def _tone_of_bu(text: str, place: int, base: Sequence[str]) -> str:
    before, after = (text[place - 1 : place] if place else "", text[place + 1 : place + 2])
    if before and after and (before == after or (before in _VERBS and after in _RESULTS)):
        return "5"
    return "2" if after and base[place + 1] == "4" else "4"


def _tone_of_yi(words: Sequence[str], starts: Sequence[int], text: str, place: int, base: Sequence[str]) -> str:
    before, after = text[:place], text[place + 1 : place + 2]
    if not after or (before.endswith(_ORDINAL_BEFORE) and not (before.endswith(("年", "月", "点")) and _phrase(after))):
        return "1"
    if before[-1:] == after and after not in _NUMERALS:
        return "5"
    if (before[-1:] and before[-1] in _NUMERALS) or (after in _NUMERALS and after not in _CARRIERS):
        return "4" if after in "百千" and before[-1:] in "百千万亿" and before else "1"
    if after in _ORDINAL_AFTER and after != "号":
        return "1"
    ends_word = any(start + len(word) - 1 == place for word, start in zip(words, starts, strict=False) if len(word) > 1)
    if ends_word:
        return "1"
    return "2" if base[place + 1] == "4" else "4"


def _phrase(after: str) -> bool:
    """Whether 一 belongs to what follows it and not to a date or decimal before it."""
    return after in "个次样直起些定般边下点百千万"


def _third_tones(words: Sequence[str], starts: Sequence[int], tones: list[str]) -> None:
    """Third before third becomes second: inside words, then across short neighbours from the right."""
    for word, start in zip(words, starts, strict=False):
        _inside(word, start, tones)
    for place in range(len(words) - 2, -1, -1):
        edge = starts[place + 1] - 1
        short = len(words[place]) + len(words[place + 1]) <= 3
        if short and tones[edge] == tones[edge + 1] == "3":
            tones[edge] = "2"


def _inside(word: str, start: int, tones: list[str]) -> None:
    if len(word) >= 4:
        for pair in range(start, start + len(word) - 1, 2):
            if tones[pair] == tones[pair + 1] == "3":
                tones[pair] = "2"
        return
    head = len(parts_of(word)[0]) if len(word) == 3 else 0
    # 1+2 (纸老虎) keeps its first syllable; 2+1 (展览馆) and pairs change from the left.
    order = range(start + len(word) - 2, start - 1, -1) if head == 1 else range(start, start + len(word) - 1)
    for place in order:
        if tones[place] == tones[place + 1] == "3":
            tones[place] = "2"
