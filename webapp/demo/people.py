"""Who works in the demo company and where."""

from __future__ import annotations

from dataclasses import dataclass

PASSWORD = "yunliu-demo"
"""Of all demo people. Real people never have it: demo data and real people do not share a database."""

DEPARTMENTS = {
    "云启智联科技": None,
    "总经办": "云启智联科技",
    "销售中心": "云启智联科技",
    "华东销售部": "销售中心",
    "华南销售部": "销售中心",
    "财务部": "云启智联科技",
    "行政人事部": "云启智联科技",
}
"""name -> the one above, on three levels"""

POSITIONS = {"finance": "财务审核", "general_manager": "总经理", "sales": "销售经理", "administration": "行政"}


@dataclass(frozen=True)
class DemoPerson:
    username: str
    family: str
    given: str
    role: str
    department: str
    superior: str | None
    what: str
    """for the list people choose a login from"""
    positions: tuple[str, ...] = ()
    heads: tuple[str, ...] = ()
    """departments this person leads"""
    takes_orphans: bool = False

    @property
    def name(self) -> str:
        return self.family + self.given


PEOPLE = (
    DemoPerson("chen.guoqiang", "陈", "国强", "GeneralManager", "总经办", None, "general manager, approves from 10,000",
               ("general_manager",), ("云启智联科技", "总经办")),
    DemoPerson("zhao.min", "赵", "敏", "Finance", "财务部", "chen.guoqiang", "finance, approves from 10,000",
               ("finance",), ("财务部",), takes_orphans=True),
    DemoPerson("qian.li", "钱", "丽", "Finance", "财务部", "zhao.min", "finance", ("finance",)),
    DemoPerson("he.zhiyuan", "何", "志远", "DepartmentHead", "销售中心", "chen.guoqiang", "head of all sales",
               heads=("销售中心",)),
    DemoPerson("lin.xiaoyan", "林", "晓燕", "DepartmentHead", "华东销售部", "he.zhiyuan",
               "department head, approves from 1,000", heads=("华东销售部",)),
    DemoPerson("zhou.ming", "周", "明", "Supervisor", "华东销售部", "lin.xiaoyan", "superior", ("sales",)),
    DemoPerson("wang.lei", "王", "磊", "Sales", "华东销售部", "zhou.ming", "employee, sends requests", ("sales",)),
    DemoPerson("li.na", "李", "娜", "Sales", "华东销售部", "zhou.ming", "employee", ("sales",)),
    DemoPerson("sun.yu", "孙", "宇", "Sales", "华东销售部", "zhou.ming", "employee", ("sales",)),
    DemoPerson("huang.jie", "黄", "杰", "DepartmentHead", "华南销售部", "he.zhiyuan", "department head",
               heads=("华南销售部",)),
    DemoPerson("xu.fang", "徐", "芳", "Sales", "华南销售部", "huang.jie", "employee", ("sales",)),
    DemoPerson("ma.chao", "马", "朝", "Sales", "华南销售部", "huang.jie", "employee", ("sales",)),
    DemoPerson("wu.ting", "吴", "婷", "HumanResources", "行政人事部", "chen.guoqiang", "human resources",
               ("administration",), ("行政人事部",)),
    DemoPerson("zheng.kai", "郑", "凯", "ProcessAdmin", "行政人事部", "wu.ting",
               "process administrator, designs processes", ("administration",)),
)  # fmt: skip

EXTENSIONS = {"8001": "wang.lei", "8002": "li.na"}
"""who has a telephone at the simulated exchange"""


def name_of(username: str) -> str:
    return next(person.name for person in PEOPLE if person.username == username)
