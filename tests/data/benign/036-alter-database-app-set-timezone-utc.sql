ALTER DATABASE app SET timezone = 'UTC'
