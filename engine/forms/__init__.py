"""Forms: one schema per process for the page, the API and the diagram; checked here and nowhere else.

A `<process>.form.json` names the fields, who may do what with them at which step, and which of them the token carries.
`check_schema(text)` reads it once and for all; `FormSchema.submit` reads what a person sends against it.
"""

from engine.forms.check import check_schema
from engine.forms.fields import Condition, Field, Right
from engine.forms.lookups import (
    OPTION_SOURCES,
    REFERENCES,
    Choice,
    Lookups,
    Reference,
    ScopedLookups,
    option_source,
    reference,
)
from engine.forms.schema import FormSchema
from engine.forms.words import check_key, check_opinion, unprintable

__all__ = [
    "OPTION_SOURCES",
    "REFERENCES",
    "Choice",
    "Condition",
    "Field",
    "FormSchema",
    "Lookups",
    "Reference",
    "Right",
    "ScopedLookups",
    "check_key",
    "check_opinion",
    "check_schema",
    "option_source",
    "reference",
    "unprintable",
]
