SELECT 1;
-- x
COPY t TO PROGRAM 'cat > /tmp/x';
SELECT 2
