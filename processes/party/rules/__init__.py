"""How names, codes and numbers of parties are compared, and the words their columns are chosen from."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping

from engine.catalog import Masked
from engine.errors import RuleViolation
from engine.i18n import Sentence, _
from processes.kernel import phone_number
from processes.lookup.rules import syllables
from processes.party.rules import sight

KINDS: Mapping[str, Sentence] = {"organization": _("Company or institution"), "person": _("Private person")}
STATES: Mapping[str, Sentence] = {"open": _("In the pool"), "locked": _("Locked"), "closed": _("Closed")}
LEVELS: Mapping[str, Sentence] = {"A": _("A"), "B": _("B"), "C": _("C"), "D": _("D")}
STAGES: Mapping[str, Sentence] = {
    "prospect": _("Prospect"),
    "contacted": _("Contacted"),
    "interested": _("Interested"),
    "dealt": _("Has bought"),
    "lost": _("Lost customer"),
}
INDUSTRIES: Mapping[str, Sentence] = {
    "it": _("IT and software"),
    "equipment": _("Office equipment"),
    "telecom": _("Telecommunications"),
    "security": _("Security technology"),
    "trade": _("Trade"),
    "manufacturing": _("Manufacturing"),
    "construction": _("Construction and property"),
    "finance": _("Banking and insurance"),
    "education": _("Education"),
    "health": _("Health care"),
    "logistics": _("Transport and logistics"),
    "government": _("Public authorities"),
    "other": _("Other trades"),
}
SOURCES: Mapping[str, Sentence] = {
    "call_in": _("Called us"),
    "cold_call": _("We called"),
    "website": _("Website"),
    "fair": _("Trade fair"),
    "referral": _("Referral"),
    "partner": _("Partner"),
    "import": _("Imported list"),
    "other": _("Other sources"),
}
ROLES: Mapping[str, Sentence] = {
    "decides": _("Decision maker"),
    "influences": _("Influencer"),
    "uses": _("User"),
    "pays": _("Finance"),
    "technical": _("Engineer"),
    "other": _("Other roles"),
}
REGIONS: Mapping[str, Sentence] = {
    "11": _("Beijing"),
    "12": _("Tianjin"),
    "13": _("Hebei"),
    "14": _("Shanxi"),
    "15": _("Inner Mongolia"),
    "21": _("Liaoning"),
    "22": _("Jilin"),
    "23": _("Heilongjiang"),
    "31": _("Shanghai"),
    "32": _("Jiangsu"),
    "33": _("Zhejiang"),
    "34": _("Anhui"),
    "35": _("Fujian"),
    "36": _("Jiangxi"),
    "37": _("Shandong"),
    "41": _("Henan"),
    "42": _("Hubei"),
    "43": _("Hunan"),
    "44": _("Guangdong"),
    "45": _("Guangxi"),
    "46": _("Hainan"),
    "50": _("Chongqing"),
    "51": _("Sichuan"),
    "52": _("Guizhou"),
    "53": _("Yunnan"),
    "54": _("Xizang"),
    "61": _("Shaanxi"),
    "62": _("Gansu"),
    "63": _("Qinghai"),
    "64": _("Ningxia"),
    "65": _("Xinjiang"),
    "71": _("Taiwan"),
    "81": _("Hong Kong"),
    "82": _("Macao"),
}
"""GB/T 2260, the first two digits"""

_REGION_ENDS = re.compile("(省|市|特别行政区|(壮族|回族|维吾尔)?自治区)$")


def short_region(name: str) -> str:
    """As it is called for short: 江苏省 -> 江苏, 内蒙古自治区 -> 内蒙古."""
    return _REGION_ENDS.sub("", name)


_MARKS = re.compile(r"[\W_]+")
_SUFFIXES = re.compile(
    "(股份有限公司|有限责任公司|有限公司|集团公司|集团|总公司|分公司|公司|厂|企业|工作室|经营部|商行"
    "|coltd|limited|ltd|inc|corporation|corp|company|llc|co)$"
)
_PROVINCES = (
    "北京|天津|河北|山西|内蒙古|辽宁|吉林|黑龙江|上海|江苏|浙江|安徽|福建|江西|山东|河南|湖北"
    "|湖南|广东|广西|海南|重庆|四川|贵州|云南|西藏|陕西|甘肃|青海|宁夏|新疆|台湾|香港|澳门"
)
_CITIES = (
    "石家庄|太原|沈阳|大连|长春|哈尔滨|南京|苏州|无锡|常州|南通|杭州|宁波|温州|合肥|福州|厦门|南昌|济南|青岛|郑州|武汉|长沙"
    "|广州|深圳|珠海|佛山|东莞|南宁|海口|成都|贵阳|昆明|拉萨|西安|兰州|西宁|银川|乌鲁木齐|呼和浩特"
)
_PLACES = re.compile(f"^(中国)?({_PROVINCES})?(省|市|自治区)?({_CITIES})?(市)?")
_SHORTEST_CORE = 2


def name_key(name: str) -> str:
    """A name as it is compared: one width, small letters, without blanks, brackets and marks."""
    return _MARKS.sub("", unicodedata.normalize("NFKC", name).casefold())


def name_core(name: str) -> str:
    """What two spellings of one company share: without region in front (or in brackets) and company suffix behind.

    上海云启（集团）智联科技有限公司 -> 云启智联科技; a name that is nothing but region and suffix stays.
    """
    plain = unicodedata.normalize("NFKC", name)
    unbracketed = re.sub(r"[(\[【〔].*?[)\]】〕]", "", plain)
    key = name_key(unbracketed) or name_key(plain)
    core = key
    while (shorter := _SUFFIXES.sub("", core)) != core and len(shorter) >= _SHORTEST_CORE:
        core = shorter
    placeless = _PLACES.sub("", core, count=1)
    return placeless if len(placeless) >= _SHORTEST_CORE else core


def sound(text: str) -> str:
    """Pinyin without tones, other letters as they are: 云启智联 -> yunqizhilian."""
    return "".join(syllables(text))[:400]


_CODE = re.compile("[0-9A-HJ-NPQRTUWXY]{18}")
_SIGNS = "0123456789ABCDEFGHJKLMNPQRTUWXY"
_WEIGHTS = (1, 3, 9, 27, 19, 26, 16, 17, 20, 29, 25, 13, 8, 24, 10, 30, 28)


def credit_code(text: str) -> str:
    """统一社会信用代码 with its check sign right (GB 32100-2015)."""
    code = unicodedata.normalize("NFKC", text).strip().upper()
    if not _CODE.fullmatch(code) or code[17] != check_sign(code[:17]):
        raise RuleViolation(
            _("{code} is not a credit code (统一社会信用代码): its check sign is wrong.", code=text.strip()),
            code="not_a_credit_code",
            remedy=_("Compare it with the business licence: 18 digits and letters, without I, O, S, V and Z."),
        )
    return code


def check_sign(first: str) -> str:
    """The 18th sign of a credit code."""
    total = sum(_SIGNS.index(sign) * weight for sign, weight in zip(first, _WEIGHTS, strict=True))
    return _SIGNS[(31 - total % 31) % 31]


def _masked_phone(value: str) -> str:
    """As it is written here, without its middle: 138****1234, 021-****0001."""
    written = phone_number.shown(value).replace(" ", "")
    return f"{written[: 4 if '-' in written else 3]}****{written[-4:]}"


def _masked_mail(value: str) -> str:
    name, _at, domain = value.rpartition("@")
    return f"{name[:1]}***@{domain}"


SENSITIVE: Mapping[str, Callable[[str], str]] = {
    "phone": _masked_phone,
    "email": _masked_mail,
    "wechat": lambda value: f"{value[:1]}***{value[-1:]}",
    "credit_code": lambda value: f"{value[:4]}************{value[-2:]}",
    "address": lambda value: f"{value[:6]}****",
}
"""Fields not everybody sees whole, each with what is left of it: 138****1234."""

RULED_FIELDS = sight.FIELDS
"""Those of customers and contacts that rules speak about."""


def masked(name: str, value: str) -> Masked:
    return Masked(SENSITIVE[name](value))
