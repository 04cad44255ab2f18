ALTER INDEX products_title_idx SET TABLESPACE fast_ssd;
