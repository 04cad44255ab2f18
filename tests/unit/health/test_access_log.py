"""Lines of the proxy's access log, across rotation and half-written lines."""

from pathlib import Path

from producer.alerting import like, shown
from shared.adapters.health.access_log import AccessLogCheck

LINE = "2026-11-26T02:00:00+00:00 127.0.0.1 5432 unix:/x {status} 1 2 0.01\n"


def test_connections_that_led_nowhere_are_counted_from_the_first_look_on(tmp_path: Path) -> None:
    path = tmp_path / "access.log"
    path.write_text(LINE.format(status=502) * 9)
    check = AccessLogCheck(path, refused_share=0.2)
    assert check.look().healthy, "what was there before the first look is past"
    with path.open("a") as file:
        file.write(LINE.format(status=200) * 8 + LINE.format(status=502) * 2)
        file.write(LINE.format(status=502)[:20])
    found = check.look()
    assert (found.healthy, found.value) == (False, 2)
    with path.open("a") as file:
        file.write(LINE.format(status=502)[20:])
    assert check.look().value == 3
    path.write_text(LINE.format(status=502))
    assert check.look().value == 4, "rotated: read from its beginning"
    path.unlink()
    assert check.look().severity == "info"


def test_a_single_lost_connection_is_no_alert(tmp_path: Path) -> None:
    path = tmp_path / "access.log"
    path.touch()
    check = AccessLogCheck(path, refused_share=0.2)
    check.look()
    path.write_text(LINE.format(status=502))
    assert check.look().healthy


def test_a_star_is_the_only_letter_with_a_meaning() -> None:
    for pattern in ("green.*", "job/*", "a_b", "100%", "*"):
        assert shown(like(pattern)) == pattern
    assert like("a_b.*") == "a\\_b.%"
