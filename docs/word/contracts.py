"""Makes the contract templates that ship with the house: python docs/word/contracts.py

The .docx files in templates/word are what counts: anybody may edit them in Word. This writes them anew.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from docx import Document
from docx.enum.table import WD_CELL_VERTICAL_ALIGNMENT, WD_TABLE_ALIGNMENT
from docx.enum.text import WD_ALIGN_PARAGRAPH, WD_LINE_SPACING, WD_TAB_ALIGNMENT
from docx.oxml import OxmlElement, parse_xml
from docx.oxml.ns import nsdecls, qn
from docx.shared import Mm, Pt, RGBColor

TARGET = Path(__file__).parents[2] / "templates" / "word"

SONG, HEI, LATIN = "宋体", "黑体", "Times New Roman"
TEXT_MM = 210 - 2 * 25
SMALL = 10.5

PARTY = ("名称", "统一社会信用代码", "住所", "法定代表人", "联系人", "电话", "电子邮箱")
BANK = ("开户行", "账号")


@dataclass(frozen=True)
class Table:
    """A table whose middle row repeats for each line of a list."""

    many: str
    one: str
    columns: Sequence[tuple[str, float, str, str]]
    """(title, millimetres, what stands in it, left | center | right)"""
    totals: Sequence[str] = ()


@dataclass(frozen=True)
class Only:
    """Paragraphs that stand there under a condition."""

    condition: str
    then: Sequence[str]
    otherwise: Sequence[str] = ()


Block = str | Table | Only


@dataclass(frozen=True)
class Article:
    title: str
    blocks: Sequence[Block]


@dataclass(frozen=True)
class Contract:
    code: str
    title: str
    sides: tuple[str, str]
    """who the parties are to each other: 买方, 卖方"""
    banks: bool
    preamble: str
    articles: Sequence[Article]


# ------------------------------------------------------------------------------------------------- words

FORCE_MAJEURE = Article(
    "不可抗力",
    (
        "本合同所称不可抗力，是指不能预见、不能避免且不能克服的客观情况，包括但不限于自然灾害、战争、动乱、政府行为以及重大疫情。",
        (
            "遭受不可抗力的一方应当在不可抗力发生之日起三日内书面通知对方，并在十五日内提供有权机构出具的证明文件；"
            "双方应当根据其影响程度，协商决定延期履行、部分履行或者解除合同。"
        ),
        (
            "因不可抗力不能履行合同的，根据不可抗力的影响，部分或者全部免除责任，但法律另有规定的除外。"
            "迟延履行后发生不可抗力的，不免除违约责任。"
        ),
    ),
)
DISPUTES = Article(
    "法律适用与争议解决",
    (
        "本合同的订立、效力、解释、履行及争议的解决，均适用中华人民共和国法律（为本合同之目的，不包括港澳台地区法律）。",
        Only(
            "仲裁机构 is defined and 仲裁机构",
            (("因本合同引起的或与本合同有关的任何争议，双方应当友好协商解决；协商不成的，任何一方均可将争议提交{{ 仲裁机构 }}，"
             "按照申请仲裁时该会现行有效的仲裁规则进行仲裁。仲裁裁决是终局的，对双方均有约束力。"),),
            ("因本合同引起的或与本合同有关的任何争议，双方应当友好协商解决；协商不成的，任何一方均可向{{ 管辖法院 }}提起诉讼。",),
        ),
        "争议解决期间，除争议事项外，双方应当继续履行本合同的其他条款。",
    ),
)  # fmt: skip
NOTICES = Article(
    "通知与送达",
    (
        (
            "与本合同有关的通知应当以书面形式作出，按本合同首部载明的地址、联系人、电话或者电子邮箱送达。"
            "专人递交的，签收之日为送达之日；快递寄送的，签收之日或者寄出后第五日（以较早者为准）为送达之日；"
            "电子邮件发送的，进入对方邮件系统之日为送达之日。"
        ),
        "一方变更联系方式的，应当在变更之日起三日内书面通知对方；未及时通知的，按原联系方式发出的通知视为有效送达。",
        "首部载明的地址同时作为双方在争议解决程序（包括一审、二审、再审、执行及仲裁程序）中法律文书的送达地址。",
    ),
)


def closing(*more: str) -> Article:
    return Article(
        "附则",
        (
            "本合同自双方法定代表人或者授权代表签字并加盖公章或者合同专用章之日起生效。",
            "本合同的附件是本合同不可分割的组成部分，与本合同正文具有同等法律效力；附件与正文不一致的，以正文为准。",
            "对本合同的任何变更或者补充，应当由双方另行签订书面补充协议；补充协议与本合同不一致的，以补充协议为准。",
            *more,
            "本合同一式{{ 份数|number }}份，双方各执相等份数，具有同等法律效力。",
        ),
    )


SALES = Contract(
    "sales_contract",
    "设备购销合同",
    ("买方", "卖方"),
    True,
    "根据《中华人民共和国民法典》及有关法律、法规的规定，甲乙双方在平等、自愿、公平和诚实信用的基础上，就甲方向乙方购买设备事宜，"
    "经协商一致，订立本合同，共同遵守。",
    (
        Article(
            "标的",
            (
                "甲方向乙方购买下列设备（以下简称“货物”），货物的名称、型号、数量及价格如下：",
                Table(
                    "明细",
                    "行",
                    (
                        ("序号", 12, "{{ loop.index }}", "center"),
                        ("货物名称", 38, "{{ 行.名称 }}", "left"),
                        ("型号规格", 32, "{{ 行.型号 }}", "left"),
                        ("单位", 12, "{{ 行.单位 }}", "center"),
                        ("数量", 14, "{{ 行.数量|number }}", "right"),
                        ("单价（元）", 25, "{{ 行.单价|amount }}", "right"),
                        ("金额（元）", 27, "{{ 行.金额|amount }}", "right"),
                    ),
                    ("合计", "{{ 合计|amount }}"),
                ),
                (
                    "货物应当是全新的、未使用过的，并随附产品合格证、使用说明书、保修凭证及其他随机文件；"
                    "技术参数以双方签字确认的技术协议为准，没有技术协议的，以乙方公布的产品说明为准且不低于国家标准和行业标准。"
                ),
            ),
        ),
        Article(
            "价款",
            (
                "合同总价为人民币{{ 合计|capitals }}（小写：￥{{ 合计|amount }}）。",
                (
                    "合同总价为含税价，增值税税率为{{ 税率 }}，已包含货物价款、包装费、运输费、装卸费、保险费、安装调试费、培训费及"
                    "质保期内的服务费用。除双方另有书面约定外，甲方无须支付其他任何费用。"
                ),
                "合同履行期间国家调整增值税税率的，不含税价格不变，税额按调整后的税率计算。",
            ),
        ),
        Article(
            "付款",
            (
                "甲方按下列进度向乙方支付价款：",
                Table(
                    "付款",
                    "期",
                    (
                        ("期次", 16, "第{{ loop.index }}期", "center"),
                        ("付款条件", 90, "{{ 期.条件 }}", "left"),
                        ("比例", 20, "{{ 期.比例 }}", "center"),
                        ("金额（元）", 34, "{{ 期.金额|amount }}", "right"),
                    ),
                ),
                "乙方应当在每次收款前向甲方开具合法有效的增值税专用发票；乙方未按约定开具发票的，甲方有权顺延付款且不承担逾期付款责任。",
                (
                    "价款应当汇入本合同首部载明的乙方账户。乙方变更账户的，应当提前五日以加盖公章的书面形式通知甲方，"
                    "否则甲方向原账户付款视为已履行付款义务。"
                ),
            ),
        ),
        Article(
            "交付与验收",
            (
                (
                    "乙方应当在本合同生效后{{ 交付天数|number }}日内，将货物运至{{ 交付地点 }}交付甲方。货物毁损、灭失的风险自甲方签收时起转移；"
                    "货物的所有权自甲方签收时起转移至甲方。"
                ),
                (
                    "货物到达后，双方应当共同开箱，对数量、外观及随机文件进行检查并签署到货单。发现短少、损坏或者与约定不符的，"
                    "乙方应当在七日内补齐或者更换，由此产生的费用由乙方承担。"
                ),
                (
                    "乙方应当在到货后{{ 安装天数|number }}日内完成安装调试。安装调试完成后，甲方应当在{{ 验收天数|number }}日内按照约定的技术标准组织验收；"
                    "验收合格的，双方签署验收单；甲方逾期未验收又未书面提出异议的，视为验收合格。"
                ),
                "验收不合格的，乙方应当在甲方指定的合理期限内整改并重新提请验收；经两次整改仍不合格的，甲方有权退货并解除合同。",
            ),
        ),
        Article(
            "质量保证与售后服务",
            (
                (
                    "货物的质保期为{{ 质保月数|number }}个月，自验收合格之日起计算。质保期内因货物本身质量问题发生故障的，"
                    "乙方应当免费维修或者更换零部件；经维修的部件，其质保期自修复之日起重新计算。"
                ),
                "乙方在接到甲方报修通知后，应当在{{ 响应小时|number }}小时内响应；需要现场处理的，应当在四十八小时内派员到达现场。",
                "同一故障在质保期内经三次维修仍不能正常使用的，甲方有权要求更换同型号全新货物或者退货。",
                "质保期届满后，乙方应当继续提供有偿维修服务，并保证在五年内以不高于市场同期的价格供应备品备件。",
            ),
        ),
        Article(
            "知识产权",
            (
                (
                    "乙方保证甲方在使用货物及其任何部分时，不受第三方提出的侵犯其专利权、商标权、著作权或者其他知识产权的主张。"
                    "第三方提出侵权主张的，由乙方负责处理并承担由此产生的全部费用和赔偿责任。"
                ),
                "货物所含软件的著作权归乙方或者其许可方所有，乙方授予甲方在货物使用期限内非独占的、不可转让的使用权，该使用权的对价已包含在合同总价中。",
            ),
        ),
        Article(
            "保密",
            (
                (
                    "双方对在订立和履行本合同过程中知悉的对方商业秘密及其他未公开信息负有保密义务，未经对方书面同意，"
                    "不得向任何第三方披露，也不得用于履行本合同以外的目的。法律、法规或者有权机关要求披露的除外。"
                ),
                "本条约定的保密义务在本合同终止后{{ 保密年数|number }}年内继续有效。",
            ),
        ),
        Article(
            "违约责任",
            (
                (
                    "乙方逾期交付或者逾期完成安装调试的，每逾期一日，应当按照逾期部分价款的{{ 日违约金比例 }}向甲方支付违约金；"
                    "逾期超过三十日的，甲方有权解除合同，乙方应当退还已收取的全部价款，并按合同总价的{{ 违约金比例 }}支付违约金。"
                ),
                "甲方逾期付款的，每逾期一日，应当按照逾期金额的{{ 日违约金比例 }}向乙方支付违约金，但违约金总额不超过逾期金额的{{ 违约金比例 }}。",
                "乙方交付的货物不符合约定的，应当按照本合同约定承担修理、更换、退货的责任；给甲方造成损失的，还应当赔偿损失。",
                (
                    "约定的违约金不足以弥补守约方损失的，违约方应当就不足部分予以赔偿，包括守约方为实现债权支出的合理的诉讼费、仲裁费、"
                    "保全费、律师费、公证费及差旅费。"
                ),
            ),
        ),
        Article(
            "合同的变更与解除",
            (
                "经双方协商一致，可以变更或者解除本合同。",
                (
                    "一方有下列情形之一的，对方有权书面通知其解除合同：在履行期限届满前明确表示或者以自己的行为表明不履行主要债务；"
                    "迟延履行主要债务，经催告后在合理期限内仍未履行；有其他违约行为致使不能实现合同目的。"
                ),
                "合同解除不影响结算和清理条款、违约责任条款、保密条款及争议解决条款的效力。",
            ),
        ),
        FORCE_MAJEURE,
        DISPUTES,
        NOTICES,
        closing("未经对方书面同意，任何一方不得将本合同项下的权利义务全部或者部分转让给第三方。"),
    ),
)

SERVICE = Contract(
    "service_contract",
    "技术服务合同",
    ("委托方", "受托方"),
    True,
    "根据《中华人民共和国民法典》的有关规定，甲方委托乙方就{{ 项目名称 }}项目提供技术服务，并支付相应的服务报酬。"
    "双方经平等协商，在真实、充分地表达各自意愿的基础上，订立本合同，共同遵守。",
    (
        Article(
            "服务内容",
            (
                "乙方向甲方提供的技术服务的目标为：{{ 服务目标 }}",
                "服务内容及交付成果如下：",
                Table(
                    "服务项目",
                    "项",
                    (
                        ("序号", 14, "{{ loop.index }}", "center"),
                        ("服务内容", 62, "{{ 项.内容 }}", "left"),
                        ("交付成果", 48, "{{ 项.成果 }}", "left"),
                        ("完成日期", 36, "{{ 项.完成日期|date }}", "center"),
                    ),
                ),
                "服务期限自{{ 开始日期|date }}起至{{ 结束日期|date }}止；服务地点为{{ 服务地点 }}，服务方式为现场服务与远程服务相结合。",
            ),
        ),
        Article(
            "双方的权利义务",
            (
                "甲方应当按照约定向乙方提供开展工作所必需的资料、数据、工作环境及接口人员，并保证其真实、合法、完整。",
                "乙方应当指派{{ 乙方.联系人 }}担任项目负责人，配备具有相应资质和经验的人员。更换项目负责人的，应当提前十日征得甲方书面同意。",
                "乙方应当亲自完成服务工作，未经甲方书面同意，不得将主要工作转委托第三方。",
                "乙方人员在甲方场所工作的，应当遵守甲方的安全、保密及信息系统管理制度；乙方与其人员之间的劳动关系及由此产生的责任由乙方承担。",
            ),
        ),
        Article(
            "服务报酬及支付",
            (
                (
                    "服务报酬总额为人民币{{ 合计|capitals }}（小写：￥{{ 合计|amount }}），含增值税，税率为{{ 税率 }}。"
                    "该报酬已包含乙方为履行本合同所发生的一切费用。"
                ),
                "服务报酬按下列进度支付：",
                Table(
                    "付款",
                    "期",
                    (
                        ("期次", 16, "第{{ loop.index }}期", "center"),
                        ("付款条件", 90, "{{ 期.条件 }}", "left"),
                        ("比例", 20, "{{ 期.比例 }}", "center"),
                        ("金额（元）", 34, "{{ 期.金额|amount }}", "right"),
                    ),
                ),
                "甲方在收到乙方开具的等额增值税专用发票并确认付款条件成就后十个工作日内付款。",
            ),
        ),
        Article(
            "验收",
            (
                "乙方完成各阶段工作后，应当向甲方提交交付成果并书面申请验收；甲方应当在收到申请后{{ 验收天数|number }}日内组织验收。",
                (
                    "验收以本合同约定的服务目标、交付成果及双方确认的技术文件为依据。验收合格的，双方签署验收报告；"
                    "不合格的，甲方应当书面说明理由，乙方应当在十日内无偿修改并重新提请验收。"
                ),
                "自最终验收合格之日起{{ 质保月数|number }}个月内，乙方应当对交付成果的缺陷免费予以修正，并提供必要的技术支持。",
            ),
        ),
        Article(
            "知识产权",
            (
                "一方在本合同签订前已经拥有的知识产权归该方所有，本合同的履行不导致其转移。",
                (
                    "乙方在履行本合同过程中专为甲方完成的交付成果，其知识产权自甲方付清相应报酬之日起归甲方所有；"
                    "乙方的通用工具、组件及方法归乙方所有，乙方授予甲方为使用交付成果所必需的、永久的、免费的使用权。"
                ),
                "乙方保证交付成果不侵犯任何第三方的合法权益；因此发生的纠纷由乙方负责解决，并赔偿甲方因此遭受的全部损失。",
            ),
        ),
        Article(
            "保密与数据安全",
            (
                (
                    "双方应当对履行本合同过程中知悉的对方商业秘密、技术资料、客户信息及其他未公开信息保密，"
                    "仅限于履行本合同之目的、向确有必要知悉的人员提供。该义务在本合同终止后{{ 保密年数|number }}年内继续有效。"
                ),
                (
                    "涉及个人信息和重要数据的，乙方应当遵守《中华人民共和国数据安全法》《中华人民共和国个人信息保护法》等规定，"
                    "采取必要的技术和管理措施，不得超出约定的目的、方式处理，不得向境外提供。"
                ),
                "本合同终止后十日内，乙方应当返还或者按照甲方要求销毁全部资料和数据及其复制件，并提供书面证明。",
            ),
        ),
        Article(
            "违约责任",
            (
                "乙方未按约定期限完成服务的，每逾期一日，应当按照服务报酬总额的{{ 日违约金比例 }}支付违约金；逾期超过三十日的，甲方有权解除合同。",
                "甲方未按约定支付报酬的，每逾期一日，应当按照逾期金额的{{ 日违约金比例 }}支付违约金。",
                "交付成果经两次修改仍未通过验收的，甲方有权解除合同，乙方应当退还相应阶段已收取的报酬，并按服务报酬总额的{{ 违约金比例 }}支付违约金。",
                "任何一方违反保密与数据安全义务的，应当赔偿对方因此遭受的全部损失，包括为制止违约行为支出的合理费用。",
                "除故意或者重大过失、侵犯知识产权及违反保密义务外，任何一方的赔偿责任总额不超过本合同服务报酬总额。",
            ),
        ),
        FORCE_MAJEURE,
        DISPUTES,
        NOTICES,
        closing("本合同的解除或者终止，不影响知识产权、保密、违约责任及争议解决条款的效力。"),
    ),
)

CONFIDENTIALITY = Contract(
    "confidentiality",
    "保密协议",
    ("披露方", "接收方"),
    False,
    "鉴于双方拟就{{ 合作事项 }}进行商谈与合作，一方（“披露方”）可能向另一方（“接收方”）披露其保密信息。为保护双方的合法权益，"
    "根据《中华人民共和国民法典》《中华人民共和国反不正当竞争法》等法律、法规，双方订立本合同，共同遵守。",
    (
        Article(
            "保密信息",
            (
                (
                    "本合同所称保密信息，是指一方以书面、口头、电子或者其他形式向另一方披露的，不为公众所知悉的技术信息、经营信息和其他商业信息，"
                    "包括但不限于：技术方案、图纸、源代码、工艺、配方；客户名单、价格、成本、财务数据、营销计划；以及双方商谈与合作的事实和内容。"
                ),
                "以口头或者可视形式披露的信息，披露时声明为保密的，自披露时起即为保密信息，披露方应当在三十日内以书面形式确认。",
                (
                    "下列信息不属于保密信息：披露时已为公众所知悉的；披露后非因接收方的过错而为公众所知悉的；接收方在披露前已合法持有的；"
                    "接收方从无保密义务的第三方合法取得的；接收方未使用保密信息而独立开发的。主张适用本款的一方负举证责任。"
                ),
            ),
        ),
        Article(
            "保密义务",
            (
                "接收方应当以不低于保护自身同类信息的谨慎程度，且不低于合理的谨慎程度，保护披露方的保密信息。",
                "接收方仅可为{{ 合作事项 }}之目的使用保密信息，不得为自己或者第三方的其他目的使用，不得进行反向工程、反编译或者拆解。",
                (
                    "接收方仅可向为上述目的确有必要知悉的董事、雇员、专业顾问披露保密信息，并应当事先使其承担不低于本合同的保密义务；"
                    "该等人员违反保密义务的，视为接收方违约。"
                ),
                "接收方依法律、法规或者有权机关的要求须披露保密信息的，应当在法律允许的范围内提前书面通知披露方，并仅披露依法必须披露的部分。",
            ),
        ),
        Article(
            "资料的返还与销毁",
            (
                "双方终止商谈或者合作，或者披露方提出书面要求的，接收方应当在十日内返还或者销毁全部保密信息的载体及其复制件，并出具书面证明。",
                "接收方依法律规定或者内部合规要求须留存的复制件，以及信息系统自动备份形成的复制件，可以按规定保存，但在保存期间仍受本合同约束。",
            ),
        ),
        Article(
            "权利归属",
            (
                "保密信息及其知识产权归披露方所有。披露行为不构成对接收方的任何许可、转让或者其他权利的授予。",
                "披露方保证其有权披露保密信息，但不对其准确性、完整性或者适用性作任何明示或者默示的保证。",
            ),
        ),
        Article(
            "保密期限",
            (
                "本合同自生效之日起{{ 有效年数|number }}年内有效。",
                (
                    "保密义务自保密信息披露之日起{{ 保密年数|number }}年内持续有效；构成商业秘密的，保密义务持续至该信息依法为公众所知悉之日止。"
                    "本合同的终止不影响保密义务的履行。"
                ),
            ),
        ),
        Article(
            "违约责任",
            (
                (
                    "接收方违反本合同的，应当立即停止违约行为并采取一切必要措施防止损失扩大，向披露方支付违约金人民币{{ 违约金|capitals }}"
                    "（小写：￥{{ 违约金|amount }}）；违约金不足以弥补损失的，还应当赔偿不足部分。"
                ),
                "损失包括直接损失、可得利益损失，以及披露方为调查和制止违约行为支出的合理的律师费、公证费、鉴定费、诉讼费或者仲裁费。",
                "双方确认，违反保密义务可能造成金钱难以弥补的损害，披露方有权依法申请行为保全或者其他救济措施。",
            ),
        ),
        DISPUTES,
        NOTICES,
        closing("本合同不构成双方之间的合伙、代理、雇佣或者独家合作关系，也不使任何一方负有必须达成进一步交易的义务。"),
    ),
)

CONTRACTS = (SALES, SERVICE, CONFIDENTIALITY)


# ------------------------------------------------------------------------------------------------- looks


def write(contract: Contract) -> Any:
    document = Document()
    _lay_out(document)
    _running(document, contract)
    number = _numbering(document)
    _title(document, contract)
    _parties(document, contract)
    _paragraph(document, contract.preamble, indent=True)
    for article in contract.articles:
        heading = _paragraph(document, article.title, style="Heading 1")
        _numbered(heading, number, 0)
        for block in article.blocks:
            _block(document, block, number)
    for last in document.paragraphs[-3:]:
        last.paragraph_format.keep_with_next = True  # no signature on a page without a clause
    _signatures(document, contract)
    properties = document.core_properties
    properties.title, properties.author, properties.comments = f"{contract.title} {{{{ 合同编号 }}}}", "", ""
    properties.language = "zh-CN"
    return document


def _faces(run_properties: Any, east: str) -> None:
    fonts = run_properties.get_or_add_rFonts()
    for name, face in (("ascii", LATIN), ("hAnsi", LATIN), ("cs", LATIN), ("eastAsia", east)):
        fonts.set(qn(f"w:{name}"), face)
    for name in ("asciiTheme", "hAnsiTheme", "eastAsiaTheme", "cstheme"):
        fonts.attrib.pop(qn(f"w:{name}"), None)


def _style(document: Any, name: str, east: str, size: float, *, bold: bool = False) -> Any:
    style = document.styles[name]
    style.font.size, style.font.bold, style.font.italic = Pt(size), bold, False
    style.font.color.rgb = RGBColor(0, 0, 0)
    _faces(style.element.get_or_add_rPr(), east)
    for old in style.element.rPr.findall(qn("w:lang")):
        style.element.rPr.remove(old)
    style.element.rPr.append(parse_xml(f'<w:lang {nsdecls("w")} w:val="en-US" w:eastAsia="zh-CN"/>'))
    return style.paragraph_format


def _lay_out(document: Any) -> None:
    section = document.sections[0]
    section.page_width, section.page_height = Mm(210), Mm(297)
    section.left_margin = section.right_margin = Mm(25)
    section.top_margin, section.bottom_margin = Mm(26), Mm(24)
    section.header_distance, section.footer_distance = Mm(15), Mm(14)
    normal = _style(document, "Normal", SONG, 11)
    normal.line_spacing_rule, normal.line_spacing = WD_LINE_SPACING.EXACTLY, Pt(21)
    normal.space_before = normal.space_after = Pt(0)
    normal.widow_control = True
    title = _style(document, "Title", HEI, 22, bold=True)
    title.alignment, title.line_spacing_rule = WD_ALIGN_PARAGRAPH.CENTER, WD_LINE_SPACING.SINGLE
    title.space_before, title.space_after = Pt(6), Pt(14)
    for border in document.styles["Title"].element.pPr.findall(qn("w:pBdr")):
        document.styles["Title"].element.pPr.remove(border)
    heading = _style(document, "Heading 1", HEI, 12, bold=True)
    heading.space_before, heading.space_after, heading.keep_with_next = Pt(12), Pt(3), True
    for name in ("Header", "Footer"):
        _style(document, name, SONG, 9)
        tabs = document.styles[name].element.pPr.find(qn("w:tabs"))
        if tabs is not None:
            tabs.getparent().remove(tabs)


def _numbering(document: Any) -> int:
    """第一条, below it 1. 2. 3. anew: Word counts, so a clause taken out leaves no gap."""
    part = document.part.numbering_part.element
    abstract = parse_xml(
        f"""<w:abstractNum {nsdecls("w")} w:abstractNumId="90"><w:multiLevelType w:val="multilevel"/>
        <w:lvl w:ilvl="0"><w:start w:val="1"/><w:numFmt w:val="chineseCountingThousand"/><w:pStyle w:val="Heading1"/>
          <w:suff w:val="nothing"/><w:lvlText w:val="第%1条　"/><w:lvlJc w:val="left"/>
          <w:pPr><w:ind w:left="0" w:firstLine="0"/></w:pPr></w:lvl>
        <w:lvl w:ilvl="1"><w:start w:val="1"/><w:numFmt w:val="decimal"/><w:suff w:val="tab"/>
          <w:lvlText w:val="%2."/><w:lvlJc w:val="left"/>
          <w:pPr><w:tabs><w:tab w:val="num" w:pos="440"/></w:tabs><w:ind w:left="440" w:hanging="440"/></w:pPr>
          <w:rPr><w:rFonts w:ascii="{LATIN}" w:hAnsi="{LATIN}" w:eastAsia="{SONG}"/></w:rPr></w:lvl>
        </w:abstractNum>"""
    )
    first = part.find(qn("w:num"))
    first.addprevious(abstract)
    part.append(parse_xml(f'<w:num {nsdecls("w")} w:numId="90"><w:abstractNumId w:val="90"/></w:num>'))
    return 90


def _numbered(paragraph: Any, number: int, level: int) -> None:
    properties = paragraph._p.get_or_add_pPr().get_or_add_numPr()
    properties.get_or_add_ilvl().val, properties.get_or_add_numId().val = level, number


def _paragraph(document: Any, text: str, *, style: str | None = None, indent: bool = False) -> Any:
    made = document.add_paragraph(style=style)
    made.add_run(text)
    if indent:
        made.paragraph_format.first_line_indent = Pt(22)
    if style is None:
        made.alignment = WD_ALIGN_PARAGRAPH.JUSTIFY
    return made


def _running(document: Any, contract: Contract) -> None:
    section = document.sections[0]
    head, foot = section.header.paragraphs[0], section.footer.paragraphs[0]
    head.paragraph_format.tab_stops.add_tab_stop(Mm(TEXT_MM), WD_TAB_ALIGNMENT.RIGHT)
    head.add_run(f"{contract.title}\t合同编号：{{{{ 合同编号 }}}}")
    border = parse_xml(
        f'<w:pBdr {nsdecls("w")}><w:bottom w:val="single" w:sz="4" w:space="3" w:color="808080"/></w:pBdr>'
    )
    head._p.get_or_add_pPr().append(border)
    foot.alignment = WD_ALIGN_PARAGRAPH.CENTER
    foot.add_run("第 ")
    _field(foot, "PAGE")
    foot.add_run(" 页 共 ")
    _field(foot, "NUMPAGES")
    foot.add_run(" 页")


def _field(paragraph: Any, name: str) -> None:
    for kind in ("begin", "instruction", "separate", "figure", "end"):
        run = paragraph.add_run("1" if kind == "figure" else "")
        if kind == "figure":
            continue
        part = OxmlElement("w:instrText" if kind == "instruction" else "w:fldChar")
        if kind == "instruction":
            part.text = f" {name} "
        else:
            part.set(qn("w:fldCharType"), kind)
        run._r.append(part)


def _title(document: Any, contract: Contract) -> None:
    _paragraph(document, contract.title, style="Title")
    table = _grid(document, (TEXT_MM / 2, TEXT_MM / 2), 2)
    cells = (
        ("合同编号：{{ 合同编号 }}", "签订日期：{{ 签订日期|date }}"),
        ("", "签订地点：{{ 签订地点 }}"),
    )
    for row, words in zip(table.rows, cells, strict=True):
        for place, text in zip(row.cells, words, strict=True):
            _fill(place, text, "left", size=11)
    _gap(document, 8)


def _parties(document: Any, contract: Contract) -> None:
    """Both parties as a table of two columns of facts."""
    rows = (*PARTY, *(BANK if contract.banks else ()))
    table = _grid(document, (30, TEXT_MM / 2 - 30, 30, TEXT_MM / 2 - 30), len(rows) + 1, ruled=True)
    for side, at, role in (("甲方", 0, contract.sides[0]), ("乙方", 2, contract.sides[1])):
        head = table.rows[0].cells[at].merge(table.rows[0].cells[at + 1])
        _fill(head, f"{side}（{role}）", "center", strong=True)
        _shade(head)
        for row, fact in zip(table.rows[1:], rows, strict=True):
            filter_ = "|default('—')" if fact == "电子邮箱" else ""
            _fill(row.cells[at], fact, "left", size=9)
            _fill(row.cells[at + 1], f"{{{{ {side}.{fact}{filter_} }}}}", "left")
    _gap(document, 8)


def _block(document: Any, block: Block, number: int) -> None:
    if isinstance(block, str):
        _numbered(_paragraph(document, block), number, 1)
    elif isinstance(block, Table):
        _lines(document, block)
    else:
        _paragraph(document, f"{{%p if {block.condition} %}}")
        for text in block.then:
            _numbered(_paragraph(document, text), number, 1)
        if block.otherwise:
            _paragraph(document, "{%p else %}")
            for text in block.otherwise:
                _numbered(_paragraph(document, text), number, 1)
        _paragraph(document, "{%p endif %}")


def _lines(document: Any, block: Table) -> None:
    _gap(document, 4)
    rows = 4 + bool(block.totals)
    table = _grid(document, [column[1] for column in block.columns], rows, ruled=True)
    for place, (title, *_rest) in zip(table.rows[0].cells, block.columns, strict=True):
        _fill(place, title, "center", strong=True)
        _shade(place)
    for name in ("w:tblHeader", "w:cantSplit"):
        _mark(table.rows[0], name)
    _fill(table.rows[1].cells[0], f"{{%tr for {block.one} in {block.many} %}}", "left")
    for place, (_head, _width, text, align) in zip(table.rows[2].cells, block.columns, strict=True):
        _fill(place, text, align)
    _mark(table.rows[2], "w:cantSplit")
    _fill(table.rows[3].cells[0], "{%tr endfor %}", "left")
    if block.totals:
        cells = table.rows[4].cells
        _fill(cells[0].merge(cells[-3]), block.totals[0], "center", strong=True)
        _fill(cells[-2].merge(cells[-1]), block.totals[1], "right", strong=True)
        _mark(table.rows[4], "w:cantSplit")
    _gap(document, 6)


def _signatures(document: Any, contract: Contract) -> None:
    """Kept on one page: nobody signs below a page break."""
    lead = _paragraph(document, "（以下无正文，为签署栏）")
    lead.alignment = WD_ALIGN_PARAGRAPH.CENTER
    lead.paragraph_format.space_before, lead.paragraph_format.keep_with_next = Pt(14), True
    facts = ("（盖章）", "法定代表人或授权代表（签字）：", "日期：　　　　年　　月　　日")
    table = _grid(document, (TEXT_MM / 2, TEXT_MM / 2), len(facts) + 1)
    for at, (side, role) in enumerate((("甲方", contract.sides[0]), ("乙方", contract.sides[1]))):
        _fill(table.rows[0].cells[at], f"{side}（{role}）：{{{{ {side}.名称 }}}}", "left", size=10.5, strong=True)
        for row, text in zip(table.rows[1:], facts, strict=True):
            _fill(row.cells[at], text, "left", size=11)
    for number, row in enumerate(table.rows):
        row.height = Mm(9 if number == 0 else 16)
        _mark(row, "w:cantSplit")
        for cell in row.cells:
            cell.vertical_alignment = WD_CELL_VERTICAL_ALIGNMENT.CENTER
            if number < len(table.rows) - 1:
                cell.paragraphs[0].paragraph_format.keep_with_next = True


# ------------------------------------------------------------------------------------------------- tables


def _grid(document: Any, widths: Iterable[float], rows: int, *, ruled: bool = False) -> Any:
    sizes = [Mm(width) for width in widths]
    table = document.add_table(rows=rows, cols=len(sizes))
    table.autofit, table.alignment = False, WD_TABLE_ALIGNMENT.CENTER
    if ruled:
        table.style = "Table Grid"
    for column, size in zip(table.columns, sizes, strict=True):
        column.width = size
    for row in table.rows:
        for cell, size in zip(row.cells, sizes, strict=True):
            cell.width = size
            cell.vertical_alignment = WD_CELL_VERTICAL_ALIGNMENT.CENTER
    return table


def _fill(place: Any, text: str, align: str, *, size: float = SMALL, strong: bool = False) -> None:
    paragraph = place.paragraphs[0]
    paragraph.alignment = {
        "left": WD_ALIGN_PARAGRAPH.LEFT,
        "center": WD_ALIGN_PARAGRAPH.CENTER,
        "right": WD_ALIGN_PARAGRAPH.RIGHT,
    }[align]
    spacing = paragraph.paragraph_format
    spacing.line_spacing_rule = WD_LINE_SPACING.SINGLE
    spacing.space_before = spacing.space_after = Pt(2)
    run = paragraph.add_run(text)
    run.font.size, run.bold = Pt(size), strong or None
    if strong:
        _faces(run._r.get_or_add_rPr(), HEI)


def _mark(row: Any, name: str) -> None:
    mark = OxmlElement(name)
    row._tr.get_or_add_trPr().append(mark)


def _shade(place: Any) -> None:
    shade = parse_xml(f'<w:shd {nsdecls("w")} w:val="clear" w:color="auto" w:fill="F0F0F0"/>')
    place._tc.get_or_add_tcPr().append(shade)


def _gap(document: Any, points: float) -> None:
    made = document.add_paragraph()
    made.paragraph_format.line_spacing_rule, made.paragraph_format.line_spacing = WD_LINE_SPACING.EXACTLY, Pt(points)


if __name__ == "__main__":
    for one in CONTRACTS:
        write(one).save(str(TARGET / f"{one.code}.docx"))
        sys.stdout.write(f"{one.code}.docx\n")
