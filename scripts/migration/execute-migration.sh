#!/bin/sh
# The guide's name for `bluegreen run`: the same options, the same exit codes.
. "$(dirname "$0")/stack.sh"
bluegreen_here run "$@"
