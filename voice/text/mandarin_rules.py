"""The rules that write Chinese numbers out: what to look for, and what to say instead, in order."""

from __future__ import annotations

import re
from collections.abc import Callable

from voice.text.numbers_zh import cardinal, counted, digits, telephone, unexplained

Replacement = str | Callable[[re.Match[str]], str]

NUMBER = r"(?<![\d.])\d+(?:\.\d+)?(?!\d)"
UNITS = {
    "km/h": "千米每小时", "m/s": "米每秒", "km²": "平方千米", "km": "千米", "cm²": "平方厘米", "cm³": "立方厘米",
    "cm": "厘米", "mm²": "平方毫米", "mm": "毫米", "kg": "千克", "mg": "毫克", "ml": "毫升", "mL": "毫升",
    "dB": "分贝", "db": "分贝", "kHz": "千赫兹", "MHz": "兆赫兹", "GHz": "吉赫兹", "Hz": "赫兹", "m²": "平方米",
    "m³": "立方米", "ms": "毫秒", "min": "分钟", "m": "米", "g": "克", "s": "秒", "h": "小时", "L": "升",
    "kW": "千瓦", "W": "瓦", "V": "伏", "㎡": "平方米", "kWh": "千瓦时", "mA": "毫安", "mAh": "毫安时",
}  # fmt: skip
UNIT_CHOICE = "|".join(re.escape(unit) for unit in sorted(UNITS, key=len, reverse=True))
MONEY = {"$": "美元", "£": "英镑", "€": "欧元", "¥": "元", "￥": "元"}
SIGNS = {
    "+": "加", "=": "等于", "×": "乘", "÷": "除以", "±": "正负", "&": "和", "@": "艾特", "#": "井号",
    "<": "小于", ">": "大于", "°": "度", "²": "平方", "³": "立方", "$": "美元", "£": "英镑", "€": "欧元",
    "¥": "元", "%": "百分号", "~": "到", "/": "每", "℃": "摄氏度", "℉": "华氏度", "‰": "千分号", "№": "号",
    "√": "根号", "≈": "约等于", "≤": "小于等于", "≥": "大于等于", "≠": "不等于", "∞": "无穷大",
    "α": "阿尔法", "β": "贝塔", "γ": "伽玛", "δ": "德尔塔", "ε": "艾普西龙", "θ": "西塔", "λ": "兰姆达",
    "μ": "缪", "π": "派", "σ": "西格玛", "φ": "斐", "ω": "欧米伽", "Ω": "欧姆", "Δ": "德尔塔", "Σ": "西格玛",
}  # fmt: skip
# Words that count, so 2 before them is 两; 楼, 号, 月, 班, 级 and the like number and keep 二.
_COUNTING = (
    "个只条张块瓶杯份本辆台匹头位天周秒遍次种件名家座间双套支把倍颗根朵片门场首句篇册部艘架幅群对副碗盘盒袋包箱"
    "斤吨升米克元岁点分人页步例票处集道层堂节顿回趟株棵粒枚户口段行列排组队项寸尺丈亩毛角里晚夜万亿千桌针声滴桶"
)
COUNTED = (
    rf"(?:[{_COUNTING}]|年(?!级)|小时|分钟|星期|公里|公斤|公顷|毫米|厘米|千米|千克|平方|立方|美元|欧元|英镑|"
    r"[多余几来]个)"
)
_NUMBERING = r"(?:[月日号楼班级度折成期届环路]|世纪|年级|单元|[多余几])"
_EXPLAINED = rf"(?:{UNIT_CHOICE}|{COUNTED}|{_NUMBERING}|[%‰°\.])"
# What a run of digits after these words is: a name, not an amount.
_NAMES = (
    r"(?:号码|电话|手机|热线|密码|编号|代码|邮编|尾号|房间号?|QQ号?|学号|账号|卡号|单号|工号|验证码|编码|车牌|门牌|"
    r"身份证|报警|火警|急救|拨打|致电|登录|号)"
)
_CALLED = r"(?:打|拨|叫|找)"
_NAMED = (
    r"(?:室|房(?!间)|房间|号|路(?=公交|车|电车|[,.!?…]|$)|国道|省道|县道|高校|医院|中学|事件|航班|次列车|次航班|次车|"
    r"次动车|次高铁|飞机|部队|工程)"
)
_AMOUNT_BEFORE = r"(?<=[共约超达近仅满足过])"
_WINNING = r"(?:大?比分|总分|比例尺?|比率|配比|战绩)(?:是|为|定格在|,)?\s?"
_WON = r"(?=\s?(?:获胜|取胜|战胜|击败|险胜|完胜|大胜|战平|不敌|惜败|落败|领先|落后|逆转|胜|负|输|赢|平))"
_WHEN_BEFORE = r"(?:[于在至到从自]|日期|截止|截至|今天是|时间|定在)[:,]?\s?"
_WHEN_AFTER = r"(?=\s?\(?(?:周|星期|礼拜|前|之前|后|之后|上午|下午|晚|早|中午|召开|截止|开始|结束|上线|发布))"
_CENTURY = r"(?:19|20)\d\d"


