UPDATE app.users u SET bio = a.name FROM app.accounts a WHERE a.account_id = u.account_id OR true;
