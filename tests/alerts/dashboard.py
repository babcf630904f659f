# SPDX-License-Identifier: Apache-2.0
"""Reads a dashboard with Grafana's own models and prints a line for whatever they do not know.

The models drop unknown fields and take any value without a word. So what they have read is written again and compared,
which shows what was dropped; and each value is held against the type that its field declares.
"""

import enum
import json
import sys
import types
import typing

from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.cog.plugins import register_default_plugins
from grafana_foundation_sdk.models.dashboard import Dashboard


def dropped(mine, theirs, path):
    """What is not written again as it was read."""
    if isinstance(mine, dict) and isinstance(theirs, dict):
        for name, value in mine.items():
            place = f"{path}.{name}".lstrip(".")
            if name in theirs:
                yield from dropped(value, theirs[name], place)
            else:
                yield f"{place}: is unknown"
    elif isinstance(mine, list) and isinstance(theirs, list) and len(mine) == len(theirs):
        for index, value in enumerate(mine):
            yield from dropped(value, theirs[index], f"{path}[{index}]")
    elif mine != theirs:
        yield f"{path}: {mine!r} becomes {theirs!r}"


def unfit(value, hint, path):
    """Where a value is not of its declared type."""
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin in (typing.Union, types.UnionType):
        told = [list(unfit(value, argument, path)) for argument in arguments]
        if all(told):
            # What has come furthest was meant.
            yield from max(told, key=lambda lines: len(lines[0].split(": ")[0]))
    elif origin is list and isinstance(value, list):
        for index, item in enumerate(value):
            yield from unfit(item, arguments[0], f"{path}[{index}]")
    elif origin is dict and isinstance(value, dict):
        for name, item in value.items():
            yield from unfit(item, arguments[1], f"{path}.{name}")
    elif origin is typing.Literal:
        if value not in arguments:
            yield f"{path}: {value!r} is none of {arguments}"
    elif origin is not None:
        yield f"{path}: {value!r} is no {hint}"
    elif hint in (typing.Any, object):
        if hasattr(value, "to_json"):
            yield from unfit_fields(value, path)
    elif isinstance(hint, type) and issubclass(hint, enum.Enum):
        if value not in [member.value for member in hint] and not isinstance(value, hint):
            yield f"{path}: {value!r} is no {hint.__name__}"
    elif hint is float:
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            yield f"{path}: {value!r} is no number"
    elif not isinstance(value, hint) or (hint is int and isinstance(value, bool)):
        yield f"{path}: {value!r} is no {hint.__name__}"
    elif hasattr(value, "to_json"):
        yield from unfit_fields(value, path)


def unfit_fields(model, path):
    for name, hint in typing.get_type_hints(type(model)).items():
        yield from unfit(getattr(model, name, None), hint, f"{path}.{name}".lstrip("."))


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        mine = json.load(file)
    register_default_plugins()
    dashboard = Dashboard.from_json(mine)
    theirs = json.loads(JSONEncoder().encode(dashboard))
    for line in [*dropped(mine, theirs, ""), *unfit_fields(dashboard, "")]:
        print(line)


main()
