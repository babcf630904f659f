# SPDX-License-Identifier: Apache-2.0
"""Signs of life of a worker or of beat, as files that a probe looks at.

A worker loads this module with ``-I`` and touches a file with every heartbeat that it sends: a main process that hangs,
or has lost the broker, sends none. Beat loads it with ``-S`` and touches the file whenever it has looked at its schedule.
"""

import os

from celery import signals
from celery.utils.imports import load_extension_class_names, symbol_by_name

FOLDER = "/run/celery-operator"
# Beat sleeps until a task is due, for minutes on end. Looking at the schedule more often costs nothing and shows that it
# lives.
LONGEST_SLEEP = 30


def touch(name):
    # Work goes on without the file; the probe tells that it is old.
    try:
        path = os.path.join(FOLDER, name)
        with open(path, "ab"):
            os.utime(path)
    except OSError:
        pass


@signals.heartbeat_sent.connect(weak=False)
def on_heartbeat(**_):
    touch("alive")


@signals.worker_ready.connect(weak=False)
def on_ready(**_):
    touch("alive")
    touch("ready")


@signals.worker_shutting_down.connect(weak=False)
def on_shutting_down(**_):
    try:
        os.remove(os.path.join(FOLDER, "ready"))
    except OSError:
        pass


def scheduler(app, lazy=False, **options):
    """The scheduler that beat would have without this module, watched at its work."""
    chosen = os.environ.get("CELERY_OPERATOR_BEAT_SCHEDULER") or os.environ.get("CELERY_BEAT_SCHEDULER")
    names = dict(load_extension_class_names("celery.beat_schedulers"))
    made = symbol_by_name(chosen or app.conf.beat_scheduler, aliases=names)(app=app, lazy=lazy, **options)
    if lazy:
        return made  # Made for the banner only.
    tick = made.tick

    def watched(*args, **kwargs):
        pause = tick(*args, **kwargs)
        touch("alive")
        touch("ready")
        return min(pause, LONGEST_SLEEP) if pause else pause

    made.tick = watched
    return made
