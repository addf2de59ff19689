"""OpenAPI 3.0 schemas as JSON Schema 2020-12, with unions that tell faults apart (pure)."""

from itertools import combinations
from typing import Any, Final

type Schema = dict[str, Any]

_DROPPED: Final = frozenset({"default", "deprecated", "discriminator", "exclusiveMinimum", "nullable"})


def convert(schema: Schema) -> Schema:
    """Return ``schema`` as JSON Schema 2020-12; references stay as they are.

    A property that is declared as ``nullable`` and nothing else becomes null. ``oneOf`` over objects that
    required, enumerated properties tell apart becomes one conditional per variant, so that a value is
    judged by the variant it names and by no other.
    """
    if "$ref" in schema:
        return {"$ref": schema["$ref"]}
    if set(schema) == {"nullable"}:
        return {"type": "null"}
    out = {key: _keyword(key, value) for key, value in schema.items() if key not in _DROPPED}
    if schema.get("exclusiveMinimum") is True:
        out["exclusiveMinimum"] = out.pop("minimum")
    if "oneOf" in out:
        out |= _union(out.pop("oneOf"))
    return _or_null(out) if schema.get("nullable") is True else out


def _keyword(key: str, value: Any) -> Any:  # the value of a keyword may be any JSON
    match key:
        case "properties":
            return {name: convert(schema) for name, schema in value.items()}
        case "allOf" | "oneOf":
            return [convert(schema) for schema in value]
        case "items" | "additionalProperties" if isinstance(value, dict):
            return convert(value)
    return value


def _or_null(schema: Schema) -> Schema:
    if "type" not in schema:
        return {"if": {"not": {"type": "null"}}, "then": schema}
    enum = {"enum": [*schema["enum"], None]} if "enum" in schema else {}
    return {**schema, "type": [schema["type"], "null"], **enum}


def _union(variants: list[Schema]) -> Schema:
    if all(set(variant) == {"type"} for variant in variants):
        return {"type": [variant["type"] for variant in variants]}
    if all(set(variant) == {"enum", "type"} for variant in variants):
        return {"type": "string", "enum": [value for variant in variants for value in variant["enum"]]}
    tags = _tags(variants)
    if not tags:
        return {"oneOf": variants}
    known = {tag: {"enum": _known(variants, tag)} for tag in tags}
    head: Schema = {"type": "object", "required": list(tags), "properties": known}
    return {"allOf": [head, *({"if": _named(variant, tags), "then": variant} for variant in variants)]}


def _tags(variants: list[Schema]) -> tuple[str, ...]:
    """Return the fewest required, enumerated properties that tell all variants apart, or nothing."""
    shared = sorted(set.intersection(*(_enumerated(variant) for variant in variants)))
    for size in range(1, len(shared) + 1):
        for names in combinations(shared, size):
            if all(_apart(one, other, names) for one, other in combinations(variants, 2)):
                return names
    return ()


def _enumerated(variant: Schema) -> set[str]:
    properties: Schema = variant.get("properties", {})
    return {name for name in variant.get("required", ()) if "enum" in properties.get(name, {})}


def _apart(one: Schema, other: Schema, names: tuple[str, ...]) -> bool:
    return any(set(_values(one, name)).isdisjoint(_values(other, name)) for name in names)


def _named(variant: Schema, tags: tuple[str, ...]) -> Schema:
    return {"required": list(tags), "properties": {tag: {"enum": _values(variant, tag)} for tag in tags}}


def _known(variants: list[Schema], tag: str) -> list[str]:
    return list(dict.fromkeys(value for variant in variants for value in _values(variant, tag)))


def _values(variant: Schema, tag: str) -> list[str]:
    values: list[str] = variant["properties"][tag]["enum"]
    return values
