"""Configuration of what stands between applications and servers: nginx, PgBouncer, Redis."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

from shared.adapters.embedded.ports import HOST, Ports
from shared.adapters.verifier import verifier

DIRECT_LINK = "active.sock"
ROUTE_FILE = "route.ini"
POOL_SIZE = 40


def pgbouncer_ini(
    place: Path,
    *,
    port: int,
    auth_user: str,
    auth_query: str,
    administrator: str,
    listen: str = HOST,
    route: Path | None = None,
    more: Mapping[str, str] = MappingProxyType({}),
) -> str:
    """`server_login_retry` is 15 s by default, and `max_prepared_statements` 0: with either, a
    cutover shows to clients (measured)."""
    return f"""\
%include {route or place / ROUTE_FILE}

[pgbouncer]
listen_addr = {listen}
listen_port = {port}
unix_socket_dir =
auth_type = scram-sha-256
auth_file = {place / "userlist.txt"}
auth_user = {auth_user}
auth_query = {auth_query}
admin_users = {administrator}
pool_mode = transaction
max_prepared_statements = 200
default_pool_size = {POOL_SIZE}
max_client_conn = 1000
server_login_retry = 1
server_connect_timeout = 5
query_wait_timeout = 60
ignore_startup_parameters = extra_float_digits,options
log_connections = 0
log_disconnections = 0
""" + "".join(f"{name} = {value}\n" for name, value in more.items())


def userlist(*, asks: tuple[str, str], administrator: tuple[str, str]) -> str:
    """Those whom PgBouncer knows by itself, each as (role, secret); everyone else is asked of the
    server. It logs in there as the one that asks, so that secret stands as it is. Of an
    administrator the verifier is enough: a password would be derived anew at each of its logins,
    in the one thread that serves all clients (5.1 ms a login, 0.3 with the verifier, measured)."""
    lines = (asks, (administrator[0], verifier(administrator[1])))
    return "".join(f'"{role}" "{secret}"\n' for role, secret in lines)


def nginx_conf(place: Path, logs: Path, ports: Ports, stream_module: Path | None) -> str:
    """The direct door's route is the symlink, which is resolved anew at each connect."""
    load = f"load_module {stream_module};" if stream_module else ""
    return f"""\
{load}
daemon off;
worker_processes 1;
pid {place / "nginx.pid"};
error_log {logs / "nginx-error.log"} warn;
events {{ worker_connections 4096; }}
stream {{
    log_format door '$time_iso8601 $remote_addr $server_port $upstream_addr $status '
                    '$bytes_sent $bytes_received $session_time';
    access_log {logs / "nginx-access.log"} door;
    allow 127.0.0.1;
    deny all;
    tcp_nodelay on;
    proxy_connect_timeout 3s;
    proxy_timeout 24h;
    server {{
        listen {HOST}:{ports["pooled"]};
        proxy_pass {HOST}:{ports["pgbouncer"]};
    }}
    server {{
        listen {HOST}:{ports["direct"]};
        proxy_pass unix:{place / DIRECT_LINK};
    }}
}}
"""


def redis_conf(place: Path, *, port: int, secret: str) -> str:
    """A wake-up, not the truth: a second of lost writes costs a sweep's delay."""
    return f"""\
bind {HOST}
port {port}
protected-mode yes
requirepass {secret}
daemonize no
dir {place}
appendonly yes
appendfsync everysec
save ""
maxmemory 256mb
maxmemory-policy noeviction
"""
