/* nothing to see */ ALTER /* x */ SYSTEM /* y */ SET work_mem = '1GB'
