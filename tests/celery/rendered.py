# SPDX-License-Identifier: Apache-2.0
"""Asks real Celery, or Flower, whether it would start with the words and the environment of a container.

Reads one JSON object per line and answers each with one: which command got how
far, and the error where there was one. The whole command line runs, from the
first option to the moment before work begins; what would work is replaced.
Each question has a process of its own, as commands keep what they were told.
"""
import io
import json
import os
import pathlib
import sys
import types


class Started(BaseException):
    """The command was about to do its work."""


def starts(*_, **__):
    raise Started


def application(path, user_options):
    """What `-A` finds: an application with the options of its own that the image would bring."""
    import click
    from celery import Celery

    app = Celery("judge")
    app.Worker = app.Beat = starts
    for option in user_options:
        app.user_options["worker"].add(click.Option([option]))
    parts = path.split(":")[0].split(".")
    for end in range(1, len(parts) + 1):
        module = types.ModuleType(".".join(parts[:end]))
        module.__path__ = []
        module.app = app
        sys.modules[module.__name__] = module
    return app


def flower_starts(command, words):
    """Flower says nothing of what it does not know, so it is said here."""
    unknown = [word for word in words[words.index("flower") + 1:] if not command.is_flower_option(word)]
    # Some are no options: Flower looks for them by their names, wherever it needs them.
    sources = "".join(path.read_text() for path in pathlib.Path(command.__file__).parent.rglob("*.py"))
    unknown += [
        name for name in os.environ
        if name.startswith("FLOWER_") and not command.is_flower_envvar(name) and name not in sources
    ]
    if unknown:
        raise ValueError(f"Flower drops {unknown}")
    raise Started


def run(question):
    words = question["words"]
    os.environ.clear()
    os.environ.update(question["environment"])
    from celery import concurrency
    from celery.app import control
    from celery.bin.celery import celery

    # Which package a pool needs is a question for the image.
    concurrency.get_implementation = lambda pool: pool
    if "flower" in celery.commands:
        from flower import command
        command.Flower = lambda *_, **__: flower_starts(command, words)
    control.Inspect._request = starts
    for word, value in zip(words, words[1:]):
        if word in ("-A", "--app"):
            application(value, question["userOptions"])
    sys.argv = ["celery", *words]
    celery.main(words, prog_name="celery", auto_envvar_prefix="CELERY", standalone_mode=False)
    return "it did nothing"


def answer(question):
    try:
        return {"refused": run(question)}
    except Started:
        return {}
    except BaseException as error:  # whatever it is, the container would not start
        words = getattr(error, "message", None) or sys.stderr.getvalue()
        return {"refused": f"{error!r} {words}"}


def main():
    # The libraries are loaded once, not in each process.
    import celery.bin.celery
    try:
        import flower.command
    except ImportError:
        pass
    answers = sys.stdout
    answers.write(json.dumps({"version": celery.__version__}) + "\n")
    answers.flush()
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            sys.stdout, sys.stderr = io.StringIO(), io.StringIO()
            answers.write(json.dumps(answer(json.loads(line))) + "\n")
            answers.flush()
            os._exit(0)
        os.waitpid(child, 0)


main()
