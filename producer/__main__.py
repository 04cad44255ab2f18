"""`bluegreen`, and `python -m producer`: until a command begins, Ctrl-C ends it without a word."""

from __future__ import annotations

import signal


def main() -> None:
    """Load the commands, which takes a while, and run one."""
    heard = signal.getsignal(signal.SIGINT)
    if heard is signal.default_int_handler:  # else somebody wants it ignored, as `nohup` does
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    from producer import cli

    signal.signal(signal.SIGINT, heard)
    cli.main()


if __name__ == "__main__":
    main()
