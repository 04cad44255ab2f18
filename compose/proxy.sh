#!/bin/sh
# nginx with its own configuration; `proxy.sh -t` tests it.
set -eu
run=/run/bluegreen doors=/var/lib/bluegreen/doors
mkdir -p "$doors/blue" "$doors/green"
[ "$#" -gt 0 ] || rm -f "$doors"/*/.s.PGSQL.*  # those of an nginx that was killed
exec nginx -e stderr -p "$run" -c /etc/bluegreen/nginx.conf "$@"