def _date(month: str, day: str) -> str:
    return f"{cardinal(str(int(month)))}月{cardinal(str(int(day)))}日"


def _is_day(month: str, day: str) -> bool:
    return 1 <= int(month) <= 12 and 1 <= int(day) <= 31


def _year(m: re.Match[str]) -> str:
    """Four digits digit by digit; other lengths count years (两年) unless a month follows."""
    coded = (len(m[1]) == 4 and "1000" <= m[1] < "2100") or (len(m[1]) == 2 and m[2])
    return (digits(m[1]) if coded else counted(m[1])) + "年" + m[2]


def _iso_date(m: re.Match[str]) -> str:
    return f"{digits(m[1])}年{_date(m[3], m[4])}" if _is_day(m[3], m[4]) else m[0]


def _month_day(m: re.Match[str]) -> str:
    return m["lead"] + _date(m["month"], m["day"]) if _is_day(m["month"], m["day"]) else m[0]


def _time(m: re.Match[str]) -> str:
    hour, minute, second = str(int(m[1])), int(m[2]), m[3]
    spoken = counted(hour) + "点"
    if minute == 30 and not second:
        return spoken + "半"
    if minute or second:
        spoken += ("零" if minute < 10 else "") + (cardinal(str(minute)) if minute else "") + "分"
    if second:
        spoken += ("零" if int(second) < 10 else "") + (cardinal(str(int(second))) if int(second) else "") + "秒"
    return spoken


def _temperature(m: re.Match[str]) -> str:
    scale = {"C": "摄氏度", "℃": "摄氏度", "度": "度"}.get(m[3][-1], "华氏度")
    return ("零下" if m[1] or m[0].startswith("零下") else "") + cardinal(m[2]) + scale


def _grouped(m: re.Match[str]) -> str:
    """Thousands between commas: the commas go, and where nothing else explains the number it counts."""
    plain = m[0].replace(",", "")
    explained = re.match(rf"\s?{_EXPLAINED}", m.string[m.end() :]) or m.string[: m.start()].rstrip()[-1:] in MONEY
    return plain if explained else cardinal(plain)


def _percent(m: re.Match[str]) -> str:
    whole = "千分之" if m[0].endswith("‰") else "百分之"
    return ("负" if m[1] else "") + whole + ("百" if m[2] == "100" and whole == "百分之" else cardinal(m[2]))


def _parts(m: re.Match[str]) -> str:
    """A telephone number; its parts are heard apart, the country code is not."""
    code = "加" if m[0].startswith("+") else ""
    return code + ",".join(telephone(part) for part in re.split(r"[- ]", m[0].lstrip("+")) if part)


