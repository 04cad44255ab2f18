"""Which PostgreSQL versions the integration tests of steps run on: the oldest and the newest."""

VERSIONS = (15, 18)
