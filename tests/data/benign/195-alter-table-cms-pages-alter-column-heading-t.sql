ALTER TABLE cms.pages ALTER COLUMN heading TYPE varchar(100);
