# SPDX-License-Identifier: Apache-2.0
"""Asks real Celery, or Flower, what it makes of argument lists and of variables.

Reads one JSON object per line, {"args": [...]} or {"env": {...}}, and answers each with another:
how the command ended up, what was set, and the error where there was one.
Nothing is started: the answer is what the command knows before its work.
The first line is unasked: the release.
"""
import io
import json
import logging
import os
import struct
import sys


def plain(value):
    """A value as the other side writes it: no infinities, nothing longer than 64 bits."""
    if isinstance(value, bool) or value is None:
        return value
    if isinstance(value, int):
        return max(-(2**63), min(2**63 - 1, value))
    if isinstance(value, float):
        return "float " + struct.pack(">d", value).hex()
    if isinstance(value, str):
        return value or None
    if isinstance(value, (list, tuple)):
        return [v if isinstance(v, str) else plain(v) for v in value]
    return "..."


def celery_reader(name):
    from celery import Celery, concurrency
    from celery.bin.base import CLIContext
    from celery.bin.beat import beat
    from celery.bin.worker import worker
    from celery.utils.nodenames import node_format
    from click.core import ParameterSource

    command = {"worker": worker, "beat": beat}[name]
    # Which package a pool needs is a question for the image.
    concurrency.get_implementation = lambda pool: pool
    app = Celery("judge")
    # What an empty or zero option falls back to.
    app.conf.update(
        worker_prefetch_multiplier=None, worker_pool=None,
        beat_schedule_filename=None, beat_scheduler=None,
    )

    def read(args):
        context = command.make_context(
            name, args, obj=CLIContext(app=app, no_color=True, workdir=None))
        if name == "worker":
            settings = app.loader.cmdline_config_parser(context.args, namespace="worker")
            for path in ("pidfile", "statedb", "logfile"):
                node_format(context.params[path], context.params["hostname"])
        else:
            settings = app.loader.cmdline_config_parser(context.args)
        written = {
            key: plain(value) for key, value in context.params.items()
            if context.get_parameter_source(key) == ParameterSource.COMMANDLINE
        }
        if name == "worker" and "hostname" in written:
            written["hostname"] = "..."
        return {"options": written, "settings": {key: plain(value) for key, value in settings.items()}}

    return read


def flower_reader():
    import click
    from celery import Celery
    from celery.bin.base import CLIContext
    from celery.bin.celery import celery
    from flower import command
    from tornado.options import options

    # Whether a file exists is a question for the image.
    command.parse_config_file = lambda *_, **__: None
    parent = click.Context(
        celery, info_name="celery", obj=CLIContext(app=Celery("judge"), no_color=True, workdir=None))
    settings = dict(command.settings)

    def starts():
        """What Flower looks at once it has read everything, and before it listens."""
        command.settings.clear()
        command.settings.update(settings)
        try:
            command.extract_settings()
            command.setup_logging()
        except SystemExit:
            return False
        return True

    def read(args=(), env=()):
        logging.getLogger().handlers.clear()
        for option in options._options.values():
            option._value = type(option).UNSET
        for name in [name for name in os.environ if name.startswith("FLOWER_")]:
            del os.environ[name]
        os.environ.update(env)
        context = command.flower.make_context("flower", list(args), parent=parent)
        command.apply_env_options()
        command.apply_options("flower", context.params["tornado_argv"])
        written = {
            option.name.replace("-", "_"): plain(option.value())
            for option in options._options.values() if option._value is not type(option).UNSET
        }
        return {"options": written, "starts": starts()}

    return read


def answer(read, question):
    import click
    try:
        return {"outcome": "accepted", **read(**question)}
    except (click.exceptions.Exit, SystemExit) as end:
        code = getattr(end, "exit_code", getattr(end, "code", None))
        return {"outcome": "refused" if code else "help", "error": repr(end)}
    except Exception as error:  # whatever it is, the command would not start
        return {"outcome": "refused", "error": repr(error)}


def main(name):
    import importlib
    read = flower_reader() if name == "flower" else celery_reader(name)
    # Help texts and complaints, which would mix with the answers.
    answers, sys.stdout, sys.stderr = sys.stdout, io.StringIO(), io.StringIO()
    package = importlib.import_module("flower" if name == "flower" else "celery")
    answers.write(json.dumps({"release": package.__version__}) + "\n")
    for line in sys.stdin:
        sys.stdout.truncate(0)
        sys.stderr.truncate(0)
        answers.write(json.dumps(answer(read, json.loads(line))) + "\n")


main(sys.argv[1])
