#!/bin/sh
# The guide's name for `bluegreen health`: exit 0 when every check holds.
. "$(dirname "$0")/stack.sh"
bluegreen_here health "$@"
