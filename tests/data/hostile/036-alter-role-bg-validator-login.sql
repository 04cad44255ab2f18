ALTER ROLE bg_validator LOGIN
