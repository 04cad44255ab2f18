GRANT bg_owner TO app
