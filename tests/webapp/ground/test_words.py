"""Flask-AppBuilder speaks Chinese as completely as we do; its own catalogue of 2014 does not."""

from __future__ import annotations

from pathlib import Path

import flask_appbuilder
from babel.messages.extract import extract_from_dir
from flask import Flask
from flask_babel import lazy_gettext

from engine.i18n import reading_as
from webapp.bootstrap import catalogue

FAB = Path(flask_appbuilder.__file__).parent
METHODS = [("**.py", "python"), ("templates/**.html", "jinja2.ext.babel_extract")]
KEYWORDS = {"_": None, "gettext": None, "lazy_gettext": None, "lazy_formatter_gettext": None}


def test_every_sentence_of_fab_has_its_chinese() -> None:
    rows = extract_from_dir(FAB, METHODS, keywords=KEYWORDS)
    said = {m if isinstance(m, str) else m[0] for _file, _line, m, _comments, _context in rows} - {"", None}
    assert len(said) > 100, "the extraction finds too little to mean anything"
    assert said - catalogue("zh").keys() == set()


def test_fabs_lazy_sentences_come_from_our_catalogue(app: Flask) -> None:
    with app.test_request_context(), reading_as("zh_CN"):
        assert str(lazy_gettext("Starts with")) == "开头是"
        assert str(lazy_gettext("Not In")) == "不属于"
    with app.test_request_context(), reading_as("en"):
        assert str(lazy_gettext("Starts with")) == "Starts with"


def test_what_we_say_ourselves_goes_before_fab() -> None:
    assert catalogue("zh")["Back"] == "返回"
    assert catalogue("en") == {}
