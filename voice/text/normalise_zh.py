"""Chinese text made speakable: dates, times, amounts, units and signs written out in characters."""

from __future__ import annotations

import re
from collections.abc import Callable

from voice.text.numbers_zh import cardinal, digits, telephone

_NUMBER = r"(?<!\d)\d+(?:\.\d+)?"
_UNITS = {
    "km/h": "千米每小时", "m/s": "米每秒", "km²": "平方千米", "km": "千米", "cm²": "平方厘米",
    "cm": "厘米", "mm": "毫米", "kg": "千克", "mg": "毫克", "ml": "毫升", "mL": "毫升", "dB": "分贝",
    "db": "分贝", "kHz": "千赫兹", "MHz": "兆赫兹", "GHz": "吉赫兹", "Hz": "赫兹", "m²": "平方米",
    "m³": "立方米", "ms": "毫秒", "min": "分钟", "m": "米", "g": "克", "s": "秒", "h": "小时", "L": "升",
    "kW": "千瓦", "W": "瓦", "V": "伏", "㎡": "平方米",
}  # fmt: skip
UNIT_CHOICE = "|".join(re.escape(unit) for unit in sorted(_UNITS, key=len, reverse=True))
_MONEY = {"$": "美元", "£": "英镑", "€": "欧元", "¥": "元", "￥": "元"}
_MEASURES = (
    "个只条张块瓶杯份本辆台匹头位天年周秒遍次种件名家座间双套支把倍颗根朵片门场首句篇册部艘架幅群对副碗盘盒袋包箱"
    "斤吨升米克元岁点分人"
)
_MEASURE = rf"(?:[{_MEASURES}]|小时|分钟|星期|公里|公斤|千米|千克|平方|美元|欧元|英镑|[多余几])"
_BEFORE_NAME = r"(?:号码|电话|手机|热线|密码|编号|代码|邮编|尾号|房间|QQ|学号|账号|号)"
_SIGNS = {
    "+": "加", "=": "等于", "×": "乘", "÷": "除以", "±": "正负", "&": "和", "@": "艾特", "#": "井号",
    "<": "小于", ">": "大于", "°": "度", "²": "平方", "³": "立方", "$": "美元", "£": "英镑", "€": "欧元",
    "¥": "元", "%": "百分号", "~": "到", "/": "每", "α": "阿尔法", "β": "贝塔", "γ": "伽马",
    "δ": "德尔塔", "π": "派", "Ω": "欧姆", "℃": "摄氏度", "℉": "华氏度", "‰": "千分号", "№": "号",
}  # fmt: skip

_Replacement = str | Callable[[re.Match[str]], str]


def _year(m: re.Match[str]) -> str:
    """Four digits digit by digit; other lengths count years (20年) unless a month follows."""
    coded = (len(m[1]) == 4 and "1000" <= m[1] < "2100") or (len(m[1]) == 2 and m[2])
    return (digits(m[1]) if coded else cardinal(m[1])) + "年" + m[2]


def _iso_date(m: re.Match[str]) -> str:
    if not (1 <= int(m[3]) <= 12 and 1 <= int(m[4]) <= 31):
        return m[0]
    return f"{digits(m[1])}年{cardinal(str(int(m[3])))}月{cardinal(str(int(m[4])))}日"


def _time(m: re.Match[str]) -> str:
    hour, minute, second = str(int(m[1])), int(m[2]), m[3]
    spoken = ("两" if hour == "2" else cardinal(hour)) + "点"
    if minute == 30 and not second:
        return spoken + "半"
    if minute or second:
        spoken += ("零" if minute < 10 else "") + (cardinal(str(minute)) if minute else "") + "分"
    if second:
        spoken += ("零" if int(second) < 10 else "") + (cardinal(str(int(second))) if int(second) else "") + "秒"
    return spoken


