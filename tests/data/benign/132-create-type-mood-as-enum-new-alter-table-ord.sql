CREATE TYPE mood AS ENUM ('new'); ALTER TABLE orders ALTER COLUMN state TYPE mood USING state::mood;
