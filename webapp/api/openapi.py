"""The interface described by itself: an OpenAPI 3.1 document, made from the declared calls, and a page to browse it."""

from __future__ import annotations

import ast
import inspect
import re
import textwrap
from collections.abc import Iterable, Iterator
from functools import cache
from typing import Any

import msgspec

from engine.python_syntax import tree
from webapp.api.endpoint import ENDPOINTS, PREFIX, Endpoint, Id
from webapp.api.idempotency import HEADER

REFERENCE = "#/components/schemas/{name}"
TITLES = {
    308: "It has become part of another one; Location says which",
    400: "The request cannot be read",
    401: "Nobody is signed in",
    403: "You may see it but not do this",
    404: "It does not exist, or you may not see it",
    409: "Somebody else was faster; says who did what when",
    412: "The version named by If-Match is no longer the present one",
    413: "Too large",
    415: "This kind of content is not accepted",
    422: "Fields are wrong, or a rule forbids it; everything at once",
    429: "Too many calls; see Retry-After",
}
EVERY_CALL = (401, 403, 429)

_GENERIC = re.compile(r"Page_(?P<inner>\w+)_")
"""msgspec's name for Page[Item]; ours is ItemPage."""

PROBLEM: dict[str, Any] = {
    "type": "object",
    "description": "RFC 9457, in the caller's language.",
    "required": ["type", "title", "status", "detail", "code", "errors"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "code": {"type": "string", "description": "For machines; does not change with the language."},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {
                    "field": {"type": "string", "description": 'Path of a field: "lines.0.amount".'},
                    "element": {"type": "string", "description": "Id of a diagram's element."},
                    "message": {"type": "string"},
                    "remedy": {"type": "string"},
                    "rule": {"type": "string"},
                },
            },
        },
    },
}

LOGIN: dict[str, Any] = {
    "post": {
        "operationId": "LoginApi.login",
        "tags": ["signing in"],
        "summary": "Exchange user name and password for a token.",
        "security": [],
        "requestBody": {
            "required": True,
            "content": {
                "application/json": {
                    "schema": {
                        "type": "object",
                        "required": ["username", "password"],
                        "properties": {
                            "username": {"type": "string"},
                            "password": {"type": "string"},
                            "provider": {"type": "string", "enum": ["db"]},
                            "refresh": {"type": "boolean"},
                        },
                    }
                }
            },
        },
        "responses": {
            "200": {
                "description": "A token, good for an hour.",
                "content": {
                    "application/json": {
                        "schema": {
                            "type": "object",
                            "properties": {"access_token": {"type": "string"}, "refresh_token": {"type": "string"}},
                        }
                    }
                },
            },
            **{str(status): {"$ref": f"#/components/responses/{status}"} for status in (400, 401, 429)},
        },
    }
}

REFRESH: dict[str, Any] = {
    "post": {
        "operationId": "LoginApi.refresh",
        "tags": ["signing in"],
        "summary": "Exchange a refresh token, sent as Authorization, for a new token.",
        "responses": {
            "200": {
                "description": "A token, good for an hour.",
                "content": {
                    "application/json": {
                        "schema": {"type": "object", "properties": {"access_token": {"type": "string"}}}
                    }
                },
            },
            "401": {"$ref": "#/components/responses/401"},
        },
    }
}

LIVE: dict[str, Any] = {
    "get": {
        "operationId": "live",
        "tags": ["live"],
        "summary": "Server-sent events: inbox counts, notices.",
        "description": "Event `inbox` carries the counts of work-items/counts; Last-Event-ID resumes within the hour.",
        "responses": {
            "200": {"description": "A stream.", "content": {"text/event-stream": {"schema": {"type": "string"}}}},
            "401": {"$ref": "#/components/responses/401"},
        },
    }
}


@cache
def document(version: str) -> dict[str, Any]:
    """The whole interface, ready to be sent as JSON."""
    text = msgspec.json.encode(_document(version)).decode()
    return msgspec.json.decode(_GENERIC.sub(r"\g<inner>Page", text), type=dict[str, Any])


