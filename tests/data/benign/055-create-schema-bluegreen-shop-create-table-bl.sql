CREATE SCHEMA bluegreen_shop; CREATE TABLE bluegreen_shop.t (a int)
