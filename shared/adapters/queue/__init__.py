"""Commands through Celery, one queue per agent; events and doorbells on Redis."""
