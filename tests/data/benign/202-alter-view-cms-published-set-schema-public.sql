ALTER VIEW cms.published SET SCHEMA public;
