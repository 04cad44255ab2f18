SELECT 1;
-- x
SELECT dblink_exec('host=x', 'DROP TABLE t');
SELECT 2
