#!/bin/sh
# nginx with its own configuration; `proxy.sh -t` tests it.
set -eu
run=/run/bluegreen
mkdir -p "$run/doors/blue" "$run/doors/green"
exec nginx -e stderr -p "$run" -c /etc/bluegreen/nginx.conf "$@"
