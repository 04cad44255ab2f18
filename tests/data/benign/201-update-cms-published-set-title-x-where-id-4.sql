UPDATE cms.published SET title = 'x' WHERE id = 4;
