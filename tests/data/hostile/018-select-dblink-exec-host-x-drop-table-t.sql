SELECT dblink_exec('host=x', 'DROP TABLE t')
