ALTER TABLE customers ADD COLUMN initials text DEFAULT upper('x');
