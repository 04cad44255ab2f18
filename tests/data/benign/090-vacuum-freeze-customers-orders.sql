VACUUM FREEZE customers, orders;
