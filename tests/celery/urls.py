# SPDX-License-Identifier: Apache-2.0
"""Says what this release of Celery and kombu makes of URLs, one JSON object per line in and out.

Nothing connects: connections are built up to the point where a socket would be opened. A transport or backend whose
package is not installed is judged as far as Celery itself reads its URL.
"""
import ast
import importlib.util
import inspect
import json
import logging
import ssl
import sys
import types
import warnings

logging.disable(logging.CRITICAL)
warnings.simplefilter('ignore')

import amqp.connection  # noqa: E402
import amqp.transport  # noqa: E402
import celery.backends.base  # noqa: E402
import celery.backends.cache  # noqa: E402
import celery.backends.filesystem  # noqa: E402
import kombu.transport  # noqa: E402
import redis  # noqa: E402
from celery import Celery  # noqa: E402
from celery.app.backends import BACKEND_ALIASES, by_url  # noqa: E402
from kombu import Connection  # noqa: E402
from kombu.transport import virtual  # noqa: E402

app = Celery('judge', set_as_current=False)
app.conf.result_backend_transport_options = {'master_name': 'm'}
app.conf.database_create_tables_at_setup = False
app.conf.database_url = 'sqlite://'
app.conf.cache_backend = 'memory'


def stub(name):
    """The transport of a package that is missing: all that matters is whether it reads URLs itself."""
    module = kombu.transport.TRANSPORT_ALIASES[name].partition(':')[0].removesuffix('.Transport')
    with open(importlib.util.find_spec(module).origin) as source:
        tree = ast.parse(source.read())
    whole = False
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef) and node.name == 'Transport':
            for line in node.body:
                target = line.targets[0] if isinstance(line, ast.Assign) else getattr(line, 'target', None)
                if getattr(target, 'id', None) == 'can_parse_url':
                    whole = line.value.value
    return type('Stub', (virtual.Transport,), {'can_parse_url': whole, 'is_stub': True})


real_resolve = kombu.transport.resolve_transport


def resolve(transport=None):
    try:
        return real_resolve(transport)
    except (ImportError, NameError):
        if transport in kombu.transport.TRANSPORT_ALIASES:
            return stub(transport)
        raise


kombu.transport.resolve_transport = resolve


def connect(self, callback=None):
    """As far as py-amqp goes without a socket."""
    self.transport = self.Transport(self.host, self.connect_timeout, ssl=self.ssl)
    0.0 + self.transport.connect_timeout
    if isinstance(self.transport, amqp.transport.SSLTransport):
        sni = inspect.signature(amqp.transport.SSLTransport._wrap_socket_sni)
        bound = sni.bind(self.transport, None, **self.transport.sslopts)
        if bound.arguments.get('ssl_version') is not None:
            ssl.SSLContext(bound.arguments['ssl_version'])


amqp.connection.Connection.connect = connect


def redis_parts(connection):
    secured = isinstance(connection, redis.SSLConnection)
    # The reader of the answers has no larger numbers.
    db = connection.db if abs(connection.db) < 2 ** 63 else str(connection.db)
    return {
        'host': getattr(connection, 'host', None), 'port': getattr(connection, 'port', None),
        'db': db, 'user': connection.username, 'password': connection.password,
        'path': getattr(connection, 'path', None), 'tls': secured,
        'verifies': secured and ssl.CERT_NONE != getattr(connection, 'cert_reqs', None),
    }


def broker(text):
    """The URL of the settings: of a list, the first one counts at the start."""
    return endpoint(app.connection_for_read(text) if text else Connection(text))


def next_broker(text):
    """One of a list when its turn has come."""
    client = Connection('amqp://')
    client.switch(text)
    return endpoint(client)


def endpoint(client):
    cls = client.get_transport_cls()
    0.0 + client._extract_failover_opts()['timeout']
    answer = {
        'host': client.hostname, 'port': client.port, 'user': client.userid, 'password': client.password,
        'vhost': client.virtual_host, 'whole': cls.can_parse_url, 'scheme': client.transport_cls,
    }
    if getattr(cls, 'is_stub', False):
        if client.transport_cls.startswith('sqla'):
            client.as_uri()
        return answer
    answer['fanout'] = 'fanout' in cls.implements.exchange_type
    try:
        transport = client.transport
    except (ImportError, AttributeError, RuntimeError):
        return answer
    if cls.driver_type == 'redis':
        channel = transport.Channel.__new__(transport.Channel)
        channel.connection = transport
        channel.Client = channel._get_client()
        if 'sentinel' in cls.__name__.lower():
            channel.master_name = 'm'
            pool = channel._sentinel_managed_pool()
            hidden = {'host': client.hostname, 'port': client.port or transport.default_port}
        else:
            pool, hidden = channel._get_pool(), {}
        answer.update(redis_parts(pool.make_connection()), **hidden)
    elif cls.driver_type == 'amqp' and cls.driver_name == 'py-amqp':
        wire = client.transport.establish_connection().transport
        answer.update(host=wire.host, port=wire.port, tls=isinstance(wire, amqp.transport.SSLTransport))
    client.as_uri()
    return answer


app.loader.override_backends = {
    'django-db': 'celery.backends.base:DisabledBackend', 'django-cache': 'celery.backends.base:DisabledBackend',
}
shop = sys.modules['shop'] = types.ModuleType('shop')
shop.results = sys.modules['shop.results'] = types.ModuleType('shop.results')
shop.results.Backend = celery.backends.base.DisabledBackend
celery.backends.filesystem.FilesystemBackend._do_directory_test = lambda self, key: None
for name in celery.backends.cache.backends:
    celery.backends.cache.backends[name] = lambda: (object, str)
BUILT = ('rpc', 'cache', 'redis', 'rediss', 'sentinel', 'db', 'database', 'file', 'disabled')


def backend(text):
    name = (text.partition('://')[0].partition('+')[0] if '://' in text else text)
    if name in BACKEND_ALIASES and name not in BUILT:
        try:
            by_url(text, app.loader)
        except ImportError as error:
            if error.name and error.name.startswith('celery'):
                raise
        return {}
    app.backend_cls = text
    built = app._get_backend()
    if name in ('redis', 'rediss', 'sentinel'):
        answer = redis_parts(built.client.connection_pool.make_connection())
        hosts = built.connparams.get('hosts')
        if hosts is not None:
            answer['hosts'] = [[host['host'], host['port']] for host in hosts]
            answer.update(host=None, port=None)
        built.as_uri()
        return answer
    if name in ('db', 'database'):
        from sqlalchemy.engine import URL, make_url
        URL.create(built.url.partition('://')[0]).get_dialect()
        host = make_url(built.url).host or ''
        # What a worker does when it starts.
        built.as_uri()
        if '@' in host:
            raise ValueError('no resolver knows such a host')
    if name == 'file':
        return {'path': built.path.decode()}
    return {}


print(json.dumps({'kombu': kombu.VERSION[1], 'celery': celery.VERSION[1]}))
for line in sys.stdin:
    question = json.loads(line)
    try:
        ((what, text),) = question.items()
        answer = {'broker': broker, 'next': next_broker, 'backend': backend}[what](text)
        answer['ok'] = True
    except Exception as error:
        answer = {'ok': False, 'why': f'{type(error).__name__}: {error}'}
    print(json.dumps(answer))
