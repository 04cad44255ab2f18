INSERT INTO docs (body) VALUES ($$ALTER SYSTEM; LOAD 'x'; SET ROLE postgres;$$)
