SELECT setval('s', (SELECT max(id) FROM t))
