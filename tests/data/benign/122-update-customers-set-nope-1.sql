UPDATE customers SET nope = 1;
