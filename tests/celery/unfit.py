# SPDX-License-Identifier: Apache-2.0
"""Says what a worker of this release does with settings behind `--`, one JSON list of words per line in.

Every list gets a worker of its own, forked from this process so that nothing is imported twice. The answer is where it
ended: `start`, `send`, `run`, or `done` when it ran a task.
"""
import json
import os
import select
import shutil
import signal
import sys
import tempfile
import time

import celery.apps.worker
import celery.backends.cache
import celery.bin.celery
import celery.concurrency.prefork
import celery.worker.consumer
import kombu.transport.memory
from celery import Celery, signals

WAIT = 10
"""Seconds for a worker that neither ends nor runs a task."""
GRACE = 5
"""Seconds for a task that is never run."""


def work(words, pipe):
    """A worker that sends itself a task and says on the pipe how far it came."""
    app = Celery('judge', broker='memory://', backend='cache+memory://', set_as_current=True)
    # The transport looks for tasks once a second otherwise.
    app.conf.broker_transport_options = {'polling_interval': 0.02}

    def say(word):
        os.write(pipe, word.encode() + b'\n')

    @app.task(name='judge.task')
    def task():
        say('done')

    @signals.worker_ready.connect(weak=False)
    def ready(**_):
        say('ready')
        try:
            task.apply_async()
        except BaseException:
            say('unsent')
        else:
            say('sent')

    arguments = ['worker', '-c', '1', '--without-mingle', '--without-gossip', '--without-heartbeat']
    # Who says it must not find another number in the way.
    if any(word.startswith('worker.concurrency') for word in words):
        arguments = arguments[:1] + arguments[3:]
    app.worker_main(argv=arguments + ['--', *words])


def outcome(words):
    """How far the worker came."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.setsid()
        nothing = os.open(os.devnull, os.O_RDWR)
        for stream in (0, 1, 2):
            os.dup2(nothing, stream)
        os.chdir(tempfile.mkdtemp(dir=folder))
        try:
            work(words, writer)
        finally:
            os._exit(1)
    os.close(writer)
    said, end = b'', time.monotonic() + WAIT
    while b'done' not in said and b'unsent' not in said:
        readable, _, _ = select.select([reader], [], [], max(0, end - time.monotonic()))
        text = os.read(reader, 1000) if readable else b''
        if not text:
            break
        if b'ready' in text:
            end = time.monotonic() + GRACE
        said += text
    try:
        os.killpg(child, signal.SIGKILL)
    except ProcessLookupError:
        pass
    os.waitpid(child, 0)
    os.close(reader)
    if b'done' in said:
        return 'done'
    if b'ready' not in said:
        return 'start'
    return 'run' if b'sent\n' in said.replace(b'unsent', b'') else 'send'


folder = tempfile.mkdtemp()
os.environ['C_FORCE_ROOT'] = '1'
print(json.dumps('ready'), flush=True)
try:
    for line in sys.stdin:
        print(json.dumps(outcome(json.loads(line))), flush=True)
finally:
    shutil.rmtree(folder, ignore_errors=True)
