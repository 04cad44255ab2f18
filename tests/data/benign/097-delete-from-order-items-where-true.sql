DELETE FROM order_items WHERE true;
