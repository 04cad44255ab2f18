TRUNCATE customers;
