#!/bin/sh
# The guide's name for `bluegreen proxy`: proxy-switch.sh blue | green | status
case ${1:-} in
  status) exec bluegreen proxy "$@" ;;
  blue | green) exec bluegreen proxy switch "$@" ;;
  *) echo "usage: proxy-switch.sh blue | green | status" >&2; exit 2 ;;
esac