def _document(version: str) -> dict[str, Any]:
    endpoints = sorted(ENDPOINTS.values(), key=lambda one: (one.path, one.method))
    schemas = _schemas(endpoints)
    paths: dict[str, Any] = {
        f"{PREFIX}/security/login": LOGIN,
        f"{PREFIX}/security/refresh": REFRESH,
        f"{PREFIX}/live": LIVE,
    }
    for endpoint in endpoints:
        paths.setdefault(PREFIX + endpoint.path, {})[endpoint.method.lower()] = _operation(endpoint)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Yunliu",
            "version": version,
            "description": "Instants are ISO 8601 with offset, money is an amount as text with its currency, ids are "
            "integers. Every list takes page, page_size, order, q and count; every POST takes Idempotency-Key.",
        },
        "servers": [{"url": "/"}],
        "security": [{"bearer": []}, {"session": [], "csrf": []}],
        "paths": dict(sorted(paths.items())),
        "components": {
            "schemas": schemas,
            "responses": {str(status): _refusal(title) for status, title in TITLES.items()},
            "securitySchemes": {
                "bearer": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "A token from security/login, or an API key.",
                },
                "session": {"type": "apiKey", "in": "cookie", "name": "yunliu"},
                "csrf": {"type": "apiKey", "in": "header", "name": "X-CSRFToken"},
            },
        },
    }


def _refusal(title: str) -> dict[str, Any]:
    return {
        "description": title,
        "content": {"application/problem+json": {"schema": {"$ref": REFERENCE.format(name="Problem")}}},
    }


# ------------------------------------------------------------------------------------------------- one call


def _operation(endpoint: Endpoint) -> dict[str, Any]:
    found: dict[str, Any] = {
        "operationId": endpoint.name,
        "tags": [endpoint.tag],
        "summary": endpoint.summary,
        "parameters": list(_parameters(endpoint)),
        "responses": _responses(endpoint),
    }
    if endpoint.description:
        found["description"] = endpoint.description
    if endpoint.multipart:
        found["requestBody"] = {"required": True, "content": {"multipart/form-data": {"schema": _parts(endpoint)}}}
    elif endpoint.body is not None:
        required = any(field.required for field in msgspec.structs.fields(endpoint.body))
        found["requestBody"] = {"required": required, "content": {"application/json": {"schema": _ref(endpoint.body)}}}
    return found


def _parts(endpoint: Endpoint) -> dict[str, Any]:
    part = {"type": "string", "format": "binary"}
    if endpoint.path == "/attachments":
        return {"type": "object", "required": ["file"], "properties": {"file": part}}
    return {"type": "object", "required": ["files"], "properties": {"files": {"type": "array", "items": part}}}


def _parameters(endpoint: Endpoint) -> Iterator[dict[str, Any]]:
    for name, kind in endpoint.places.items():
        yield {"name": name, "in": "path", "required": True, "schema": msgspec.json.schema(kind)}
    if endpoint.query is not None:
        (_reference,), found = msgspec.json.schema_components([endpoint.query], ref_template=REFERENCE)
        shape = next(iter(found.values()))
        notes = _notes(endpoint.query)
        for name, schema in shape["properties"].items():
            described = {k: v for k, v in schema.items() if k not in ("description", "default") or v is not None}
            note = described.pop("description", notes.get(name, ""))
            parameter = {"name": name, "in": "query", "schema": _without_null(described)}
            yield {**parameter, "description": note} if note else parameter
    for header in endpoint.request_headers:
        yield {"name": header, "in": "header", "schema": {"type": "string"}}
    if endpoint.method == "POST" and endpoint.writes:
        description = "The same key and body gives the same answer again; the same key with another body is 422."
        schema = {"type": "string", "minLength": 1, "maxLength": 120, "pattern": "^[!-~]+$"}
        yield {"name": HEADER, "in": "header", "schema": schema, "description": description}


def _without_null(schema: dict[str, Any]) -> dict[str, Any]:
    """A parameter that may be left out is not one that may be null."""
    options = [one for one in schema.get("anyOf", ()) if one != {"type": "null"}]
    return options[0] if len(options) == 1 else schema


