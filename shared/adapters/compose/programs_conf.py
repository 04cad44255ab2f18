"""Configuration of the programs in the compose stack: PgBouncer, nginx, Redis, PostgreSQL.

Where a program is the same as in the embedded stack, so is its text (shared/adapters/embedded).
"""

from __future__ import annotations

import base64
import hashlib
import os
from collections.abc import Iterable, Mapping
from pathlib import Path

from shared.adapters.compose.inventory import AUTHORITY, DOORS, OWN
from shared.adapters.compose.stack_settings import (
    DIRECT_PORT,
    FLOWER_PORT,
    POOLED_PORT,
    REDIS_PORT,
    SERVER_PORT,
)
from shared.adapters.doors.direct_door import socket_path
from shared.adapters.embedded.build import AUTH_QUERY
from shared.adapters.embedded.doors_conf import DIRECT_LINK, ROUTE_FILE, pgbouncer_ini
from shared.adapters.embedded.postgres_conf import (
    CONTROL,
    NODE,
    WITH_STATEMENTS,
    postgresql_conf,
)
from shared.adapters.embedded.secrets_store import POOLER_ADMINISTRATOR
from shared.adapters.keeper.server_container import ServerPlaces
from shared.domain.objects import POOLER_ROLE
from shared.settings import NodeSettings

SERVER_CERTIFICATE, SERVER_KEY = OWN / "tls/server.crt", OWN / "tls/server.key"
WEB_ACCOUNTS = OWN / "web-accounts"
PROXY_RUN = Path("/run/bluegreen")


def server_conf(cluster_name: str, *, is_node: bool) -> str:
    """The plain log goes to files whose names lead to the container's output (the entrypoint makes
    them), the JSON log beside them is what the health-monitor reads."""
    settings: Mapping[str, str] = {
        **(NODE if is_node else CONTROL),
        "ssl": "on",
        "ssl_cert_file": str(SERVER_CERTIFICATE),
        "ssl_key_file": str(SERVER_KEY),
        "ssl_ca_file": str(AUTHORITY),
        "ssl_min_protocol_version": "TLSv1.2",
        "log_destination": "jsonlog,stderr",
        **({"shared_preload_libraries": WITH_STATEMENTS} if is_node else {}),
    }
    return postgresql_conf(
        ServerPlaces(), port=SERVER_PORT, cluster_name=cluster_name,
        log_directory=ServerPlaces().logs, settings=settings, listen="*",
    )  # fmt: skip


def pooler_conf() -> str:
    """A node's address is asked for anew after a second: a container may come back with another."""
    return pgbouncer_ini(
        OWN,
        port=POOLED_PORT,
        auth_user=POOLER_ROLE,
        auth_query=AUTH_QUERY,
        administrator=POOLER_ADMINISTRATOR,
        listen="*",
        route=DOORS / ROUTE_FILE,
        more={
            "client_tls_sslmode": "require",
            "client_tls_cert_file": str(SERVER_CERTIFICATE),
            "client_tls_key_file": str(SERVER_KEY),
            "client_tls_ca_file": str(AUTHORITY),
            "server_tls_sslmode": "verify-full",
            "server_tls_ca_file": str(AUTHORITY),
            "dns_max_ttl": "1",
            "dns_nxdomain_ttl": "1",
        },
    )


def proxy_conf(nodes: Iterable[NodeSettings]) -> str:
    """Both doors pass TLS through. Names are resolved at each connect, so a server that is stopped
    for a fork does not keep nginx from starting. Flower's pages are guarded here once more: of its
    own pages `/metrics` asks for no password (Flower manual, "Authentication")."""
    servers = "".join(
        f"""
    server {{
        listen unix:{socket_path(node)};
        access_log off;
        set $node {node.host}:{node.port};
        proxy_pass $node;
    }}"""
        for node in nodes
    )
    return f"""\
load_module /usr/lib/nginx/modules/ngx_stream_module.so;
daemon off;
worker_processes 1;
pid {PROXY_RUN / "nginx.pid"};
error_log stderr warn;
events {{ worker_connections 4096; }}
stream {{
    log_format door '$time_iso8601 $remote_addr $server_port $upstream_addr $status '
                    '$bytes_sent $bytes_received $session_time';
    access_log /dev/stdout door;
    resolver 127.0.0.11 valid=1s ipv6=off;
    resolver_timeout 3s;
    tcp_nodelay on;
    proxy_connect_timeout 3s;
    proxy_timeout 24h;
    server {{
        listen {POOLED_PORT};
        set $pooler pooler:{POOLED_PORT};
        proxy_pass $pooler;
    }}
    server {{
        listen {DIRECT_PORT};
        proxy_pass unix:{DOORS / DIRECT_LINK};
    }}{servers}
}}
http {{
    access_log off;
    server_tokens off;
    resolver 127.0.0.11 valid=1s ipv6=off;
    client_body_temp_path {PROXY_RUN}/body;
    proxy_temp_path {PROXY_RUN}/proxy;
    fastcgi_temp_path {PROXY_RUN}/fastcgi;
    uwsgi_temp_path {PROXY_RUN}/uwsgi;
    scgi_temp_path {PROXY_RUN}/scgi;
    server {{
        listen {FLOWER_PORT} ssl;
        ssl_certificate {SERVER_CERTIFICATE};
        ssl_certificate_key {SERVER_KEY};
        auth_basic "Flower";
        auth_basic_user_file {WEB_ACCOUNTS};
        set $flower http://flower:{FLOWER_PORT};
        location / {{
            proxy_pass $flower;
            proxy_set_header Host $http_host;
        }}
    }}
}}
"""


def web_account(user: str, secret: str) -> str:
    """A line for nginx' auth_basic_user_file, salted SHA-1 as RFC 2307 says."""
    salt = os.urandom(12)
    digest = hashlib.sha1(secret.encode() + salt, usedforsecurity=True).digest()
    return f"{user}:{{SSHA}}{base64.b64encode(digest + salt).decode()}\n"


def redis_conf() -> str:
    """A wake-up, not the truth: a second of lost writes costs a sweep's delay."""
    return f"""\
bind * -::*
port 0
tls-port {REDIS_PORT}
tls-cert-file {SERVER_CERTIFICATE}
tls-key-file {SERVER_KEY}
tls-ca-cert-file {AUTHORITY}
tls-auth-clients no
aclfile {OWN / "users.acl"}
daemonize no
dir /data
appendonly yes
appendfsync everysec
save ""
maxmemory 256mb
maxmemory-policy noeviction
"""
