"""Migration files that tests enqueue; each works on a table of its own beside the shop."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Pets:
    """A small table, and a risky file that changes it; `name` keeps tests on one stack apart."""

    name: str

    @property
    def table(self) -> str:
        return (
            f"CREATE TABLE {self.name} (id bigint PRIMARY KEY, label text, chip text NOT NULL"
            f" DEFAULT 'none', weight integer NOT NULL DEFAULT 1);"
            f"INSERT INTO {self.name} (id, label) SELECT g, 'pet ' || g"
            f" FROM generate_series(1, 500) g"
        )

    @property
    def risky(self) -> str:
        return (
            f"-- bluegreen: down {self.name}.weight = round(weight * 1000)\n"
            f"ALTER TABLE {self.name} DROP COLUMN chip;\n"
            f"ALTER TABLE {self.name} ADD COLUMN colour text NOT NULL DEFAULT 'grey';\n"
            f"ALTER TABLE {self.name} RENAME COLUMN label TO called;\n"
            f"ALTER TABLE {self.name} ALTER COLUMN weight TYPE numeric(12,3)"
            f" USING weight / 1000.0;\n"
        )

    @property
    def fails_on_rows(self) -> str:
        """Passes on an empty copy, fails where the rows are."""
        return (
            f"ALTER TABLE {self.name} DROP COLUMN chip;\n"
            f"ALTER TABLE {self.name} ADD CONSTRAINT few CHECK (id < 100);\n"
        )
