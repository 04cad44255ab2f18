SELECT dblink_get_result('x')