def _temperature(m: re.Match[str]) -> str:
    scale = "华氏度" if m[3] in ("℉", "°F") else "摄氏度"
    return ("零下" if m[1] or m[0].startswith("零下") else "") + cardinal(m[2]) + scale


def _counted(m: re.Match[str]) -> str:
    return "两" if m[1] == "2" else cardinal(m[1])


def _bare(m: re.Match[str]) -> str:
    """A number nothing explains: long ones are codes; the rest count."""
    return telephone(m[0]) if len(m[0]) >= 7 and "." not in m[0] else cardinal(m[0])


_RULES: list[tuple[str, _Replacement]] = [
    (r"(?<=\d),(?=\d{3}(?!\d))", ""),
    (r"(?<!\d)(\d{4})([-/.])(\d{1,2})\2(\d{1,2})(?!\d)日?", _iso_date),
    (r"(?<!\d)(\d{1,4})年(?!级)(\d{1,2}月|)", _year),
    (r"(\d{1,2}:\d{2}(?::\d{2})?)\s?[-~]\s?(?=\d{1,2}:\d{2})", r"\1至"),
    (r"(?<!\d)([01]?\d|2[0-4]):([0-5]\d)(?::([0-5]\d))?(?!\d)", _time),
    (rf"(?:(?<![A-Za-z\d])(-)|零下)?({_NUMBER})\s?(℃|°C|℉|°F)", _temperature),
    (
        rf"([$£€¥￥])\s?({_NUMBER})([万亿]?)(?:美元|欧元|英镑|元)?",
        lambda m: cardinal(m[2]) + m[3] + _MONEY[m[1]],
    ),
    (rf"(?<![A-Za-z\d])({_NUMBER})\s?({UNIT_CHOICE})(?![A-Za-z])", lambda m: _counted(m) + _UNITS[m[2]]),
    (rf"(-?)({_NUMBER})%", lambda m: "百分之" + ("负" if m[1] else "") + cardinal(m[2])),
    (rf"(-?)({_NUMBER})‰", lambda m: "千分之" + ("负" if m[1] else "") + cardinal(m[2])),
    (r"(?<=[之零一二三四五六七八九十百千万亿])[-~](?=百分之|千分之)", "至"),
    (r"(?<![\d/])(\d+)/(\d+)(?![\d/])", lambda m: f"{cardinal(m[2])}分之{cardinal(m[1])}"),
    (r"(?<!\d)(?:1[3-9]\d{9}|0\d{2,3}-\d{7,8}|[48]00-?\d{3}-?\d{4})(?!\d)", lambda m: telephone(m[0])),
    (rf"({_BEFORE_NAME}(?:是|为|,)?\s?)(\d{{3,}})(?![.\d])", lambda m: m[1] + telephone(m[2])),
    (r"(?<!\d)\d+(?:\.\d+){2,}", lambda m: "点".join(map(cardinal, m[0].split(".")))),
    (rf"({_NUMBER})(?:-|\s?~\s?)(?={_NUMBER})", r"\1到"),
    (r"(?<=\d)\s?:\s?(?=\d)", "比"),
    (r"(?<=\d)\s-\s(?=\d)", "减"),
    (r"(?<=\d)\s?([+×÷=])\s?(?=-?\d)", lambda m: {"+": "加", "×": "乘", "÷": "除以", "=": "等于"}[m[1]]),
    (r"(?<![A-Za-z\d])-(?=\d)", "负"),
    (rf"(?<![.\d第])(\d+)(?=\s?{_MEASURE})", _counted),
    (r"第(\d+)", lambda m: "第" + cardinal(m[1])),
    (rf"{_NUMBER}", _bare),
]
_COMPILED = [(re.compile(rule), to) for rule, to in _RULES]


def spell_out(text: str) -> str:
    """Cleaned Chinese text with every number and readable sign replaced by characters; other signs stay."""
    for rule, replacement in _COMPILED:
        text = rule.sub(replacement, text)
    for sign, words in _SIGNS.items():
        text = text.replace(sign, words)
    return text
