SELECT * FROM dblink_connect('x')
