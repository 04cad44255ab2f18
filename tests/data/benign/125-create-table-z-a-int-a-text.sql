CREATE TABLE z (a int, a text);
