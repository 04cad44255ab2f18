SELECT E'it\'s ; LOAD \'x\''
