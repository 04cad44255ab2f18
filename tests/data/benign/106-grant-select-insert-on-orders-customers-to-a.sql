GRANT SELECT, INSERT ON orders, customers TO app_rw; REVOKE INSERT ON orders FROM app_rw;
