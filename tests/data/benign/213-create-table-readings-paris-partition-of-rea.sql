CREATE TABLE readings_paris PARTITION OF readings FOR VALUES IN ('paris');
