"""pg_dump as a stream: what is dumped, what is read of it in passing, the sealed file."""
