SELECT setval('cms.ref_seq', 100);
