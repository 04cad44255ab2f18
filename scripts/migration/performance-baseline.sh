#!/bin/sh
# The guide's name for `bluegreen baseline`: `--update` measures, `show` (the default) prints.
. "$(dirname "$0")/stack.sh"
[ $# -gt 0 ] || set -- show
[ "$1" != --update ] || { shift; set -- update "$@"; }
bluegreen_here baseline "$@"
