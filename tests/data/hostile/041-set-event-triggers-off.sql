SET event_triggers = off
