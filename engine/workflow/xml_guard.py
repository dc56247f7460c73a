"""Parse uploaded XML without trusting it: no DTD, no entities, no network, bounded size and depth."""

from __future__ import annotations

from lxml import etree

from engine.errors import Problem
from engine.i18n import _

MAX_BYTES = 5_000_000
MAX_TAGS = 60_000
MAX_DEPTH = 80


class HostileXml(Exception):
    """The file is refused before anything in it is read."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(str(problem.message))
        self.problem = problem


def parse(text: str, file: str) -> etree._Element:
    """The root element; HostileXml for what is too large, too deep, carries a DTD or is no XML.

    The cheap questions come first, so that a bomb is refused in milliseconds.
    """
    if len(text) > MAX_BYTES or text.count("<") > MAX_TAGS:
        raise _refused(file, _("The file is larger than {limit} MB.", limit=MAX_BYTES // 1_000_000))
    if "<!DOCTYPE" in text or "<!ENTITY" in text:
        raise HostileXml(
            Problem(
                where=file,
                message=_("The file declares a document type or entities."),
                remedy=_("Remove the <!DOCTYPE …> declaration; diagrams need none."),
                rule="xml",
                file=file,
            )
        )
    parser = etree.XMLParser(
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
        encoding="utf-8",
    )
    try:
        root = etree.fromstring(text.encode("utf-8", "replace"), parser)
    except etree.XMLSyntaxError as error:
        raise _refused(file, _("The file is not well-formed XML: {detail}", detail=str(error)[:200])) from None
    if _deeper_than(root, MAX_DEPTH):
        raise _refused(file, _("The elements are nested deeper than {limit} levels.", limit=MAX_DEPTH))
    return root


def _deeper_than(root: etree._Element, limit: int) -> bool:
    level = [root]
    for _depth in range(limit):
        level = [child for parent in level for child in parent]
        if not level:
            return False
    return True


def _refused(file: str, message: object) -> HostileXml:
    return HostileXml(Problem(where=file, message=message, rule="xml", file=file))  # type: ignore[arg-type]
