"""A derived table that the application empties: TRUNCATE fires no row's trigger, and yet the old
table's own column has to lose every value that it gave back.
"""

from __future__ import annotations

from shared.domain.identifiers import ident, literal
from shared.domain.objects import JOB, OWNER_ROLE, REVERSE_TRIGGER
from shared.mapping.derived_model import Derived
from shared.mapping.expressions import differs
from shared.mapping.model import Table
from shared.mapping.name_states import NameState


def create_truncate_trigger(
    table: Table, made: Derived, number: int, state: NameState, giving_back: str
) -> list[str]:
    """On the derived table, ordinary; its function has a superuser's rights, as those have that
    give back one row. `giving_back`: the setting under which the old table's rows fill nothing."""
    function = f"{ident(JOB, name_of_function(number))}()"
    changes = "".join(
        f"\n    UPDATE {table.final.sql} AS t SET {ident(each.landing)} = {each.fill} WHERE"
        f" {differs([f't.{ident(each.landing)}'], [f'({each.fill})::{each.type}'])};"
        for each in made.put_back
    )
    body = f"\nBEGIN{changes}\n    RETURN NULL;\nEND"
    return [
        f"CREATE OR REPLACE FUNCTION {function} RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER"
        " SET search_path = pg_catalog, pg_temp SET session_replication_role = replica"
        f" SET {giving_back} = 'on' AS {literal(body)}",
        f"ALTER FUNCTION {function} OWNER TO {ident(OWNER_ROLE)}",
        f"CREATE OR REPLACE TRIGGER {trigger_name(number)} AFTER TRUNCATE ON {made.name(state).sql}"
        f" FOR EACH STATEMENT EXECUTE FUNCTION {function}",
    ]


def name_of_function(number: int) -> str:
    return f"put_back_none_{number}"


def trigger_name(number: int) -> str:
    return ident(f"{REVERSE_TRIGGER}_{number}_empty")