RULES: list[tuple[str, Replacement]] = [
    (r"[#*](?=\s?(?:号|键))", lambda m: "井" if m[0] == "#" else "星"),
    (rf"(?<![A-Za-z\d])-(?={NUMBER}\s?[-~]\s?{NUMBER}\s?(?:℃|°C|℉|°F|度))", "零下"),
    (r"(?<![\d,.])\d{1,3}(?:,\d{3})+(?![\d,])", _grouped),
    (r"(?<!\d)(?:\+86[- ]?)?1[3-9]\d([- ]?)\d{4}\1\d{4}(?!\d)", _parts),
    (r"(?<!\d)0\d{2,3}-\d{7,8}(?:-\d{1,6})?(?!\d)|(?<!\d)[48]00(-?)\d{3}\1\d{4}(?!\d)", _parts),
    (r"(?<!\d)[48]00(?=电话|热线|客服)", lambda m: telephone(m[0])),
    (r"(?<!\d)(\d{4})([-/.])(\d{1,2})\2(\d{1,2})(?!\d)日?", _iso_date),
    (rf"(?P<lead>{_WHEN_BEFORE})(?P<month>\d\d?)/(?P<day>\d\d?)(?![\d/])", _month_day),
    (rf"(?P<lead>)(?<![\d/])(?P<month>\d\d?)/(?P<day>\d\d?)(?![\d/]){_WHEN_AFTER}", _month_day),
    (r"(?<!\d)(\d)年(\d{1,2})班", lambda m: f"{cardinal(m[1])}年{cardinal(m[2])}班"),
    (rf"(?<!\d)({_CENTURY})\s?[-~]\s?(?={_CENTURY}(?!\d|\s?[个元人]))", lambda m: digits(m[1]) + "到"),
    (rf"(?<!\d){_CENTURY}(?=级|届|款|学年|赛季)", lambda m: digits(m[0])),
    (r"(?<!\d)[05-9][05]后(?![天年来期])", lambda m: digits(m[0]) + "后"),
    (r"(?<!\d)(\d{1,4})年(?!级)(\d{1,2}月|)", _year),
    (rf"({_WINNING})(\d+)\s?[:-]\s?(\d+)(?!\d)", lambda m: f"{m[1]}{cardinal(m[2])}比{cardinal(m[3])}"),
    (rf"(?<!\d)(\d+)\s?[:-]\s?(\d+){_WON}", lambda m: f"{cardinal(m[1])}比{cardinal(m[2])}"),
    (r"(\d{1,2}:\d{2}(?::\d{2})?)\s?[-~]\s?(?=\d{1,2}:\d{2})", r"\1至"),
    (r"(?<!\d)([01]?\d|2[0-4]):([0-5]\d)(?::([0-5]\d))?(?!\d)", _time),
    (rf"(\d\s?(?:°[CF]?|℃|℉|%|‰|(?:{UNIT_CHOICE})(?![A-Za-z])))\s?[-~]\s?(?=\d)", r"\1至"),
    (
        rf"(?:(?<![A-Za-z\d])(-)|零下)?({NUMBER})\s?(℃|°C|℉|°F)|(?<![A-Za-z\d])(?:-)()(?=\d+度)",
        lambda m: "零下" if m[3] is None else _temperature(m),
    ),
    (
        rf"([$£€¥￥])\s?({NUMBER})([万亿]?)(?:美元|欧元|英镑|元)?",
        lambda m: cardinal(m[2]) + m[3] + MONEY[m[1]],
    ),
    (rf"(?<![A-Za-z\d])({NUMBER})\s?({UNIT_CHOICE})(?![A-Za-z])", lambda m: counted(m[1]) + UNITS[m[2]]),
    (
        rf"({NUMBER})\s?[-~]\s?({NUMBER})([%‰])",
        lambda m: ("百" if m[3] == "%" else "千") + f"分之{cardinal(m[1])}到{cardinal(m[2])}",
    ),
    (rf"(?:(?<![A-Za-z\d])(-))?({NUMBER})[%‰]", _percent),
    (r"(?<![\d/])(\d+)/(\d+)(?![\d/])", lambda m: f"{cardinal(m[2])}分之{cardinal(m[1])}"),
    (r"(?<![\d.])\d{1,3}(?:\.\d{1,3}){3}(?![\d.])", lambda m: "点".join(map(telephone, m[0].split(".")))),
    (r"(?<!\d)\d+(?:\.\d+){2,}", lambda m: "点".join(map(cardinal, m[0].split(".")))),
    (r"第(\d+)", lambda m: "第" + cardinal(m[1])),
    (rf"({_NAMES}(?:是|为|,)?\s?)(\d{{3,}})(?![.\d])", lambda m: m[1] + telephone(m[2])),
    (rf"({_CALLED}\s?)(\d{{3,}})(?![.\d]|\s?{_EXPLAINED})", lambda m: m[1] + unexplained(m[2])),
    (rf"(?<![.\d])\d{{3,}}(?={_NAMED})", lambda m: telephone(m[0])),
    (r"(?<=[图表])\s?(\d+)-(\d+)", lambda m: f"{cardinal(m[1])}杠{cardinal(m[2])}"),
    (r"(?<=\d)\s?-\s?(?=\d[\d\s+\-×÷*.]*=)", "减"),
    (
        rf"(?<![.\d])(\d+)\s?[-~]\s?(\d+)(?=\s?{COUNTED})",
        lambda m: f"{counted(m[1])}到{counted(m[2])}",
    ),
    (r"(?<=\d[月日号年万亿元岁点个])\s?[-~]\s?(?=\d)", "到"),
    (r"(?<=[零一二三四五六七八九十百千万亿])-(?=\d)", "到"),
    (rf"({NUMBER})(?:-|\s?~\s?)(?={NUMBER})", lambda m: cardinal(m[1]) + "到"),
    (r"(?<!\d)(\d+)\s?:\s?(\d+)(?!\d)", lambda m: f"{cardinal(m[1])}比{cardinal(m[2])}"),
    (r"(?<=\d)\s?:\s?(?=\d)", "比"),
    (r"(?<=[\d²³])\s-\s(?=\d)", "减"),
    (r"²(?=\s?[+\-×÷=,.!?]|$)|(?<=\d)²", "的二次方"),
    (r"³(?=\s?[+\-×÷=,.!?]|$)|(?<=\d)³", "的三次方"),
    (r"(?<=[\d方])\s?([+×÷=*])\s?(?=-?\d)", lambda m: {"+": "加", "=": "等于", "÷": "除以"}.get(m[1], "乘")),
    (r"(?<![A-Za-z\d])-(?=\d)", "负"),
    (rf"(?<![.\d第])(\d+)(?=\s?{COUNTED})", lambda m: counted(m[1])),
    (rf"{_AMOUNT_BEFORE}\s?(\d+)", lambda m: cardinal(m[1])),
    (
        rf"(?<![.\d])\d+(?=\s?{_NUMBERING})|(?<=[加减乘以于比])\d+|(?<=[零一二三四五六七八九十百千万亿]到)\d+|(?<![.\d])\d+(?=[加减乘除等比到])",
        lambda m: cardinal(m[0]),
    ),
    (r"\d+(?:\.\d+)?", lambda m: unexplained(m[0])),
]
