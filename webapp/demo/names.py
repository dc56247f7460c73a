"""Made-up names that sound like firms and people: deterministic, each firm's once."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

TRADES: dict[str, tuple[str, ...]] = {
    "it": ("软件", "信息技术", "网络科技", "数据服务", "智能系统", "云计算"),
    "equipment": ("办公设备", "打印科技", "办公用品", "影像设备"),
    "telecom": ("通信技术", "通讯设备", "光电通信", "网络工程"),
    "security": ("安防科技", "监控技术", "消防设备", "门禁系统"),
    "trade": ("商贸", "贸易", "进出口", "供应链"),
    "manufacturing": ("机械制造", "精密仪器", "电子", "自动化设备", "模具"),
    "construction": ("建筑工程", "装饰工程", "置业", "园林"),
    "finance": ("融资租赁", "保险经纪", "小额贷款"),
    "education": ("教育科技", "培训", "文化传播"),
    "health": ("医疗器械", "生物科技", "健康管理"),
    "logistics": ("物流", "货运", "仓储", "冷链运输"),
    "government": ("市政服务", "公共资源", "园区管理"),
    "other": ("餐饮管理", "酒店管理", "农业", "环保科技"),
}
CITIES: tuple[tuple[str, str], ...] = (
    ("上海", "31"), ("北京", "11"), ("广州", "44"), ("深圳", "44"), ("杭州", "33"), ("苏州", "32"), ("南京", "32"),
    ("宁波", "33"), ("无锡", "32"), ("合肥", "34"), ("厦门", "35"), ("福州", "35"), ("东莞", "44"), ("佛山", "44"),
    ("武汉", "42"), ("长沙", "43"), ("成都", "51"), ("重庆", "50"), ("西安", "61"), ("青岛", "37"), ("天津", "12"),
)  # fmt: skip
SUFFIXES = ("有限公司",) * 7 + ("股份有限公司", "有限责任公司", "（集团）有限公司")
_FIRST = (
    "砚麓霁澜珩峤岚沐朔弈绯昱骞翊煜钧铭诺瀚祺瑾璟澈汐泓霖恺彦栩嵘澔"
    "菁茗蔚蕴笙筠箬珞琨玥琰璨曦晗晟暄熠烨焱炫岱峻嵩崇巍昊旻昕昶晖晔景"
)
_SECOND = (
    "原禾川屿帆岸序格界域程途驰迈拓拔基业元元和信达远扬腾跃升辉耀光明朗澄清"
    "泽润源泉溪河湖海江洋波浪潮汛松柏竹梅兰桐杉枫桦榆舟桥塔楼阁轩庭院园谷峰岭"
)
_FAMILIES = "王李张刘陈杨黄赵吴周徐孙马朱胡郭何林高罗郑梁谢宋唐许韩冯邓曹彭曾萧田董袁潘于蒋蔡余杜叶程苏魏吕丁任沈"
_GIVEN = "伟芳娜敏静丽强磊军洋勇艳杰娟涛明超秀霞平刚桂英华玉兰红梅鹏飞辉波斌宇浩凯健俊帆雪琳晶晨阳欣怡佳颖博文思远志"
TITLES = (
    "总经理",
    "副总经理",
    "采购经理",
    "信息部主任",
    "行政主管",
    "财务经理",
    "技术总监",
    "办公室主任",
    "项目经理",
    "工程师",
)


def firms(seed: int) -> Iterator[tuple[str, str, str, str]]:
    """(name, industry, city, region), without end as far as there are names; no two of one core."""
    chance = Random(seed)  # noqa: S311 - the same every time, no secret
    seconds = sorted(set(_SECOND))
    brands = [first + second for first in sorted(set(_FIRST)) for second in seconds]
    trades = [(trade, industry) for industry, words in TRADES.items() for trade in words]
    total, step = len(brands) * len(trades), 1_000_003  # a prime: visits every pair once
    at = chance.randrange(total)
    for _number in range(total):
        at = (at + step) % total
        brand, (trade, industry) = brands[at % len(brands)], trades[at // len(brands)]
        city, region = chance.choice(CITIES)
        yield f"{city}{brand}{trade}{chance.choice(SUFFIXES)}", industry, city, region


def persons(seed: int) -> Iterator[str]:
    """Names of people, some of them twice, as in life."""
    chance = Random(seed)  # noqa: S311
    while True:
        yield chance.choice(_FAMILIES) + "".join(chance.choice(_GIVEN) for _each in range(chance.choice((1, 2, 2))))
