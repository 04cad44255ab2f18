SET search_path = app, public; SET lock_timeout = '2s'; RESET lock_timeout
