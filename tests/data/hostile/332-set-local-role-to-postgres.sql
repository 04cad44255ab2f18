SET LOCAL "role" TO 'postgres'