def _responses(endpoint: Endpoint) -> dict[str, Any]:
    good: dict[str, Any] = {"description": "Done" if endpoint.writes else "Found"}
    if endpoint.produces != "application/json":
        good["content"] = {endpoint.produces: {"schema": {"type": "string", "format": "binary"}}}
    elif endpoint.answer is not None:
        good["content"] = {"application/json": {"schema": _ref(endpoint.answer)}}
    refusals = {*EVERY_CALL, *endpoint.refusals}
    if _names_a_record(endpoint):
        refusals.add(404)
    if endpoint.body is not None or endpoint.multipart or endpoint.query is not None:
        refusals |= {400, 422}
    if endpoint.body is not None or endpoint.multipart:
        refusals |= {413, 415}
    if endpoint.writes:
        refusals |= {409, 422}
    shared = {str(status): {"$ref": f"#/components/responses/{status}"} for status in sorted(refusals)}
    return {str(endpoint.status): good, **shared}


# ------------------------------------------------------------------------------------------------- schemas


def _types(endpoints: Iterable[Endpoint]) -> list[Any]:
    found: dict[Any, None] = {}
    for endpoint in endpoints:
        if endpoint.body is not None:
            found[endpoint.body] = None
        if endpoint.answer is not None and endpoint.produces == "application/json":
            found[endpoint.answer] = None
    return list(found)


def _schemas(endpoints: Iterable[Endpoint]) -> dict[str, Any]:
    _references, schemas = msgspec.json.schema_components(_types(endpoints), ref_template=REFERENCE)
    for struct in _structs(_types(endpoints)):
        schema = schemas.get(struct.__name__)
        for name, note in _notes(struct).items():
            if schema is not None and name in schema.get("properties", {}):
                _note(schema["properties"][name], note)
    return {**dict(sorted(schemas.items())), "Problem": PROBLEM}


def _note(schema: dict[str, Any], note: str) -> None:
    schema.setdefault("description", note)


def _ref(kind: Any) -> dict[str, Any]:
    (reference,), _found = msgspec.json.schema_components([kind], ref_template=REFERENCE)
    return reference


def _structs(kinds: Iterable[Any]) -> Iterator[type[msgspec.Struct]]:
    """Every struct below these types, each once."""
    for kind in _below(kinds):
        if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
            yield kind


def _names_a_record(endpoint: Endpoint) -> bool:
    """Whether the caller says an id anywhere: one that is not there, or not his to see, is a 404."""
    asked = [one for one in (endpoint.query, endpoint.body) if one is not None]
    return bool(endpoint.places) or any(kind == Id for kind in _below(asked))


def _below(kinds: Iterable[Any]) -> Iterator[Any]:
    """These types and all they are made of, each once."""
    seen: list[Any] = []
    waiting = list(kinds)
    while waiting:
        kind = waiting.pop()
        if kind in seen:
            continue
        seen.append(kind)
        yield kind
        waiting.extend(getattr(kind, "__args__", ()))
        struct = getattr(kind, "__origin__", kind)
        if struct is not kind:
            waiting.append(struct)
        elif isinstance(struct, type) and issubclass(struct, msgspec.Struct):
            waiting.extend(field.type for field in msgspec.structs.fields(struct))


@cache
def _notes(struct: type) -> dict[str, str]:
    """The string literals below a class's attributes: what a type cannot say."""
    found: dict[str, str] = {}
    for base in reversed(struct.__mro__):
        if issubclass(base, msgspec.Struct) and base is not msgspec.Struct:
            found |= _written_below(base)
    return found


def _written_below(struct: type) -> dict[str, str]:
    module = tree(textwrap.dedent(inspect.getsource(struct)))
    assert isinstance(module, ast.Module)
    body = module.body[0]
    assert isinstance(body, ast.ClassDef)
    found = {}
    for attribute, below in zip(body.body, body.body[1:], strict=False):
        named = isinstance(attribute, ast.AnnAssign) and isinstance(attribute.target, ast.Name)
        if named and isinstance(below, ast.Expr) and isinstance(below.value, ast.Constant):
            found[attribute.target.id] = str(below.value.value).strip()  # type: ignore[attr-defined]
    return found
