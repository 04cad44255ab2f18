CREATE TABLE role (session_authorization text)
