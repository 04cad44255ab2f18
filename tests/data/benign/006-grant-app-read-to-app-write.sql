GRANT app_read TO app_write
