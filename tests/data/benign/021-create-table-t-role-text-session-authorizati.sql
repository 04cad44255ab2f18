CREATE TABLE t (role text, session_authorization text, load text, system int, copy int)
