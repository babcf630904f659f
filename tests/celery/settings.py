# SPDX-License-Identifier: Apache-2.0
"""Says how this release of Celery reads words behind `--`, one JSON object per line in and out.

The first line is its own table of settings.
"""
import json
import sys

from celery import Celery
from celery.app import defaults

app = Celery('judge', set_as_current=False)


def plain(value):
    """A value with its kind; numbers as text, since JSON has neither all of them nor any limits."""
    if isinstance(value, bool):
        return {'flag': value}
    if isinstance(value, int):
        return {'whole': str(value)}
    if isinstance(value, float):
        return {'number': repr(value)}
    if isinstance(value, str):
        return {'text': value}
    if isinstance(value, (list, tuple)):
        return {'list': [plain(item) for item in value]}
    if isinstance(value, dict):
        return {'table': {key: plain(item) for key, item in value.items()}}
    return {'none': None}


table = {}
for name, option in defaults.flatten(defaults.NAMESPACES):
    kind = option.type if isinstance(option.type, str) else option.type.__name__
    table[name] = {'type': kind, 'old': defaults._TO_OLD_KEY[name]}
print(json.dumps(table))
for line in sys.stdin:
    try:
        ((name, value),) = app.loader.cmdline_config_parser([json.loads(line)], namespace='worker').items()
        answer = {'name': name, 'value': plain(value), 'ok': True}
    except Exception as error:
        answer = {'ok': False, 'why': f'{type(error).__name__}: {error}'}
    print(json.dumps(answer))
