"""Fills a template: strict about what is missing, exact about every sign of what is filled in."""

from __future__ import annotations

import io
import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from docx.image.exceptions import InvalidImageStreamError, UnexpectedEndOfFileError, UnrecognizedImageError
from docx.shared import Mm
from docxtpl import DocxTemplate, InlineImage
from jinja2 import TemplateError, UndefinedError
from jinja2.exceptions import SecurityError, TemplateSyntaxError
from lxml import etree
from markupsafe import Markup

from connectors.word import guarding
from connectors.word.faults import BadTemplate, MissingField
from connectors.word.language import Filters, WordLanguage, forbidden

LARGEST_RESULT = 60 * 1024 * 1024
"""Signs of XML one part may have when it is filled."""
PICTURE_WIDTH_MM = 30

_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff\ufffe\uffff]")
"""What XML cannot hold, or Word drops without a word; line breaks and tabs stay."""
_MISSING = re.compile(r"'([^']+)' is undefined|has no (?:attribute|element) '?([^']+)'?")
_NO_PICTURE = (InvalidImageStreamError, UnexpectedEndOfFileError, UnrecognizedImageError)
_TAGS = re.compile(r"<[^>]+>")


@dataclass(frozen=True)
class Filled:
    docx: bytes
    cleaned: tuple[str, ...] = ()
    """paths of the values that control characters were taken out of"""


def fill(
    template: bytes, data: Mapping[str, Any], *, filters: Filters, pictures: Mapping[str, bytes] | None = None
) -> Filled:
    """The document. filters: what `amount`, `capitals`, `date`, `number` do.  pictures: name in the data -> PNG, JPEG.

    Raises MissingField(name), BadTemplate(where), Refused. Nothing of a value is lost but control characters, and
    `cleaned` says where.
    """
    guarding.check(template)
    cleaned: list[str] = []
    clean = _cleaned(data, "", cleaned)
    word = _Template(io.BytesIO(template))
    language = WordLanguage({**filters, "picture": _Pictures(word, pictures or {})})
    try:
        word.render(clean, language, autoescape=True)
    except UndefinedError as error:
        found = _MISSING.search(str(error))
        raise MissingField((found[1] or found[2]) if found else str(error)) from error
    except TemplateSyntaxError as error:
        raise BadTemplate(_near(error), error.message or "") from error
    except (SecurityError, TemplateError) as error:
        raise BadTemplate(_near(error), str(error)) from error
    except (ArithmeticError, TypeError, ValueError) as error:  # a filter that cannot read its value
        raise BadTemplate("", str(error)) from error
    output = io.BytesIO()
    word.save(output)
    return Filled(output.getvalue(), tuple(cleaned))


class _Template(DocxTemplate):
    """docxtpl, where it would lose something in silence."""

    def render_xml_part(self, src_xml: str, part: Any, context: Any, jinja_env: Any = None) -> str:
        for code, what in forbidden(jinja_env.parse(src_xml), jinja_env.filters):
            raise BadTemplate("", f"{code}: {what}")
        xml: str = super().render_xml_part(src_xml, part, context, jinja_env)
        if len(xml) > LARGEST_RESULT:
            raise BadTemplate("", "too_large")
        try:
            etree.fromstring(xml.encode())
        except etree.XMLSyntaxError as error:  # docxtpl would mend it by leaving out what does not fit
            raise BadTemplate("", "broken_structure") from error
        return xml

    def render_properties(self, context: Any, jinja_env: Any = None) -> None:
        """Title and the like are no XML here: what is filled into them is not escaped."""
        plain = jinja_env.overlay(autoescape=False)
        super().render_properties(context, plain)


class _Pictures:
    """The filter `picture`: {{ seal|picture(30) }} sets the picture of this name, so many millimetres wide."""

    def __init__(self, word: DocxTemplate, pictures: Mapping[str, bytes]) -> None:
        self._word = word
        self._pictures = pictures

    def __call__(self, value: Any, width_mm: float = PICTURE_WIDTH_MM) -> Any:
        if value in {None, ""}:
            return ""
        content = self._pictures.get(str(value))
        if content is None:
            raise MissingField(str(value))
        guarding.check_picture(content, str(value))
        width = Mm(min(max(float(width_mm), 1), 170))
        try:
            return Markup(str(InlineImage(self._word, io.BytesIO(content), width=width)))  # noqa: S704 - docxtpl's own XML
        except _NO_PICTURE as error:
            raise BadTemplate("", "no_picture") from error


def _cleaned(value: Any, path: str, cleaned: list[str]) -> Any:
    if isinstance(value, str):
        plain = _CONTROL.sub("", value.replace("\r\n", "\n").replace("\r", "\n"))
        if len(plain) != len(value.replace("\r\n", "\n")):
            cleaned.append(path)
        return plain
    if isinstance(value, Mapping):
        return {str(key): _cleaned(one, f"{path}.{key}".lstrip("."), cleaned) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [_cleaned(one, f"{path}.{number}", cleaned) for number, one in enumerate(value)]
    return Decimal(str(value)) if isinstance(value, float) else value


def _near(error: Exception) -> str:
    """The words of the paragraph a template stumbled over, as docxtpl tells the lines around it."""
    lines = [_TAGS.sub("", line).strip() for line in getattr(error, "docx_context", ())]
    marked = [line for line in lines if "{" in line]
    return (marked or lines or [""])[-1][:200]
