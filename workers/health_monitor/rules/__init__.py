"""The preflight rules, in the order in which a person reads their findings."""

from __future__ import annotations

from shared.domain.kinds import Kind
from workers.health_monitor.rules import contents, copying, room, servers, sessions
from workers.health_monitor.rules.finding import EVERY, MAINTENANCE, RISKY, STANDBY, Finding, Rule
from workers.health_monitor.snapshot import Snapshot

RULES: tuple[Rule, ...] = (
    Rule("version", EVERY, servers.version),
    Rule("writable", EVERY, servers.writable),
    Rule("disk", EVERY, room.disk),
    Rule("backup_disk", EVERY, room.backup_disk),
    Rule("memory", EVERY, room.memory),
    Rule("cores", RISKY, room.cores),
    Rule("way_back", RISKY, servers.way_back),
    Rule("instant_way_back", MAINTENANCE, servers.instant_way_back, only="copy"),
    Rule("standby", STANDBY, servers.standby, only="fork"),
    Rule("streaming", STANDBY, servers.streaming, only="fork"),
    Rule("synchronous", STANDBY, servers.synchronous, only="fork"),
    Rule("other_standbys", RISKY, servers.other_standbys),
    Rule("wal_level", RISKY, servers.wal_level),
    Rule("rewindable", RISKY, servers.rewindable, only="fork"),
    Rule("free_slots", RISKY, servers.free_slots),
    Rule("apply_workers", RISKY, servers.apply_workers),
    Rule("kept_wal", RISKY, servers.kept_wal),
    Rule("background_jobs", RISKY, servers.background_jobs),
    Rule("archiving", RISKY, servers.archiving, only="fork"),
    Rule("copy_target", RISKY, copying.copy_target, only="copy"),
    Rule("copy_like", RISKY, copying.copy_like, only="copy"),
    Rule("copy_rights", RISKY, copying.copy_rights, only="copy"),
    Rule("copy_room", RISKY, copying.copy_room, only="copy"),
    Rule("replica_identity", RISKY, contents.replica_identity),
    Rule("large_objects", RISKY, contents.large_objects),
    Rule("unlogged", RISKY, contents.unlogged),
    Rule("replica_triggers", RISKY, contents.replica_triggers),
    Rule("writing_event_triggers", RISKY, contents.writing_event_triggers),
    Rule("subscriptions", RISKY, contents.subscriptions),
    Rule("foreign_slots", RISKY, contents.foreign_slots),
    Rule("publications", RISKY, contents.publications),
    Rule("several_databases", RISKY, contents.several_databases),
    Rule("prepared_transactions", RISKY, sessions.prepared_transactions),
    Rule("long_transactions", EVERY, sessions.long_transactions),
    Rule("application_superuser", STANDBY, sessions.application_superuser),
    Rule("other_superusers", RISKY, sessions.other_superusers),
    Rule("pooler_present", STANDBY, sessions.pooler_present),
    Rule("pooled_door", RISKY, sessions.pooled_door),
    Rule("pooler_version", RISKY, sessions.pooler_version),
    Rule("pooler_mode", STANDBY, sessions.pooler_mode),
    Rule("pooler_patience", STANDBY, sessions.pooler_patience),
    Rule("pooler_hold", STANDBY, sessions.pooler_hold),
    Rule("bypassing_clients", RISKY, sessions.bypassing_clients),
    Rule("state_in_the_pool", RISKY, sessions.state_in_the_pool),
)


def findings(snapshot: Snapshot, kind: Kind) -> list[tuple[str, Finding]]:
    """Everything the rules of that kind find, each with the id of its rule."""
    return [
        (rule.id, finding)
        for rule in RULES
        if rule.concerns(snapshot, kind)
        for finding in rule.check(snapshot)
    ]
